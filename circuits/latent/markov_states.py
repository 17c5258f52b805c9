"""A population whose rates jump among a few hidden states: the teacher of which a student may have too many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.latent.latent_factors import BinStep, Spread
from circuits.latent.population import Course, Model, Population, log_normal_rates, n_bins
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Rate
from simlab.session import Session


@dataclass(frozen=True)
class MarkovStates:
    """Neurons that fire independently at rates which a hidden Markov chain sets for all of them.

        P(s' = s) = 1 - step / dwell;     of the jumps a share `advance` goes to the next state of the circle,
        and the others to the rest evenly;     r_i(t) = b_i exp(depth w_i,s(t) - depth^2 / 2),     w ~ N(0, 1)

    The noisy circle of states that teaches in Dabholkar & Barak 2025 (PLoS Comput Biol 21:e1013789; four states there,
    as remembered), with the states of cortical populations in mind (Abeles et al. 1995, PNAS 92:8609: some hundred
    milliseconds each). A model with more states than there are splits some of them, predicts about as well, and tells
    of transitions between halves of a state that mean nothing.

    Truths: `latents`, which state it is in: an indicator of each but the last, of which these are an affine function;
    `dimensionality` linear = states - 1. States are points: no intrinsic dimension is stated.
    """

    name: ClassVar[str] = "markov_states"
    mechanism: ClassVar[str] = "hidden Markov states"
    questions: ClassVar[tuple[str, ...]] = ("dimensionality", "latents", "connectivity")

    n_neurons: Annotated[int, Within(2, 10_000)] = 60
    states: Annotated[int, Within(2, 50)] = 4
    dwell: Annotated[float, Within(1e-3, 100, "s")] = 0.3  # s, mean length of a visit (Abeles et al. 1995: ~0.1 to 0.5)
    advance: Annotated[float, Within(0, 1)] = 0.8  # of jumps that go on around the circle
    rate: Rate = 10.0  # Hz, median over neurons of b
    rate_spread: Spread = 0.5  # standard deviation of log b (Buzsaki & Mizuseki 2014: about log-normal)
    depth: Annotated[float, Within(0, 3)] = 0.8  # standard deviation over states of each neuron's log rate
    step: BinStep = 0.01  # s in which rates are constant
    model: Model = "spiking"  # or "rate"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return ("spikes",) if self.model == "spiking" else ("rate",)

    def prior(self, rng: np.random.Generator) -> MarkovStates:
        """Three to six states of 0.2 to 0.5 s."""
        return replace(self, states=int(rng.integers(3, 7)), dwell=float(rng.uniform(0.2, 0.5)))

    def subject(self, rng: np.random.Generator) -> Population:
        """One individual: its neurons' mean rates, and by how much each state changes their logarithms."""
        base = log_normal_rates(self.n_neurons, self.rate, self.rate_spread, rng)
        tuning = self.depth * rng.standard_normal((self.n_neurons, self.states)) - self.depth**2 / 2
        return Population.placed(self, {"base": base, "tuning": tuning}, rng)

    def transitions(self) -> np.ndarray:
        """(from, to) in one step."""
        away = min(self.step / self.dwell, 1.0)
        index, n = np.arange(self.states), self.states
        share = self.advance if n > 2 else 1.0
        jumps = np.full((n, n), (1 - share) / max(n - 2, 1))
        jumps[index, (index + 1) % n] = share
        jumps[index, index] = 0.0
        return (1 - away) * np.eye(n) + away * jumps

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Indicators of the states but the last, and rates, of a session."""
        bins = n_bins(session.duration, self.step)
        state = self.paths((session.trials, bins), rng)
        return Course(np.eye(self.states)[state][:, :, :-1], self.rates(individual).T[state])

    def paths(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """States (path, bin) of so many independent chains, each from a state at random."""
        reach, draws = self.transitions().cumsum(axis=1), rng.random(shape[::-1])
        state = np.empty(shape, dtype=int)
        state[:, 0] = rng.integers(self.states, size=shape[0])
        for k in range(1, shape[1]):
            state[:, k] = np.minimum((draws[k][:, None] > reach[state[:, k - 1]]).sum(axis=1), self.states - 1)
        return state

    def rates(self, individual: Mapping[str, np.ndarray]) -> np.ndarray:
        """(neuron, state) [Hz]."""
        return np.asarray(individual["base"][:, None] * np.exp(individual["tuning"]))

    def dimensions(self) -> dict[str, int]:
        """One less than there are states; none where these change nothing."""
        return {"linear": self.states - 1 if self.depth > 0 else 0}
