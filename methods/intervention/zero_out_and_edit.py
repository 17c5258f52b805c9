"""Does localising a behaviour tell where to change it? Take units out, then edit inside and outside of those missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np

from methods.intervention._patching import BEHAVING, Contrasted, Length, Patcher, significance
from methods.intervention._silencing import discoveries, too_few
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Share

NATURAL = "the task scores no outcome: there is no behaviour whose parts could be found"


@dataclass(frozen=True)
class ZeroOutAndEdit:
    """Members are the units without which the outcome falls, if no edit outside of them does as well as one inside.

    First every unit by turns is held at its mean over conditions (taken_out="mean") or at 0 Hz ("zero"): those with a
    significant loss are the localised part. Then every unit by turns is edited: held at `edits` rates, spaced evenly
    over `reach` changes of the size that the task makes, to either side of its mean, and the best rate, chosen in one
    half of the trials, is scored in the other by how far the behaviour goes to that of the other condition, 1 at most.
    Where a unit outside reaches `as_well` of what the best inside does, localisation does not tell where the
    behaviour can be changed (Hase et al. 2023, NeurIPS: they are unrelated in language models), and the method abstains
    and says so; the notes have all effects.
    """

    name: ClassVar[str] = "zero_out_and_edit"
    question: ClassVar[str] = "circuit"
    family: ClassVar[str] = "patching"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = BEHAVING

    taken_out: Literal["mean", "zero"] = "mean"
    alpha: Level = 0.05
    edits: Annotated[int, Within(2, 100)] = 6
    """Rates that each unit is held at."""
    reach: Annotated[float, Within(0.1, 100)] = 2.0
    """Of the edits, in root mean square differences of the units' rates between the conditions."""
    as_well: Share = 0.8
    learning_trials: Repeats = 40
    """Natural trials, in which rates and behaviours are learned."""
    trials_each: Repeats = 30
    """Of each unit taken out, if the budget allows, and as many controls."""
    edit_trials: Repeats = 8
    """Of each unit at each rate."""
    duration: Length = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """A natural session, one in which units are taken out, one in which they are edited."""
        patcher = Patcher(rig, self.duration)
        n = patcher.n_units
        clamped = n * (self.trials_each + self.edits * self.edit_trials)
        trials = self.learning_trials + self.trials_each + clamped
        if patcher.affordable(clamped / trials, n * (self.edits + 1)) < trials:
            return too_few(rig, f"{trials} trials, {clamped} of them with a clamp")
        learned = patcher.learned(self.learning_trials)
        if isinstance(learned, Finding):
            return learned
        p = self._losses(patcher, learned)
        effect = p if isinstance(p, Finding) else self._edited(patcher, learned)
        if isinstance(p, Finding) or isinstance(effect, Finding):
            return p if isinstance(p, Finding) else effect  # type: ignore[return-value]
        return self._verdict(discoveries(p[0], self.alpha) & (p[1] > 0), p[1], effect)

    def _losses(self, patcher: Patcher, learned: Contrasted) -> tuple[np.ndarray, np.ndarray] | Finding:
        """(unit,) p and size of the loss of outcome without each unit."""
        session = patcher.session(self.trials_each * (patcher.n_units + 1))
        if isinstance(session, Finding):
            return session
        whose, trial = np.arange(session.trials) % (patcher.n_units + 1) - 1, np.arange(session.trials)
        level = learned.level.mean(axis=0) * (self.taken_out == "mean")
        rates = np.full((session.trials, patcher.n_units), np.nan)
        rates[trial[whose >= 0], whose[whose >= 0]] = level[whose[whose >= 0]]
        seen = patcher.record(session, rates)
        if isinstance(seen, Finding):
            return seen
        if seen.outcome is None:
            return Finding.abstain(NATURAL)
        control = seen.outcome[whose < 0]
        groups = [seen.outcome[whose == unit] for unit in range(patcher.n_units)]
        p = np.array([significance(group, control) for group in groups])
        return p, control.mean() - np.array([group.mean() for group in groups])

    def _edited(self, patcher: Patcher, learned: Contrasted) -> np.ndarray | Finding:
        """(unit,) how far the best edit of each moves the behaviour, in trials that did not choose it."""
        n, edits = patcher.n_units, self.edits
        session = patcher.session(n * edits * self.edit_trials)
        if isinstance(session, Finding):
            return session
        trial = np.arange(session.trials)
        whose, which = trial % n, trial // n % edits
        steps = self.reach * learned.scale * np.linspace(-1, 1, edits)
        rates = np.full((session.trials, n), np.nan)
        rates[trial, whose] = np.maximum(learned.level.mean(axis=0)[whose] + steps[which], 0.0)
        seen = patcher.record(session, rates)
        if isinstance(seen, Finding):
            return seen
        moved, place = np.minimum(learned.moved(seen), 1.0), learned.place(seen.condition)
        return np.array([np.mean([_best(moved, which, (whose == u) & (place == c)) for c in (0, 1)]) for u in range(n)])

    def _verdict(self, localised: np.ndarray, loss: np.ndarray, effect: np.ndarray) -> Finding:
        if not localised.any():
            return Finding.abstain("no unit is missed when it alone is taken out: there is nothing to edit outside of")
        inside, outside = effect[localised].max(), max(effect[~localised], default=0.0)
        if outside >= self.as_well * inside:
            return Finding.abstain(
                f"an edit outside the localised units {np.flatnonzero(localised).tolist()} moves the behaviour by "
                f"{outside:.0%}, one inside by {inside:.0%}: localisation does not tell where it can be changed"
            )
        notes = {"loss": loss, "edit_effect": effect}
        return Finding({"members": localised, "score": loss}, notes=notes)


def _best(moved: np.ndarray, which: np.ndarray, mine: np.ndarray) -> float:
    """The mean effect of the best of several edits, chosen in every other trial of `mine` and read in the rest."""
    trials = [np.flatnonzero(mine & (which == edit)) for edit in np.unique(which)]
    halves = [(moved[each[::2]].mean(), moved[each[1::2]].mean()) for each in trials if len(each) > 1]
    return float(max(halves, default=(0.0, 0.0), key=lambda half: half[0])[1])
