"""Sufficiency by stimulation: drive one unit at a time and see whether the behaviour comes without its stimulus."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from methods.intervention._silencing import (
    SCORED,
    Length,
    Outcomes,
    Silencer,
    Strength,
    discoveries,
    p_of_losses,
    scored,
    too_few,
)
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats
from simlab.session import Perturbation, Session


@dataclass(frozen=True)
class StimulationScreen:
    """Importance of a unit = mean outcome of trials in which it alone is driven - mean outcome without.

    stimulus="withheld": both kinds of trial show nothing (NaN) where the task would show its stimulus, and what is
    tested is whether the unit can bring the behaviour about (as Salzman et al. 1990, Nature 346:174, and "sufficiency"
    in optogenetics); natural trials beside them show that withholding costs anything at all, and it abstains if not
    (one-sided, at `alpha`). stimulus="present": the unit is driven on top of it. A unit is decided where the outcome
    changes at a false discovery rate of `alpha` (normal approximation; Benjamini & Hochberg 1995).

    Cost: `trials_each` trials per unit and n interventions. It answers another question than it is held for: all that
    lies upstream or downstream of the parts brings the behaviour about too, and a part that works only with others
    does not.
    """

    name: ClassVar[str] = "stimulation_screen"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "stimulation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

    stimulus: Literal["withheld", "present"] = "withheld"
    alpha: Level = 0.05
    trials_each: Repeats = 50
    """Of each unit, if the budget allows."""
    fewest_each: Repeats = 5
    """Without which it abstains."""
    duration: Length = 1.0
    strength: Strength = 2.0
    """Of the current, in rheobases."""

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session: natural trials, trials without the stimulus, and every unit by turns."""
        n = rig.units.sizes["unit"]
        trials = min(Silencer(rig, self.duration).affordable(n, controls=2), self.trials_each)
        if trials < self.fewest_each:
            return too_few(rig, f"{self.fewest_each} trials of each of {n} units, and twice as many controls")
        session = rig.session(trials=trials * (n + 2), duration=self.duration)
        kind = np.arange(session.trials) % (n + 2)  # of trial: natural, control, then the units
        if self.stimulus == "withheld":
            if session.stimulus is None:
                return Finding.abstain("the task shows no stimulus that could be withheld")
            session = _without(session, kind > 0)
        found = self._outcomes(rig, session, kind, n)
        return found if isinstance(found, Finding) else self._finding(found)

    def _outcomes(self, rig: Rig, session: Session, kind: np.ndarray, n: int) -> Outcomes | Finding:
        pulses = [
            Perturbation(
                "stimulate", (unit,), self.strength, 0.0, self.duration,
                trials=tuple(np.flatnonzero(kind == 2 + unit).tolist()),
            )
            for unit in range(n)
        ]  # fmt: skip
        recording = rig.record(session.perturbed(*pulses))
        outcome = scored(recording)
        if isinstance(outcome, Finding):
            return outcome
        return Outcomes.of([outcome[kind == number] for number in range(n + 2)])

    def _finding(self, found: Outcomes) -> Finding:
        p = p_of_losses((float(found.mean[1]), float(found.error[1])), found)
        if self.stimulus == "withheld" and not (found.mean[0] > found.mean[1] and p[0] / 2 < self.alpha):
            return Finding.abstain(
                f"without its stimulus the outcome is {found.mean[1]:.2f}, with it {found.mean[0]:.2f}: there is "
                "nothing that driving a unit could bring back"
            )
        notes = {"natural_outcome": float(found.mean[0]), "control_outcome": float(found.mean[1]), "p": p[2:]}
        return Finding(
            {"importance": found.mean[2:] - found.mean[1], "decided": discoveries(p[2:], self.alpha)}, notes=notes
        )


def _without(session: Session, withheld: np.ndarray) -> Session:
    """The session with nothing shown in some trials (trial,) bool."""
    assert session.stimulus is not None  # for the type checker: the caller has looked
    values = session.stimulus.values.copy()
    values[withheld] = np.nan
    return replace(session, stimulus=replace(session.stimulus, values=values))
