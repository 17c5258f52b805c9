"""The screen: silence one unit at a time and see what the behaviour loses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.intervention._silencing import (
    SCORED,
    Length,
    Silencer,
    Strength,
    alone,
    screened,
    too_few,
)
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class SilencingScreen:
    """Importance of a unit = mean outcome of control trials - mean outcome of trials in which it alone is silenced.

    The single-lesion screen, by which most parts of most brains got their functions. A unit is decided where the loss
    is significant (normal approximation) at a false discovery rate of `alpha` (Benjamini & Hochberg 1995). It misses
    what has a substitute, and credits what only permits. Cost: `trials_each` trials per unit, as many again as control.
    """

    name: ClassVar[str] = "silencing_screen"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "lesion"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

    alpha: Level = 0.05
    trials_each: Repeats = 50
    """Of each unit, if the budget allows."""
    fewest_each: Repeats = 5
    """Without which it abstains."""
    duration: Length = 1.0
    strength: Strength = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session: every unit by turns, and controls in between."""
        silencer = Silencer(rig, self.duration, self.strength)
        n = silencer.n_units
        trials = min(silencer.affordable(n, controls=1), self.trials_each)
        if trials < self.fewest_each:
            return too_few(rig, f"{self.fewest_each} trials of each of {n} units, and as many controls")
        found = silencer.outcomes(np.concatenate([np.zeros((1, n), bool), alone(n)]), trials)
        return found if isinstance(found, Finding) else screened(found, self.alpha)
