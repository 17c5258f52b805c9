"""Adaptive discovery: silence one more unit as long as the behaviour survives; what cannot go is the circuit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.intervention._silencing import SCORED, Length, Outcomes, Silencer, Strength, too_few
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class Pruning:
    """Goes through the units in a random order and leaves each one silenced for good if the behaviour can do without.

    Backward elimination, as circuits are found in artificial networks (ACDC: Conmy et al. 2023, NeurIPS). A unit can go
    if, with it and all that went before silenced, the outcome is still at least `least_faithfulness` (told in the
    brief) of what all units add: (v(S) - v(none)) / (v(all) - v(none)), with v from `trials_each` trials. It ends at
    one minimal circuit of those that there are, after n interventions for n units, if noise does not mislead it. Score:
    1 for what stayed, and of the rest, more for what went later. Where silencing all units costs nothing that is
    significant at `alpha` (one-sided, normal approximation), nobody is needed and nothing is pruned.
    """

    name: ClassVar[str] = "pruning"
    question: ClassVar[str] = "circuit"
    family: ClassVar[str] = "circuit search"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

    alpha: Level = 0.05
    trials_each: Repeats = 100
    """Of each intervention, if the budget allows."""
    fewest_each: Repeats = 5
    """Without which it abstains."""
    duration: Length = 1.0
    strength: Strength = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """A session for the two ends, all intact and all silenced, then one for each unit."""
        silencer = Silencer(rig, self.duration, self.strength)
        n = silencer.n_units
        trials = min(silencer.affordable(n + 1, controls=1), self.trials_each)
        if trials < self.fewest_each:
            return too_few(rig, f"{self.fewest_each} trials of each of {n + 1} interventions, and as many controls")
        ends = silencer.outcomes(np.array([np.zeros(n, bool), np.ones(n, bool)]), trials)
        if isinstance(ends, Finding):
            return ends
        if not significant_gain(ends, self.alpha):
            return Finding({"members": np.zeros(n, bool), "score": np.zeros(n)}, notes={"trials_each": trials})
        least = rig.brief.get("least_faithfulness", 0.8) * (ends.mean[0] - ends.mean[1]) + ends.mean[1]
        gone = np.zeros(n, bool)
        order: list[int] = []
        for unit in rng.permutation(n):
            trial = gone.copy()
            trial[unit] = True
            found = silencer.outcomes(trial[None], trials)
            if isinstance(found, Finding):
                return found
            if found.mean[0] >= least:
                gone, order = trial, [*order, unit]
        score = np.where(gone, 0.0, 1.0)
        score[order] = 0.5 * np.arange(len(order)) / max(len(order), 1)
        return Finding({"members": ~gone, "score": score}, notes={"trials_each": trials})


def significant_gain(ends: Outcomes, alpha: float) -> bool:
    """Whether the outcome is surely better with all units, the first set, than without any, the second."""
    from scipy.stats import norm

    return bool(ends.mean[0] - ends.mean[1] > norm.isf(alpha) * np.hypot(*ends.error))
