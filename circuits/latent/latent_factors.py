"""A population whose log rates are an affine readout of a few smooth latent factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np

from circuits.latent.population import Course, Model, Population, log_normal_rates, n_bins
from circuits.latent.processes import Smoothness, stationary
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Rate
from simlab.session import Session

Depth = Annotated[float, Within(0, 3)]
TimeConstant = Annotated[float, Within(1e-3, 100, "s")]
BinStep = Annotated[float, Within(1e-3, 1.0, "s")]
Spread = Annotated[float, Within(0, 3)]


@dataclass(frozen=True)
class LatentFactors:
    """Neurons that fire independently at rates which a few latent factors modulate together.

        log r_i(t) = log b_i + g_i(t) - v/2,   g_i = depth w_i.x(t) + private_depth p_i(t),   v = depth^2 + private^2
        or, with the rectified readout,   r_i(t) = b_i max(0, 1 + g_i(t))

    x (factor,), p_i: independent stationary Gaussian processes of variance 1 and the same covariance
    (`circuits.latent.processes`); w_i: drawn evenly from the unit sphere, so that each neuron is modulated alike and
    the mean rate with an exponential readout is b_i. This is the generative model that factor analysis,
    Gaussian-process factor analysis and Poisson latent models assume (Yu et al. 2009, J Neurophysiol 102:614; Macke et
    al. 2011; Cunningham & Yu 2014, Nat Neurosci 17:1500), and so the circuit on which they should work.

    Truths: `latents` x; `dimensionality` linear = intrinsic = factors (a Gaussian cloud is not curved).
    """

    name: ClassVar[str] = "latent_factors"
    mechanism: ClassVar[str] = "shared latent factors"
    questions: ClassVar[tuple[str, ...]] = ("dimensionality", "latents", "connectivity")

    n_neurons: Annotated[int, Within(2, 10_000)] = 60
    factors: Annotated[int, Within(1, 100)] = 3  # in premotor cortex some 8 to 15 are found (Yu et al. 2009)
    time_constant: TimeConstant = 0.2  # s (Yu et al. 2009: 0.1 s typical of reaching; here that of slower tasks)
    smoothness: Smoothness = "gaussian"  # or "ornstein-uhlenbeck"
    readout: Literal["exponential", "rectified"] = "exponential"
    rate: Rate = 10.0  # Hz, median over neurons of b
    rate_spread: Spread = 0.5  # standard deviation of log b over neurons (Buzsaki & Mizuseki 2014: about log-normal)
    depth: Depth = 0.6  # of the shared modulation, in units of the log rate
    private_depth: Depth = 0.2  # of each neuron's own modulation
    step: BinStep = 0.01  # s in which rates are constant
    model: Model = "spiking"  # or "rate"

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.factors <= self.n_neurons,
            f"factors must be at most n_neurons, {self.n_neurons}, got {self.factors}: fewer neurons cannot tell them",
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return ("spikes",) if self.model == "spiking" else ("rate",)

    def prior(self, rng: np.random.Generator) -> LatentFactors:
        """Two to eight factors of 0.1 to 0.4 s, modulating by 0.4 to 0.8."""
        return replace(
            self,
            factors=min(int(rng.integers(2, 9)), self.n_neurons),
            time_constant=float(rng.uniform(0.1, 0.4)),
            depth=float(rng.uniform(0.4, 0.8)),
        )

    def subject(self, rng: np.random.Generator) -> Population:
        """One individual: its neurons' mean rates and readout weights."""
        base = log_normal_rates(self.n_neurons, self.rate, self.rate_spread, rng)
        weights = rng.standard_normal((self.n_neurons, self.factors))
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        return Population.placed(self, {"base": base, "weights": weights}, rng)

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Latents and rates of a session."""
        latent = self.paths(session, self.factors, rng)
        own = self.paths(session, self.n_neurons, rng)
        gain = self.depth * latent @ individual["weights"].T + self.private_depth * own
        return Course(latent, self.rates(individual["base"], gain))

    def paths(self, session: Session, number: int, rng: np.random.Generator) -> np.ndarray:
        """(trial, bin, path): so many independent processes of this circuit's kind."""
        shape = (session.trials, n_bins(session.duration, self.step), number)
        return stationary(shape, self.step, self.time_constant, self.smoothness, rng)

    def rates(self, base: np.ndarray, gain: np.ndarray) -> np.ndarray:
        """Rates (trial, bin, neuron) [Hz] under a modulation of the same shape."""
        if self.readout == "rectified":
            return base * np.maximum(1 + gain, 0.0)
        return base * np.exp(gain - self.modulation**2 / 2)

    @property
    def modulation(self) -> float:
        """Standard deviation of each neuron's modulation, shared and its own."""
        return float(np.hypot(self.depth, self.private_depth))

    def dimensions(self) -> dict[str, int]:
        """As many as there are factors; none where these modulate nothing."""
        number = self.factors if self.depth > 0 else 0
        return {"linear": number, "intrinsic": number}
