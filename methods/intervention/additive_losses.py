"""The usual inference from single lesions to many: what was lost one at a time is lost together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.intervention._prediction import prediction, to_predict
from methods.intervention._silencing import SCORED, Length, Silencer, Strength, alone, too_few
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Repeats


@dataclass(frozen=True)
class AdditiveLosses:
    """Predicted outcome of a set = control outcome - the sum of the losses of its units, each silenced alone; in 0..1.

    The screen's own reading of itself: parts contribute independently. Two parts of which either will do are each worth
    nothing to it, and so is the pair; two parts that need each other are charged for twice. Intervals take the losses'
    standard errors, none for the assumption. Cost: `trials_each` trials of each unit and of controls.
    """

    name: ClassVar[str] = "additive_losses"
    question: ClassVar[str] = "intervention_response"
    family: ClassVar[str] = "lesion"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

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
        wanted = to_predict(rig.brief, n)
        if isinstance(wanted, Finding):
            return wanted
        trials = min(silencer.affordable(n, controls=1), self.trials_each)
        if trials < self.fewest_each:
            return too_few(rig, f"{self.fewest_each} trials of each of {n} units, and as many controls")
        found = silencer.outcomes(np.concatenate([np.zeros((1, n), bool), alone(n)]), trials)
        if isinstance(found, Finding):
            return found
        outcome = found.mean[0] - wanted @ (found.mean[0] - found.mean[1:])
        size = wanted.sum(axis=1)
        error = np.sqrt(((1 - size) * found.error[0]) ** 2 + wanted @ found.error[1:] ** 2)
        return prediction(outcome, error, control_outcome=float(found.mean[0]), trials_each=trials)
