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
    areas_of,
    over_units,
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
    With `whole_areas` all units of an area (`unit_region`) are silenced together, as a drug or cooling does; each gets
    an equal share of the loss.
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
    whole_areas: bool = False

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session: every part by turns, and controls in between."""
        silencer = Silencer(rig, self.duration, self.strength)
        parts = areas_of(rig.units, self.whole_areas)
        trials = min(silencer.affordable(len(parts), controls=1), self.trials_each)
        if trials < self.fewest_each:
            what = "areas" if self.whole_areas else "units"
            return too_few(rig, f"{self.fewest_each} trials of each of {len(parts)} {what}, and as many controls")
        nobody = np.zeros((1, silencer.n_units), bool)
        found = silencer.outcomes(np.concatenate([nobody, parts]), trials)
        return found if isinstance(found, Finding) else over_units(screened(found, self.alpha), parts)
