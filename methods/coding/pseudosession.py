"""Tuning against a null made of sessions that other animals might have had in the same task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.coding._regression import NEEDS, against
from methods.coding._values import SIDES, START, Learner, Seen
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats

RECORDED = ("choice", "reward", "p_left", "p_right")
"""What the simulation of an animal that chooses starts from."""

Trials = Annotated[int, Within(1, 10_000)]


@dataclass(frozen=True)
class Pseudosession:
    """|t| of a regression on all variables, ranked among those on what might have happened in other sessions.

    What an experimenter moves at random step by step is moved anew. Of a choosing animal, the task's blocks, in a new
    random order, are played by a Q-learner with the learning rate and the temperature that
    explain the real animal's choices; a block ends as the rig's program says. Whatever is slow in the neurons meets
    values that are as slow and belong to none of them, so that the test holds its level however rates drift
    (Harris 2020, bioRxiv 2020.11.29.402719; Elber-Dorozko & Loewenstein 2018, eLife 7:e34248, with the sessions of
    other animals). Cost: a session simulated, and a fit, per surrogate.
    """

    name: ClassVar[str] = "pseudosession"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "simulated null"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05
    n_surrogates: Repeats = 400
    shortest: Trials = 20  # trials of a block, at least
    window: Trials = 20  # of the last so many choices ...
    enough: Trials = 14  # ... more than so many must be of the better lever for the block to end

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's variable; abstains where no values, or no reward probabilities, were recorded."""
        return against(recording, self._sessions, self.level, rng)

    def _sessions(self, found: Seen, rng: np.random.Generator) -> np.ndarray | Finding:
        if set(found.names) <= set(SIDES):
            if found.learner is None or not set(RECORDED) <= set(found.known):
                return Finding.abstain(f"values are simulated from {', '.join(RECORDED)}, which were not all recorded")
            return self._choosing(found, found.learner, rng)
        if set(found.names) <= set(found.known):
            return self._walking(found.variables, rng)
        return Finding.abstain("only values of two levers, and what an experimenter moves at random, can be simulated")

    def _walking(self, variables: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Random walks (surrogate, trial, variable) with the variables' own steps in any order and direction."""
        steps = np.diff(variables, axis=0)
        order = np.argsort(rng.random((self.n_surrogates, len(steps))), axis=1)
        signs = rng.choice([-1.0, 1.0], (self.n_surrogates, *steps.shape))
        walked = np.cumsum(steps[order] * signs, axis=1)
        return np.concatenate([np.zeros((self.n_surrogates, 1, steps.shape[1])), walked], axis=1)

    def _choosing(self, found: Seen, learner: Learner, rng: np.random.Generator) -> np.ndarray:
        """Values of other animals (surrogate, trial, variable)."""
        blocks = np.unique(np.column_stack([found.known["p_left"], found.known["p_right"]]), axis=0)
        values = self._played(blocks, learner, len(found.counts), rng)
        return values[:, :, [SIDES.index(name) for name in found.names]]

    def _played(self, blocks: np.ndarray, learner: Learner, trials: int, rng: np.random.Generator) -> np.ndarray:
        """(surrogate, trial, side): values when each trial began, all surrogates at once."""
        n = self.n_surrogates
        every, q, values = np.arange(n), np.full((n, 2), START), np.empty((n, trials, 2))
        order, at, played = _orders(blocks, n, rng), np.zeros(n, dtype=int), np.zeros(n, dtype=int)
        better = np.zeros((n, self.window), dtype=bool)
        for t in range(trials):
            over = (played >= self.shortest) & (better.sum(axis=1) > self.enough)
            at, played, better[over] = at + over, np.where(over, 0, played), False
            again = at == len(blocks)
            order[again], at[again] = _orders(blocks, int(again.sum()), rng), 0
            offered = blocks[order[every, at]]
            values[:, t] = q
            lever = (rng.random(n) >= 1 / (1 + np.exp(-learner.beta * (q[:, 0] - q[:, 1])))).astype(int)
            won = rng.random(n) < offered[every, lever]
            q[every, lever] += learner.alpha * (won - q[every, lever])
            better[every, t % self.window] = lever == offered.argmax(axis=1)
            played += 1
        return values


def _orders(blocks: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, block): random orders of the blocks."""
    return np.argsort(rng.random((n, len(blocks))), axis=1)
