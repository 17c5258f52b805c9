"""The stepping model of single trials: three levels, and a step from the first to one of the others at a random time.

    r(t) = r_0 before the step, r_side after it;   P(side | condition) free,   P(time | condition) a gamma's, in bins

(Latimer et al. 2015, with a gamma in the place of their negative binomial.) In its bin a step is half done. A step may
come after the trial's end. Fitted by expectation and maximisation; of the times' distributions the best of a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import logsumexp
from scipy.stats import gamma

SHAPES = (0.7, 1.0, 1.5, 2.5, 4.0)
N_MEANS = 16
FLOOR = 1e-3
"""Spikes per bin: no unit is silent for sure."""

PRIOR = 1.0
"""Trials to either side that each condition is taken to have had before."""


@lru_cache(maxsize=8)
def laws(n_bins: int) -> np.ndarray:
    """(law, bin + 1): chances that a step falls in each bin, or after them all (last)."""
    edges = np.arange(n_bins + 1)
    means = np.geomspace(1.0, 3.0 * n_bins, N_MEANS)
    below = np.array([gamma.cdf(edges, shape, scale=mean / shape) for mean in means for shape in SHAPES])
    chances = np.concatenate([np.diff(below, axis=1), 1 - below[:, -1:]], axis=1)
    chances = np.maximum(chances, 1e-4)  # no time is impossible
    return chances / chances.sum(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class StepModel:
    """levels (3, unit): mean counts per bin before, at the lower and at the upper side; side (condition, 2); times
    (condition, bin + 1)."""

    levels: np.ndarray
    side: np.ndarray
    times: np.ndarray

    def joint(self, counts: np.ndarray, condition: np.ndarray, exposure: np.ndarray) -> np.ndarray:
        """Log probability (trial, side, time of the step) of counts (trial, bin, unit) and of that step."""
        before, *after = (_each(counts, level, exposure) for level in self.levels)
        found = []
        for side in range(2):
            half = _each(counts, (self.levels[0] + self.levels[1 + side]) / 2, exposure)
            n_trials, n_bins = before.shape
            done = np.zeros((n_trials, n_bins + 1))
            done[:, 1:] = before.cumsum(axis=1)
            left = np.zeros((n_trials, n_bins + 1))
            left[:, :-1] = after[side][:, ::-1].cumsum(axis=1)[:, ::-1]
            here = done.copy()  # no step within the trial: the last entry
            here[:, :-1] += half + left[:, 1:]
            chance = np.log(self.side[condition, side])[:, None] + np.log(self.times[condition])
            found.append(here + chance)
        return np.stack(found, axis=1)

    def likelihood(self, counts: np.ndarray, condition: np.ndarray, exposure: np.ndarray) -> np.ndarray:
        """Log likelihood (trial,), but for the factorials."""
        return logsumexp(self.joint(counts, condition, exposure), axis=(1, 2))


def _each(counts: np.ndarray, means: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Log likelihood (trial, bin) of counts with these means (unit,)."""
    return counts @ np.log(means) + (counts * np.log(exposure)[:, None]).sum(-1) - (exposure @ means)[:, None]


def fitted(
    counts: np.ndarray, condition: np.ndarray, exposure: np.ndarray, levels: np.ndarray, rounds: int = 15
) -> StepModel:
    """The model of these trials, from first guesses of the levels (3, unit)."""
    n_conditions, n_bins = int(condition.max()) + 1, counts.shape[1]
    model = StepModel(
        np.maximum(levels, FLOOR), np.full((n_conditions, 2), 0.5), np.tile(laws(n_bins).mean(axis=0), (n_conditions,
        1))
    )  # fmt: skip
    for _ in range(rounds):
        joint = model.joint(counts, condition, exposure)
        chance = np.exp(joint - logsumexp(joint, axis=(1, 2), keepdims=True))
        model = StepModel(_levels(chance, counts, exposure), *_steps(chance, condition, n_conditions))
    return model


def _levels(chance: np.ndarray, counts: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """(3, unit) from the chances of steps (trial, side, time): what was fired at each level, over how long."""
    n_trials, n_bins, _ = counts.shape
    after = np.concatenate([np.zeros((n_trials, 2, 1)), chance.cumsum(axis=2)[:, :, : n_bins - 1]], axis=2)
    now = chance[:, :, :n_bins]
    share = np.stack([1 - after.sum(axis=1) - now.sum(axis=1), after[:, 0], after[:, 1]])  # (level, trial, bin)
    fired = np.einsum("ktb,tbu->ku", share, counts)
    lasted = share.sum(axis=2) @ exposure
    return np.maximum((fired + FLOOR) / (lasted + 1.0), FLOOR)


def _steps(chance: np.ndarray, condition: np.ndarray, n_conditions: int) -> tuple[np.ndarray, np.ndarray]:
    """Chances of the sides (condition, 2) and of times (condition, bin + 1), each condition's likeliest law."""
    table = laws(chance.shape[2] - 1)
    member = np.eye(n_conditions)[condition]
    sides = member.T @ chance.sum(axis=2) + PRIOR
    times = member.T @ chance.sum(axis=1)
    return sides / sides.sum(axis=1, keepdims=True), table[np.argmax(times @ np.log(table).T, axis=1)]
