"""More sparse features than neurons, each a direction of the population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np

from circuits.latent.latent_factors import BinStep
from circuits.latent.population import Course, Model, Population, n_bins
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Rate
from simlab.session import Session

Number = Annotated[int, Within(2, 5_000)]


@dataclass(frozen=True)
class Superposition:
    """Features that are present now and then, one on top of the other, in fewer neurons than there are features.

        r_i(t) = rate [ 1 + gain x_i(t) ]+,   x(t) = sum_k a_k(t) f_k + noise z(t),   |f_k| = 1,   z: standard Gaussian
        a_k(t) = 0, but with probability p_k: uniform(0, 1);   p_k ~ decay^k,   sum_k p_k = active

    in every bin anew, features independently of one another. f_k: drawn evenly from the unit sphere, or for
    `basis="neurons"` one neuron each: a sparse code without superposition, for which n_features = n_neurons. After the
    toy model of Sharkey, Braun & Millidge (2022, 'Taking features out of superposition with sparse autoencoders'):
    there 512 features in 256 dimensions, 5 of them active, decay .99; here an eighth of both, decay .99^8, and 2
    active, and noise, a tenth of what features move a neuron by: where there is none, silence is exact and gives
    features away. With the `rate` model no noise of counting is added.

    Truth of `features`: f. Sparsity makes them more than a choice of axes: no other dictionary is as sparse.
    """

    name: ClassVar[str] = "superposition"
    mechanism: ClassVar[str] = "sparse features"
    questions: ClassVar[tuple[str, ...]] = ("features", "connectivity")

    n_neurons: Number = 32
    n_features: Number = 64
    active: Annotated[float, Within(0.01, 1000)] = 2.0  # features, on average
    decay: Annotated[float, Within(0.01, 1)] = 0.923  # of the probability, from one feature to the next
    basis: Literal["random", "neurons"] = "random"
    rate: Rate = 20.0  # Hz
    gain: Annotated[float, Within(0, 100)] = 1.5
    noise: Annotated[float, Within(0, 10)] = 0.02  # standard deviation of each neuron's own
    step: BinStep = 0.05  # s in which features stay as they are
    model: Model = "rate"  # or "spiking"

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.basis == "random" or self.n_features == self.n_neurons,
            f"with basis='neurons' there are as many features as neurons, got {self.n_features} and {self.n_neurons}",
        )
        require(
            self.probabilities().max() <= 1,
            f"no feature can be active more often than always, got active={self.active} of {self.n_features} with "
            f"decay {self.decay}: lower active, or raise decay",
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return ("spikes",) if self.model == "spiking" else ("rate",)

    def prior(self, rng: np.random.Generator) -> Superposition:
        """Sparser and denser, more and fewer features."""
        features = int(self.n_features * rng.uniform(0.75, 1.5)) if self.basis == "random" else self.n_features
        return replace(self, n_features=features, active=float(rng.uniform(1.0, 3.0)))

    def probabilities(self) -> np.ndarray:
        """(feature,)."""
        falling = self.decay ** np.arange(self.n_features)
        return np.asarray(self.active * falling / falling.sum())

    def subject(self, rng: np.random.Generator) -> Population:
        """One individual: its features' directions."""
        features = rng.standard_normal((self.n_features, self.n_neurons))
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        return Population.placed(
            self, {"features": features if self.basis == "random" else np.eye(self.n_neurons)}, rng
        )

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Features, as latents, and rates of a session."""
        shape = (session.trials, n_bins(session.duration, self.step), self.n_features)
        strength = rng.random(shape) * (rng.random(shape) < self.probabilities())
        return Course(strength, self.rates(strength @ individual["features"], rng))

    def rates(self, drive: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(trial, bin, neuron) [Hz], with the neurons' own noise."""
        moved = drive + self.noise * rng.standard_normal(drive.shape)
        return np.asarray(self.rate * np.maximum(1 + self.gain * moved, 0.0))

    def dimensions(self) -> dict[str, int]:
        """Not asked."""
        return {}
