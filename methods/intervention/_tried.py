"""Sets of silenced units, tried again until it is settled what they achieve, within the budget."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

import numpy as np

from methods.intervention._silencing import Outcomes, Silencer, too_few
from simlab.contracts import Finding

FIRST = 10
"""Trials of a set before the first look at it; every further look doubles them."""

FEWEST = 5
"""Trials of a set that tell anything."""


class Tried:
    """The outcomes of all sets that were tried so far; a set that is tried again costs no new intervention."""

    def __init__(self, silencer: Silencer) -> None:
        self.silencer = silencer
        self._outcomes: dict[bytes, np.ndarray] = {}

    def affordable(self, silenced: np.ndarray) -> int:
        """How many trials of each of these sets (set, unit) bool the budget still buys; 0 where not one of each."""
        left = self.silencer.rig.remaining
        new = sum(bool(row.any()) and row.tobytes() not in self._outcomes for row in silenced)
        if new > left.interventions:
            return 0
        busy = max(int(silenced.any(axis=1).sum()), 1)
        trials = min(left.trials, left.seconds / self.silencer.duration * (1 + 1e-9)) / max(len(silenced), 1)
        return int(min(trials, left.perturbations / busy, 10**6))

    def share(self, decisions: int) -> float:
        """How many trials each of so many perturbed sets could get of what remains."""
        left = self.silencer.rig.remaining
        return min(left.trials, left.seconds / self.silencer.duration, left.perturbations) / max(decisions, 1)

    def more(self, silenced: np.ndarray, trials: float) -> int | Finding:
        """Tries each of these sets so many times, or as many as the budget buys, which is returned.

        An abstention where the task scores no outcome.
        """
        trials = int(min(trials, self.affordable(silenced)))
        if trials < 1 or not len(silenced):
            return 0
        outcome = self.silencer.each(silenced, np.arange(trials * len(silenced)) % len(silenced))
        if isinstance(outcome, Finding):
            return outcome
        for row, values in zip(silenced, outcome.reshape(trials, len(silenced)).T, strict=True):
            before = self._outcomes.get(row.tobytes(), np.empty(0))
            self._outcomes[row.tobytes()] = np.concatenate([before, values])
        return trials

    def of(self, silenced: np.ndarray) -> Outcomes:
        """What these sets did in all their trials: a mean of 1/2, and an error as large, for one never tried."""
        return Outcomes.of([self._outcomes.get(row.tobytes(), np.empty(0)) for row in silenced])


@dataclass(frozen=True, eq=False)
class Bar:
    """What a set must achieve to implement the behaviour, and its standard error; what all units add, and its."""

    height: float
    error: float
    gain: float
    gain_error: float

    def adds_something(self, alpha: float) -> bool:
        """Whether silencing all units costs anything, at this level, one-sided."""
        from scipy.stats import norm

        return bool(self.gain / self.gain_error > norm.isf(alpha))


def bar_at(tried: Tried, least: float, trials: float) -> Bar | Finding:
    """The bar at a share `least` of what all units add, from trials with all intact and with all silenced.

    An abstention where there is no outcome; where the budget does not buy `FEWEST` of each, no trials are done.
    """
    n = tried.silencer.n_units
    ends = np.array([np.zeros(n, bool), np.ones(n, bool)])
    if tried.affordable(ends) < FEWEST:
        return too_few(tried.silencer.rig, f"{FEWEST} trials with all units intact and with all silenced")
    done = tried.more(ends, max(trials, FEWEST))
    if isinstance(done, Finding):
        return done
    found = tried.of(ends)
    (top, bottom), (top_error, bottom_error) = found.mean, found.error
    return Bar(
        float(bottom + least * (top - bottom)), float(np.hypot(least * top_error, (1 - least) * bottom_error)),
        float(top - bottom), float(np.hypot(top_error, bottom_error)),
    )  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """Whether a set implements the behaviour; `sure` where its trials tell at the level that was asked for."""

    faithful: bool
    sure: bool
    achieved: float
    trials: int


def z_to_the_bar(found: Outcomes, bar: Bar) -> np.ndarray:
    """(set,) standard errors by which each set is above the bar."""
    return (found.mean - bar.height) / np.hypot(found.error, bar.error)


def critical(alpha: float, most: float) -> float:
    """The z at which a look decides: `alpha` two-sided, shared among the looks at `FIRST`, twice as many ... trials."""
    from scipy.stats import norm

    looks = 1 + ceil(max(log2(max(most, FIRST) / FIRST), 0))
    return float(norm.isf(alpha / looks / 2))


def settle(tried: Tried, silenced: np.ndarray, bar: Bar, alpha: float, most: float) -> Verdict:
    """Tries a set of silenced units (unit,) until it is clear of the bar, at most so many times.

    The chance that either verdict is a mistake is `alpha` where it is sure, all looks together (Bonferroni; normal
    approximation). Where the trials run out it goes by the mean, and is not sure.
    """
    one, threshold = silenced[None], critical(alpha, most)
    while True:
        found = tried.of(one)
        trials, z = int(found.trials[0]), float(z_to_the_bar(found, bar)[0])
        if trials and abs(z) > threshold:
            return Verdict(z > 0, True, float(found.mean[0]), trials)
        wanted = min(max(trials, FIRST), most - trials)
        if wanted < 1 or tried.more(one, wanted) == 0:
            return Verdict(bool(trials and z >= 0), False, float(found.mean[0]), trials)
