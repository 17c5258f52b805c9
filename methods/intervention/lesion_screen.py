"""The classical lesion study: destroy one unit for good, let the animal recover, and see what it cannot do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.intervention._silencing import (
    SCORED,
    Length,
    Outcomes,
    Silencer,
    scored,
    screened,
    too_few,
)
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats
from simlab.session import Perturbation


@dataclass(frozen=True)
class LesionScreen:
    """Importance of a unit = outcome of a session without lesion - outcome of a session in which it is destroyed.

    As `silencing_screen`, with lesions that are permanent (a session each, all trials of it) in the place of silence in
    some trials: where the animal adapts to a loss, what is measured is what it cannot do without after having adapted.
    Acute and chronic loss disagree where something takes over, and where the part only permitted (Otchy et al. 2015,
    Nature 528:358). A unit is decided where the loss is significant at a false discovery rate of `alpha`. Cost:
    `trials_each` trials per unit, and as many for the intact animal.
    """

    name: ClassVar[str] = "lesion_screen"
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

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """A session for the intact animal, then one for each lesion."""
        n = rig.units.sizes["unit"]
        trials = min(Silencer(rig, self.duration).affordable(n, controls=1), self.trials_each)
        if trials < self.fewest_each:
            return too_few(rig, f"{self.fewest_each} trials of each of {n} lesions, and of the intact animal")
        outcomes = []
        for unit in (None, *range(n)):
            session = rig.session(trials=trials, duration=self.duration)
            if unit is not None:
                session = session.perturbed(Perturbation("lesion", (unit,), 1.0, 0.0, self.duration))
            outcome = scored(rig.record(session))
            if isinstance(outcome, Finding):
                return outcome
            outcomes.append(outcome)
        return screened(Outcomes.of(outcomes), self.alpha)
