"""A bump code: one or two angles, embedded in many linear dimensions by narrow tuning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import comb
from typing import Annotated, ClassVar

import numpy as np

from circuits.latent.latent_factors import BinStep, TimeConstant
from circuits.latent.population import Course, Model, Population, n_bins
from circuits.latent.processes import stationary
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Rate
from simlab.session import Session


@dataclass(frozen=True)
class CurvedManifold:
    """Neurons tuned to one angle (a ring of states) or to two at once (a torus).

        r_i = baseline + (peak - baseline) prod_j ((1 + cos(theta_j - c_ij)) / 2)^sharpness,   j = 1 .. intrinsic

    Each angle turns at a speed that is an Ornstein-Uhlenbeck process, from an even start in each trial; preferred
    angles c are drawn evenly. The tuning curve has just K = sharpness harmonics, with the weights 2 C(2K, K - k) / 4^K,
    so that rates are an affine function of the factors cos(k theta), sin(k theta), k = 1 .. K, or of their products: 2K
    linear dimensions of a ring, (2K + 1)^2 - 1 of a torus, whose intrinsic dimensions are 1 and 2. Full width at half
    height is 2 arccos(2^(1 - 1/K) - 1): 180 degrees at K = 1, 94 at 4, as of head-direction cells (Taube 2007: 60 to
    150). Narrow tuning makes linear dimension grow without bound at one intrinsic dimension (Jazayeri & Ostojic 2021).

    Truths: `latents` the linear factors; `dimensionality`; `topology` of the ring or torus.
    """

    name: ClassVar[str] = "curved_manifold"
    mechanism: ClassVar[str] = "tuning to a circular variable"
    questions: ClassVar[tuple[str, ...]] = ("dimensionality", "latents", "topology", "connectivity")

    n_neurons: Annotated[int, Within(2, 10_000)] = 80
    intrinsic: Annotated[int, Within(1, 2)] = 1  # angles
    sharpness: Annotated[int, Within(1, 12)] = 4  # K, the harmonics of a tuning curve
    peak: Rate = 30.0  # Hz (head-direction cells: 5 to 120, Taube 2007)
    baseline: Rate = 1.0  # Hz
    speed: Annotated[float, Within(0, 1000, "rad/s")] = 2.0  # rad/s, standard deviation of a rat's turning
    speed_time_constant: TimeConstant = 0.5  # s over which it keeps its speed
    step: BinStep = 0.01  # s in which rates are constant
    model: Model = "spiking"  # or "rate"

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.baseline <= self.peak,
            f"baseline must be <= peak, got {self.baseline} and {self.peak} Hz: raise the peak",
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return ("spikes",) if self.model == "spiking" else ("rate",)

    def subject(self, rng: np.random.Generator) -> Population:
        """One individual: its neurons' preferred angles (neuron, angle) [rad]."""
        preferred = rng.uniform(0, 2 * np.pi, (self.n_neurons, self.intrinsic))
        return Population.placed(self, {"preferred": preferred}, rng)

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Factors and rates of a session."""
        angle = self.angles(session, rng)
        return Course(self.factors(angle), self.tuned(angle, individual["preferred"]))

    def angles(self, session: Session, rng: np.random.Generator) -> np.ndarray:
        """(trial, bin, angle) [rad], not wrapped."""
        shape = (session.trials, n_bins(session.duration, self.step), self.intrinsic)
        start = rng.uniform(0, 2 * np.pi, (session.trials, 1, self.intrinsic))
        speed = self.speed * stationary(shape, self.step, self.speed_time_constant, "ornstein-uhlenbeck", rng)
        return start + np.cumsum(speed, axis=1) * self.step

    def tuned(self, angle: np.ndarray, preferred: np.ndarray) -> np.ndarray:
        """Rates (trial, bin, neuron) [Hz] at angles (trial, bin, angle) [rad]."""
        bump = np.ones((*angle.shape[:2], len(preferred)))
        for j in range(self.intrinsic):
            bump *= ((1 + np.cos(angle[:, :, j, None] - preferred[:, j])) / 2) ** self.sharpness
        return self.baseline + (self.peak - self.baseline) * bump

    def factors(self, angle: np.ndarray) -> np.ndarray:
        """(trial, bin, factor): what rates are an affine function of, each with the weight that tuning gives it."""
        waves = [self._waves(angle[:, :, j]) for j in range(self.intrinsic)]
        if self.intrinsic == 1:
            return waves[0][:, :, 1:]
        pairs = product(range(waves[0].shape[2]), range(waves[1].shape[2]))
        return np.stack([waves[0][:, :, a] * waves[1][:, :, b] for a, b in pairs if (a, b) != (0, 0)], axis=2)

    def _waves(self, angle: np.ndarray) -> np.ndarray:
        """(trial, bin, 2K + 1): the constant, cosines and sines of each harmonic, weighted."""
        order = np.arange(1, self.sharpness + 1)
        weight = np.array([2 * comb(2 * self.sharpness, self.sharpness - k) for k in order]) / 4**self.sharpness
        turned = angle[:, :, None] * order
        constant = np.full((*angle.shape, 1), comb(2 * self.sharpness, self.sharpness) / 4**self.sharpness)
        return np.concatenate([constant, weight * np.cos(turned), weight * np.sin(turned)], axis=2)

    def dimensions(self) -> dict[str, int]:
        """Factors of the rates, and angles."""
        return {"linear": (2 * self.sharpness + 1) ** self.intrinsic - 1, "intrinsic": self.intrinsic}

    def betti(self) -> tuple[int, int, int]:
        """Of a ring or a torus."""
        return (1, 1, 0) if self.intrinsic == 1 else (1, 2, 1)
