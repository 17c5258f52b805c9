"""Multi-perturbation analysis in full: every set of units is silenced, and the Shapley values are sums over all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.intervention._shapley import MOST_UNITS, all_sets, p_beyond
from methods.intervention._silencing import (
    SCORED,
    Length,
    Silencer,
    Strength,
    areas_of,
    discoveries,
    over_units,
    too_few,
)
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class ShapleyExact:
    """Importance of a unit = its Shapley value in v(S), the mean outcome with S intact and all other units silenced.

    All 2^n sets, each `trials_each` times or as often as the budget buys, so that no chance is in which sets were tried
    and all of it in the trials (Keinan et al. 2004, Neural Comput 16:1887). The standard errors are those of the
    weighted sums. A unit is decided where its magnitude is beyond `negligible` (of the brief) of what all units add, at
    a false discovery rate of `alpha` (normal approximation; Benjamini & Hochberg 1995).

    Cost: 2^n - 1 interventions, which is why it abstains beyond 16 units or with too small a budget. What it misses:
    nothing of this game; but a stimulator that hits others, or an animal that recovers, plays another one. With
    `whole_areas` the players are areas (`unit_region`), whose units are silenced together and share alike.
    """

    name: ClassVar[str] = "shapley_exact"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "multi-perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

    alpha: Level = 0.05
    trials_each: Repeats = 1000
    """Of each set, if the budget allows."""
    fewest_each: Repeats = 3
    """Without which it abstains."""
    duration: Length = 1.0
    strength: Strength = 1.0
    whole_areas: bool = False

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session, or as many as it takes, of all sets by turns."""
        silencer = Silencer(rig, self.duration, self.strength)
        parts = areas_of(rig.units, self.whole_areas)
        n = len(parts)
        if n > MOST_UNITS:
            return Finding.abstain(f"all sets of {n} units are too many: it tries those of at most {MOST_UNITS}")
        trials = min(silencer.affordable(2**n - 1, controls=1), self.trials_each)
        if trials < self.fewest_each:
            return too_few(
                rig, f"{self.fewest_each} trials of each of {2**n - 1} sets of {n} units, and as many controls"
            )
        design = all_sets(n)
        found = silencer.outcomes(~design.intact @ parts, trials)
        if isinstance(found, Finding):
            return found
        value, error = design.weights @ found.mean, np.sqrt(design.weights**2 @ found.error**2)
        gain = abs(float(found.mean[-1] - found.mean[0]))
        p = p_beyond(value, error, rig.brief.get("negligible", 0.0) * gain)
        notes = {"standard_error": error, "p": p, "trials_each": trials}
        return over_units(Finding({"importance": value, "decided": discoveries(p, self.alpha)}, notes=notes), parts)
