"""A population whose rates are a tensor of low rank: groups of neurons x courses in a trial x sizes over trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from circuits.latent.latent_factors import BinStep, Spread
from circuits.latent.population import Course, Model, Population, log_normal_rates, middles
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Rate, Share
from simlab.session import Session


@dataclass(frozen=True)
class TensorPopulation:
    """Rates are a sum of few factors, each with a group of neurons, a course in time and a size in each trial.

        r_i(t, k) = b_i [ floor + (1 - floor) sum_f w_if c_f(t) a_f(k) ]

    w_if: exponential, none negative, adding up to 1 in each neuron; c_f: a bump in its own part of the trial, of mean 1
    over the trial; a_f: log-normal, of mean about 1, wanders slowly about a trend of its own (rises, falls or neither,
    as in learning). All three are as Williams et al. 2018 (Neuron 98:1099) have them: one course per factor, whose gain
    changes from trial to trial. What the tensor has over principal components is that its factors are unique, which no
    affine comparison of latents rewards.

    Truths: `latents` c_f(t) a_f(k); `dimensionality` linear = factors.
    """

    name: ClassVar[str] = "tensor_population"
    mechanism: ClassVar[str] = "gains of fixed courses"
    questions: ClassVar[tuple[str, ...]] = ("latents", "dimensionality", "connectivity")

    n_neurons: Annotated[int, Within(2, 10_000)] = 60
    factors: Annotated[int, Within(1, 20)] = 3
    rate: Rate = 15.0  # Hz, median over neurons of b
    rate_spread: Spread = 0.5  # standard deviation of log b over neurons (Buzsaki & Mizuseki 2014: about log-normal)
    floor: Share = 0.2  # of b that no factor moves
    width: Annotated[float, Within(0.01, 1)] = 0.35  # of a bump, standard deviation as a share of its part of the trial
    trend: Annotated[float, Within(0, 5)] = 1.0  # by which log a rises or falls from the first trial to the last
    wander: Annotated[float, Within(0, 2)] = 0.4  # standard deviation of log a about its trend
    memory: Annotated[float, Within(0.1, 1000, "trials")] = 3.0  # of that
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

    def subject(self, rng: np.random.Generator) -> Population:
        """One individual: its neurons' mean rates and weights, and how each factor's size changes with trials."""
        base = log_normal_rates(self.n_neurons, self.rate, self.rate_spread, rng)
        weights = rng.exponential(1.0, (self.n_neurons, self.factors))
        weights /= weights.sum(axis=1, keepdims=True)
        trend = rng.permutation(np.resize([1.0, -1.0, 0.0], self.factors))
        return Population.placed(self, {"base": base, "weights": weights, "trend": trend}, rng)

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Latents c_f(t) a_f(k), and rates of a session."""
        latent = self.sizes(individual["trend"], session.trials, rng)[:, None] * self.courses(session.duration)
        moved = self.floor + (1 - self.floor) * latent @ individual["weights"].T
        return Course(latent, individual["base"] * moved)

    def courses(self, duration: float) -> np.ndarray:
        """(bin, factor): bumps of mean 1 over the trial, one after another."""
        part = duration / self.factors
        centre = (np.arange(self.factors) + 0.5) * part
        bump = np.exp(-(((middles(duration, self.step)[:, None] - centre) / (self.width * part)) ** 2) / 2)
        return np.asarray(bump / bump.mean(axis=0))

    def sizes(self, trend: np.ndarray, trials: int, rng: np.random.Generator) -> np.ndarray:
        """(trial, factor): gains that rise, fall or stay by `trend` (factor,), and wander."""
        keep, walk = np.exp(-1 / self.memory), rng.standard_normal((trials, len(trend)))
        for k in range(1, trials):
            walk[k] = keep * walk[k - 1] + np.sqrt(1 - keep**2) * walk[k]
        along = (np.arange(trials) + 0.5) / trials - 0.5
        return np.asarray(np.exp(self.trend * trend * along[:, None] + self.wander * walk - self.wander**2 / 2))

    def dimensions(self) -> dict[str, int]:
        """As many as there are factors; none that is curved is stated."""
        return {"linear": self.factors}
