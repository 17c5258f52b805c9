"""More sparse features than neurons, each a direction of the population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np

from circuits.coding.companions import BRANCHING, RANK, Together, joint, parent_of, present, unit_vectors
from circuits.latent.latent_factors import BinStep
from circuits.latent.population import Course, Model, Population, n_bins
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Rate, Share
from simlab.session import Session

Number = Annotated[int, Within(2, 5_000)]


@dataclass(frozen=True)
class Superposition:
    """Features that are present now and then, one on top of the other, in fewer neurons than there are features.

        r_i(t) = rate [ 1 + gain x_i(t) ]+,   x(t) = sum_k a_k(t) f_k + noise z(t),   |f_k| = 1,   z: standard Gaussian
        a_k(t) = 0, but with probability p_k: uniform(0, 1);   p_k ~ decay^k,   sum_k p_k = active

    in every bin anew. `together` says which features are present with which:
    - independent: each regardless of the others
    - correlated: where z_k < Phi^-1(p_k), z standard Gaussian with correlations c l_k.l_m, |l_k| = 1, l_k in `RANK`
      dimensions and the individual's own: a Gaussian copula
    - hierarchical: an eighth of the features are roots, the others in turn children of those before them, `CHILDREN` of
      each; a root is present with p_k, a child only where its parent is, each with probability `BRANCHING`, and never
      two of one parent: the specific only with the general
    as in SynthSAEBench (Chanin et al. 2026, arXiv 2602.14687: Zipfian p_k with exponent .5, four exclusive children, a
    correlation of low rank, among 16,384 features). With frequencies="zipfian", p_k ~ (k + 1)^-.5. f_k: drawn evenly
    from the unit sphere, or for `basis="neurons"` one neuron each: a sparse code without superposition, for which
    n_features = n_neurons. After the toy model of Sharkey, Braun & Millidge (2022, 'Taking features out of
    superposition with sparse autoencoders'):
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
    together: Together = "independent"
    correlation: Share = 0.5  # c
    frequencies: Literal["geometric", "zipfian"] = "geometric"
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
        rank = np.arange(self.n_features)
        falling = self.decay**rank if self.frequencies == "geometric" else (rank + 1.0) ** -0.5
        if self.together == "hierarchical":
            for k in range(self.n_features):
                if (parent := parent_of(k, self.n_features)) is not None:
                    falling[k] = BRANCHING * falling[parent]
        return np.asarray(self.active * falling / falling.sum())

    def subject(self, rng: np.random.Generator) -> Population:
        """One individual: its features' directions, and what correlates them."""
        features = unit_vectors(self.n_features, self.n_neurons, rng)
        parts = {"features": features if self.basis == "random" else np.eye(self.n_neurons)}
        if self.together == "correlated":
            parts["loading"] = np.sqrt(self.correlation) * unit_vectors(self.n_features, RANK, rng)
        return Population.placed(self, parts, rng)

    def covariance(self, individual: Mapping[str, np.ndarray]) -> np.ndarray:
        """(feature, feature) of their strengths a."""
        p = self.probabilities()
        both = joint(self.together, p, individual)
        return np.where(np.eye(len(p), dtype=bool), p / 3 - p**2 / 4, (both - np.outer(p, p)) / 4)

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Features, as latents, and rates of a session."""
        shape = (session.trials, n_bins(session.duration, self.step), self.n_features)
        strength = rng.random(shape) * present(self.together, self.probabilities(), individual, shape, rng)
        return Course(strength, self.rates(strength @ individual["features"], rng))

    def rates(self, drive: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(trial, bin, neuron) [Hz], with the neurons' own noise."""
        moved = drive + self.noise * rng.standard_normal(drive.shape)
        return np.asarray(self.rate * np.maximum(1 + self.gain * moved, 0.0))

    def dimensions(self) -> dict[str, int]:
        """Not asked."""
        return {}
