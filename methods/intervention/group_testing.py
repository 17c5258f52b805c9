"""Adaptive group testing: silence half of the units at once, and halve only what the behaviour cannot do without."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from methods.intervention._silencing import SCORED, Length, Silencer, Strength
from methods.intervention._tried import FEWEST, Bar, Tried, bar_at, settle
from methods.intervention.greedy_search import nothing_added
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class GroupTesting:
    """Silences groups for good: one whose silencing leaves the outcome good enough is gone, any other is halved.

    Binary splitting of the adaptive kind (Hwang 1972, J Am Stat Assoc 67:605; Aldridge et al. 2019, Found Trends Commun
    Inf Theory 15:196), on the complement as in delta debugging (Zeller & Hildebrandt 2002, IEEE Trans Softw Eng
    28:183): every test is made with all that is gone silenced too, so that of several units with one function the last
    is kept.
    If one half may go and both may not, the other half holds a member and is not tested as a whole. What remains is
    a minimal circuit if no verdict was wrong and silencing more never helps.

    A group may go if the outcome is at least `least_faithfulness` (of the brief) of what all units add; each verdict
    has an error rate of `alpha` where its trials suffice. Cost: about k log2(n / k) interventions for k members of n
    units, against n of pruning. Where the budget ends, what was not tested stays: it suffices and may not be minimal.
    Score: 1 for members, and of the rest, more for what went later.
    """

    name: ClassVar[str] = "group_testing"
    question: ClassVar[str] = "circuit"
    family: ClassVar[str] = "circuit search"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

    alpha: Level = 0.05
    most_each: Repeats = 320
    """Trials of a group, if the budget allows; groups that are clear take fewer."""
    duration: Length = 1.0
    strength: Strength = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """A session or a few for each group; halves are drawn at random."""
        tried = Tried(Silencer(rig, self.duration, self.strength))
        n = tried.silencer.n_units
        bar = bar_at(tried, rig.brief.get("least_faithfulness", 0.8), min(self.most_each, tried.share(2 * n + 2)))
        if isinstance(bar, Finding):
            return bar
        if not bar.adds_something(self.alpha):
            return nothing_added(bar, n, self.alpha)
        search = _Search(tried, bar, self.alpha, self.most_each, rng.permutation(n))
        search.run()
        score = np.where(search.gone, 0.0, 1.0)
        score[search.order] = 0.5 * np.arange(len(search.order)) / max(len(search.order), 1)
        notes = {"tests": search.tests, "unsure": search.unsure, "untested": search.untested}
        return Finding({"members": ~search.gone, "score": score}, notes=notes)


@dataclass
class _Search:
    """What is gone, and the groups that are still to be split: of each it is known that it cannot go as a whole."""

    tried: Tried
    bar: Bar
    alpha: float
    most: int
    units: np.ndarray
    order: list[int] = field(default_factory=list)  # of going
    tests: int = 0
    unsure: int = 0
    untested: int = 0

    def __post_init__(self) -> None:
        self.gone = np.zeros(len(self.units), bool)
        self.left = len(self.units)  # units whose fate is open

    def run(self) -> None:
        self._split(self.units)

    def _split(self, group: np.ndarray) -> None:
        """Finds the members in a group that cannot go as a whole."""
        if len(group) == 1:
            self.left -= 1
            return
        first, second = np.array_split(group, 2)
        if self._goes(first):
            self._split(second)
            return
        self._split(first)
        if not self._goes(second):
            self._split(second)

    def _goes(self, group: np.ndarray) -> bool:
        """Tests a group on top of all that is gone, and lets it go if the behaviour survives."""
        silenced = self.gone.copy()
        silenced[group] = True
        if self.tried.affordable(silenced[None]) < FEWEST:
            self.untested += len(group) if len(group) == 1 else 0
            return False
        most = min(self.most, max(self.tried.share(2 * self.left), FEWEST))
        verdict = settle(self.tried, silenced, self.bar, self.alpha, most)
        self.tests += 1
        self.unsure += not verdict.sure
        if verdict.faithful:
            self.gone, self.left = silenced, self.left - len(group)
            self.order += group.tolist()
        return verdict.faithful
