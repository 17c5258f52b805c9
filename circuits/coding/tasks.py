"""What animals do beside whose neurons one records: choose between two levers and learn, or follow a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import numpy as np

from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Share

BLOCKS = ((0.1, 0.5), (0.9, 0.5), (0.5, 0.9), (0.5, 0.1))
"""Reward probabilities (left, right) of a block (Samejima et al. 2005, Science 310:1337, and those after them)."""

SHORTEST, WINDOW, ENOUGH = 20, 20, 14
"""A block ends after `SHORTEST` trials at least, once more than `ENOUGH` of the last `WINDOW` choices were of the
better lever (Elber-Dorozko & Loewenstein 2018)."""

SIDES = ("left", "right")


class Course(NamedTuple):
    """What happened in a session's trials, in their order."""

    known: np.ndarray  # (trial, factor) what the experimenter knows of each
    variable: np.ndarray  # (trial, candidate) what neurons may code, as it was when the trial began


@dataclass(frozen=True)
class Agent:
    """A Q-learner with a softmax policy.

        P(left) = 1 / (1 + exp(-beta (Q_left - Q_right))),   Q_a <- Q_a + alpha (reward - Q_a)   for the lever a chosen

    alpha .1, beta 2.5 and Q = .5 at the start: Elber-Dorozko & Loewenstein (2018, eLife 7:e34248).
    """

    factors: ClassVar[tuple[str, ...]] = ("choice", "reward", "p_left", "p_right")
    """Known of each trial: the lever (0: left), the reward, and the reward probabilities of the block."""
    candidates: ClassVar[tuple[str, ...]] = tuple(f"{side} value" for side in SIDES)
    """Known to nobody: Q of either lever."""

    alpha: Level = 0.1
    beta: Annotated[float, Within(0, 100)] = 2.5
    start: Share = 0.5

    def __post_init__(self) -> None:
        check_fields(self)

    def course(self, trials: int, rng: np.random.Generator) -> Course:
        """So many trials: all four blocks in random order, and again in another one while there are trials left."""
        offered, value = np.empty((trials, 2)), np.empty((trials, 2))
        reward, choice = np.empty(trials, dtype=int), np.empty(trials, dtype=int)
        chance, luck = rng.random(trials), rng.random(trials)
        q, began, waiting = np.full(2, self.start), 0, _order(rng)
        for t in range(trials):
            if ended(choice[began:t], waiting[0]):
                began, waiting = t, waiting[1:] or _order(rng)
            offered[t], value[t] = waiting[0], q
            choice[t] = chance[t] >= 1 / (1 + np.exp(-self.beta * (q[0] - q[1])))
            reward[t] = luck[t] < waiting[0][choice[t]]
            q[choice[t]] += self.alpha * (reward[t] - q[choice[t]])
        return Course(np.column_stack([choice, reward, offered]), value)


@dataclass(frozen=True)
class Target:
    """A target that the experimenter moves at random: x(t+1) = x(t) + z, z ~ N(0, 1), from x(1) = 0."""

    factors: ClassVar[tuple[str, ...]] = ("target",)
    candidates: ClassVar[tuple[str, ...]] = ("target",)

    def course(self, trials: int, rng: np.random.Generator) -> Course:
        """So many trials."""
        path = np.cumsum(rng.standard_normal(trials)) if trials else np.empty(0)
        path = (path - path[:1])[:, None]
        return Course(path, path)


def _order(rng: np.random.Generator) -> list[tuple[float, float]]:
    return [BLOCKS[k] for k in rng.permutation(len(BLOCKS))]


def ended(choices: np.ndarray, offered: tuple[float, float]) -> bool:
    """Whether a block with these `choices` (trial,) so far is over."""
    better = choices[-WINDOW:] == int(np.argmax(offered))
    return len(choices) >= SHORTEST and int(better.sum()) > ENOUGH
