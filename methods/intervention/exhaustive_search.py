"""All sets of units in the order of their sizes, until one of them brings the behaviour back by itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import ClassVar

import numpy as np

from methods.intervention._silencing import SCORED, Length, Silencer, Strength
from methods.intervention._tried import FEWEST, FIRST, Bar, Tried, bar_at, critical, z_to_the_bar
from methods.intervention.greedy_search import nothing_added
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats

MOST_SETS = 4096
"""Of one size: more are not tried at once."""


@dataclass(frozen=True)
class ExhaustiveSearch:
    """Silences all units but those of each set, smallest sets first, and stops at the first size with a faithful one.

    The only search that cannot be led astray by interactions, at exponential cost. A set is tried until its outcome is
    clear of what `least_faithfulness` (of the brief) of all that the units add would be, by looks at 10, 20, 40, ...
    trials that share their error rate: a set is turned down at a rate of `alpha`, and of all sets of a size that are
    not faithful one is accepted at a rate of `alpha` (Bonferroni). Of several that are accepted the best is the answer;
    it is a smallest circuit. Score: 1 for members, and for others half of the most that a set with them achieved.

    Cost: the sum of C(n, k) interventions up to the size k of the smallest circuit. It abstains where the budget ends
    before any set is faithful, if none looks so far as if it were; where it allows only some of the sets of a size,
    these are drawn at random.
    """

    name: ClassVar[str] = "exhaustive_search"
    question: ClassVar[str] = "circuit"
    family: ClassVar[str] = "circuit search"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

    alpha: Level = 0.05
    most_each: Repeats = 640
    """Trials of a set that is in doubt."""
    trials_ends: Repeats = 100
    """With all units intact and with all silenced; a tenth of the budget each at most."""
    duration: Length = 1.0
    strength: Strength = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """Several sessions for each size."""
        tried = Tried(Silencer(rig, self.duration, self.strength))
        n = tried.silencer.n_units
        bar = bar_at(tried, rig.brief.get("least_faithfulness", 0.8), min(self.trials_ends, tried.share(10)))
        if isinstance(bar, Finding):
            return bar
        if not bar.adds_something(self.alpha):
            return nothing_added(bar, n, self.alpha)
        most = np.zeros(n)  # that a set with the unit achieved
        for size in range(1, n + 1):
            if size == n:
                return _answer(np.ones(n, bool), most, {"size": n, "sure": True})  # the behaviour itself
            if comb(n, size) > MOST_SETS:
                return Finding.abstain(f"there are {comb(n, size)} sets of {size} units: too many to try")
            sets = rng.permutation(_of_size(n, size))[: int(min(rig.remaining.interventions, MOST_SETS))]
            if not len(sets):
                break
            found, sure, ended = self._tried(tried, sets, bar)
            most = np.maximum(most, np.where(sets, tried.of(~sets).mean[:, None], 0.0).max(axis=0))
            if found is not None:
                return _answer(sets[found], most, {"size": size, "sure": sure})
            if ended:
                break
        return Finding.abstain(f"the budget ended among the sets of {size} units: none of them is known to be faithful")

    def _tried(self, tried: Tried, sets: np.ndarray, bar: Bar) -> tuple[int | None, bool, bool]:
        """The faithful one of sets of intact units (set, unit), if any; whether it is sure; whether the budget ended.

        Where trials run out a set that is above the bar counts as faithful, and is not sure.
        """
        turned_down, accepted = critical(self.alpha, self.most_each), critical(self.alpha / len(sets), self.most_each)
        open_ = np.ones(len(sets), bool)
        trials, ended = FIRST, False
        while open_.any():
            ended = tried.more(~sets[open_], trials) == 0
            found = tried.of(~sets)
            z = np.where(found.trials > 0, z_to_the_bar(found, bar), -np.inf)
            if (z > accepted).any():
                return int(np.argmax(np.where(z > accepted, found.mean, -np.inf))), True, False
            open_ &= (z >= -turned_down) & (found.trials < self.most_each)
            trials = int(found.trials.max(initial=FIRST))
            if ended:
                break
        likely = (z > 0) & (found.trials >= FEWEST)
        return (int(np.argmax(np.where(likely, z, -np.inf))) if likely.any() else None), False, ended


def _of_size(n: int, size: int) -> np.ndarray:
    """(set, unit) bool: all sets of a size."""
    chosen = np.array(list(combinations(range(n), size)))
    return (chosen[:, :, None] == np.arange(n)).any(axis=1)


def _answer(members: np.ndarray, most: np.ndarray, notes: dict[str, object]) -> Finding:
    return Finding({"members": members, "score": np.where(members, 1.0, most / 2)}, notes=notes)
