"""Two populations of other neurons that read the same features of what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np

from circuits.latent.latent_factors import BinStep, Depth, Spread
from circuits.latent.population import (
    Course,
    Model,
    Population,
    halves,
    log_normal_rates,
    n_bins,
    side_by_side,
)
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Rate
from simlab.session import Session

Order = Literal["random", "fixed"]
"""Of the stimuli in each block: new in every block, or the same one in all of them."""


@dataclass(frozen=True)
class SharedCode:
    """Two populations respond to features of stimuli, each with neurons and a mixture of its own.

        r_i = b_i [ 1 + depth w_i.s + gain v_i g + drift z_i ]+

    s (feature,): of the stimulus, each independent N(0, 1), so that over those shown they correlate by chance alone.
    w_i: evenly from the unit sphere of the features that i's population reads: `n_features` in either, of which
    `n_shared` are the same.
    g: what moves a whole population together in a trial, v_i ~ N(1, 1/4); z_i: each neuron's own drift over trials,
    autoregressive with `drift_time`. Both are Gaussian of variance 1, know nothing of the stimulus, and are drawn for
    each population by itself; only `common_fluctuations` gives both the same g. Stimuli come in blocks that hold each
    once. Gains of single trials: Goris et al. 2014, Nat Neurosci 17:858; the same code in other neurons of another
    animal: Kriegeskorte et al. 2008, Front Syst Neurosci 2:4.

    Truth: `similarity`, from the weights alone.
    """

    name: ClassVar[str] = "shared_code"
    mechanism: ClassVar[str] = "code of the same features"
    questions: ClassVar[tuple[str, ...]] = ("similarity", "connectivity")

    n_neurons: Annotated[int, Within(4, 10_000)] = 80  # half of them, rounded up, in the first population
    n_stimuli: Annotated[int, Within(4, 1000)] = 24
    n_features: Annotated[int, Within(1, 100)] = 4  # that each population reads
    n_shared: Annotated[int, Within(0, 100)] = 4  # of them that both read
    rate: Rate = 10.0  # Hz, median over neurons of b
    rate_spread: Spread = 0.5  # standard deviation of log b over neurons (Buzsaki & Mizuseki 2014: about log-normal)
    depth: Depth = 0.25  # standard deviation of a response over stimuli, of b
    gain: Depth = 0.3  # of what a population does together from trial to trial, of b
    drift: Depth = 0.0  # of each neuron's own drift, of b
    drift_time: Annotated[float, Within(0.1, 10_000, "trials")] = 6.0
    order: Order = "random"
    rest: Annotated[float, Within(0, 1e6, "trials")] = 0.0
    """How long the pause between two blocks is, in which drifts go on."""
    step: BinStep = 0.05  # s; rates are constant within a trial
    model: Model = "spiking"  # or "rate"

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.n_shared <= self.n_features,
            f"n_shared must be at most n_features, {self.n_features}, got {self.n_shared}: what is shared is read",
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return ("spikes",) if self.model == "spiking" else ("rate",)

    def prior(self, rng: np.random.Generator) -> SharedCode:
        """Three to six features, responses of .2 to .35 and gains of .2 to .4 of the mean."""
        number = int(rng.integers(3, 7))
        depth, gain = float(rng.uniform(0.2, 0.35)), float(rng.uniform(0.2, 0.4))
        return replace(self, n_features=number, n_shared=number, depth=depth, gain=gain)

    def subject(self, rng: np.random.Generator) -> Population:
        """One pair of populations and the stimuli that they are shown."""
        return self.individual(self, self.n_shared, rng)

    def individual(self, circuit: object, n_shared: int, rng: np.random.Generator) -> Population:
        """The same for a circuit like this one, with so many features that both populations read."""
        population = halves(self.n_neurons)
        weights = np.zeros((self.n_neurons, 2 * self.n_features - n_shared))
        for p, first in enumerate((0, self.n_features - n_shared)):
            drawn = rng.standard_normal((int((population == p).sum()), self.n_features))
            weights[population == p, first : first + self.n_features] = _unit(drawn)
        base = log_normal_rates(self.n_neurons, self.rate, self.rate_spread, rng)
        parts = {
            "base": base,
            "readout": self.depth * base[:, None] * weights,
            "population": population,
            "together": 1 + 0.5 * rng.standard_normal(self.n_neurons),
            "stimuli": rng.standard_normal((self.n_stimuli, weights.shape[1])),
        }
        return Population(circuit, parts, side_by_side(population, rng))

    def task(self, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """A stimulus in each trial, in blocks that hold each of them once."""
        always = rng.permutation(self.n_stimuli)
        blocks = -(-trials // self.n_stimuli)
        orders = [always if self.order == "fixed" else rng.permutation(self.n_stimuli) for _ in range(blocks)]
        return Session(trials, duration, conditions=tuple(np.concatenate(orders)[:trials].tolist()))

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Features, as latents, and rates of a session; trials without a condition show nothing."""
        return self.responses(individual, session, rng, rng.standard_normal((session.trials, 2)))

    def responses(
        self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator, gains: np.ndarray
    ) -> Course:
        """The same under these `gains` (trial, population)."""
        stimuli, trials = individual["stimuli"], session.trials
        nothing = np.zeros((trials, stimuli.shape[1]))
        shown = nothing if session.conditions is None else stimuli[np.array(session.conditions) % len(stimuli)]
        aside = self.gain * individual["together"] * gains[:, individual["population"]]
        aside = aside + self.drift * self._drifts(trials, rng)
        rate = np.maximum(shown @ individual["readout"].T + individual["base"] * (1 + aside), 0.0)
        bins = n_bins(session.duration, self.step)
        return Course(np.repeat(shown[:, None], bins, axis=1), np.repeat(rate[:, None], bins, axis=1))

    def _drifts(self, trials: int, rng: np.random.Generator) -> np.ndarray:
        """(trial, neuron): stationary autoregressive processes of variance 1."""
        if not self.drift:
            return np.zeros((trials, self.n_neurons))
        walk, rate = rng.standard_normal((trials, self.n_neurons)), 1 / self.drift_time
        for t in range(1, trials):
            keep = np.exp(-rate * (1 + self.rest * (t % self.n_stimuli == 0)))
            walk[t] = keep * walk[t - 1] + np.sqrt(1 - keep**2) * walk[t]
        return walk

    def dimensions(self) -> dict[str, int]:
        """Not asked."""
        return {}


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
