"""Forward search: all units silenced, the one that helps most is released, and so on until the behaviour is back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.intervention._silencing import SCORED, Length, Silencer, Strength
from methods.intervention._tried import FEWEST, Bar, Tried, bar_at, settle
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class GreedySearch:
    """Starts with every unit silenced and releases, step by step, the one with which the outcome is best.

    Forward selection, as sets of lesions or of model components are built up one by one. After each step the released
    set is tried until it is clear whether it achieves `least_faithfulness` (of the brief) of what all units add, at an
    error rate of `alpha` for each such verdict; then it ends. Which unit helps most is by the means of `trials_each`
    trials and has no error rate: it is a ranking, and the winner's trials count in the verdict too. Score: of the
    released, more for the earlier ones.

    Cost: n (n + 1) / 2 sets at most. What it misses: units that only help together. Where every single one alone brings
    nothing (a and b and c), its first choices are chance, and what it ends with works but need not be minimal.
    """

    name: ClassVar[str] = "greedy_search"
    question: ClassVar[str] = "circuit"
    family: ClassVar[str] = "circuit search"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

    alpha: Level = 0.05
    trials_each: Repeats = 50
    """Of each candidate, if the budget allows."""
    most_each: Repeats = 320
    """Of a released set whose faithfulness is in doubt."""
    duration: Length = 1.0
    strength: Strength = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """A session for each step; where the budget ends first, abstains with what had been released."""
        tried = Tried(Silencer(rig, self.duration, self.strength))
        n = tried.silencer.n_units
        bar = bar_at(tried, rig.brief.get("least_faithfulness", 0.8), self._trials(tried, n))
        if isinstance(bar, Finding):
            return bar
        if not bar.adds_something(self.alpha):
            return nothing_added(bar, n, self.alpha)
        order: list[int] = []
        while len(order) < n:
            best = self._best(tried, n, order, rng)
            if best is None:
                return Finding.abstain(f"the budget ended with units {order} released, which do not bring it back")
            order.append(best)
            if self._enough(tried, n, order, bar):
                break
        members = np.isin(np.arange(n), order)
        score = np.zeros(n)
        score[order] = np.linspace(1.0, 0.5, len(order))
        return Finding({"members": members, "score": score}, notes={"order": order})

    def _trials(self, tried: Tried, sets: int) -> float:
        """Trials of each set when so many units are still silenced: no step should eat what later ones need."""
        return min(self.trials_each, tried.share(sets * (sets + 1) // 2 + 2 * sets))

    def _best(self, tried: Tried, n: int, order: list[int], rng: np.random.Generator) -> int | None:
        """The unit to release next, ties broken at random; None where the budget does not buy `FEWEST` of each."""
        rest = [unit for unit in range(n) if unit not in order]
        silenced = np.array([[u not in order and u != unit for u in range(n)] for unit in rest])
        trials = max(self._trials(tried, len(rest)), FEWEST)
        if tried.affordable(silenced) < FEWEST or not tried.more(silenced, trials):
            return None
        return rest[int(np.lexsort((rng.random(len(rest)), -tried.of(silenced).mean))[0])]

    def _enough(self, tried: Tried, n: int, order: list[int], bar: Bar) -> bool:
        silenced = ~np.isin(np.arange(n), order)
        most = min(self.most_each, tried.share(n + 1 - len(order)) / 2 + int(tried.of(silenced[None]).trials[0]))
        return settle(tried, silenced, bar, self.alpha, most).faithful or not silenced.any()


def nothing_added(bar: Bar, n_units: int, alpha: float, little: float = 0.1) -> Finding:
    """Where silencing all units costs nothing that could be seen: an empty circuit, if little can have been missed."""
    from scipy.stats import norm

    at_most = bar.gain + float(norm.isf(alpha)) * bar.gain_error
    if at_most > little:
        return Finding.abstain(
            f"silencing all {n_units} units costs {bar.gain:.2f} of the outcome, and at most {at_most:.2f}: neither "
            "nothing nor enough to search for the parts of it"
        )
    return Finding(
        {"members": np.zeros(n_units, bool), "score": np.zeros(n_units)}, notes={"all_units_add_at_most": at_most}
    )
