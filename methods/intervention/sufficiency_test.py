"""Candidates from single lesions or correlation, and the test that is mostly left out: do they suffice?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from methods.intervention._silencing import (
    SCORED,
    Length,
    Silencer,
    Strength,
    alone,
    discoveries,
    p_of_losses,
    scored,
    too_few,
)
from methods.intervention._tried import FEWEST, Tried, bar_at, settle
from simlab.contracts import Finding, Needs, Rig
from simlab.data import in_window
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats

Candidates = tuple[np.ndarray, np.ndarray]
"""Who is one (unit,) bool, and the evidence (unit,)."""


@dataclass(frozen=True)
class SufficiencyTest:
    """Silences every unit that is no candidate: if the outcome stays, the candidates are the circuit, else it abstains.

    candidates="lesions": units whose silencing alone costs outcome; "correlation": units whose activity goes with the
    outcome of a trial (Mann-Whitney). Either at a false discovery rate of `alpha` (Benjamini & Hochberg 1995), with
    half of the budget. The test, whether they achieve `least_faithfulness` (of the brief) of what all units add, gets
    the other half; its verdict has an error rate of `alpha`. That necessity is not sufficiency: Gomez-Marin 2017, Nat
    Rev Neurosci; Yoshihara & Yoshihara 2018, J Neurogenet 32:53.

    Cost: n + 2 interventions. It abstains where candidates do not suffice, as where units replace one another, and does
    not ask whether all of them are needed: correlates of the behaviour may be among them.
    """

    name: ClassVar[str] = "sufficiency_test"
    question: ClassVar[str] = "circuit"
    family: ClassVar[str] = "lesion"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

    candidates: Literal["lesions", "correlation"] = "lesions"
    alpha: Level = 0.05
    trials_each: Repeats = 200
    """Of each single lesion; 200 n for correlations."""
    most_each: Repeats = 320
    """Of the test."""
    duration: Length = 1.0
    strength: Strength = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """A session to find candidates, and a few to test them."""
        tried = Tried(Silencer(rig, self.duration, self.strength))
        found = self._by_lesions(tried) if self.candidates == "lesions" else self._by_correlation(tried)
        if isinstance(found, Finding):
            return found
        chosen, evidence = found
        if not chosen.any():
            return Finding.abstain(f"no unit is a candidate by {self.candidates}: there is nothing to test")
        bar = bar_at(tried, rig.brief.get("least_faithfulness", 0.8), min(self.most_each, tried.share(3)))
        if isinstance(bar, Finding):
            return bar
        verdict = settle(tried, ~chosen, bar, self.alpha, self.most_each)
        if not verdict.faithful:
            sure = "" if verdict.sure else ", so far"
            return Finding.abstain(
                f"the {int(chosen.sum())} candidates by {self.candidates} do not suffice: alone they achieve "
                f"{verdict.achieved:.2f}, and {bar.height:.2f} is asked for{sure}"
            )
        notes = {"sure": verdict.sure, "achieved": verdict.achieved}
        return Finding({"members": chosen, "score": evidence}, notes=notes)

    def _by_lesions(self, tried: Tried) -> Candidates | Finding:
        n = tried.silencer.n_units
        sets = np.concatenate([np.zeros((1, n), bool), alone(n)])
        trials = min(self.trials_each, tried.affordable(sets) // 2)
        if trials < FEWEST:
            return too_few(tried.silencer.rig, f"{2 * FEWEST} trials of each of {n} units, and as many controls")
        done = tried.more(sets, trials)
        if isinstance(done, Finding):
            return done
        found = tried.of(sets)
        p = p_of_losses((float(found.mean[0]), float(found.error[0])), found)[1:]
        lost = found.mean[0] - found.mean[1:]
        return discoveries(p, self.alpha) & (lost > 0), lost

    def _by_correlation(self, tried: Tried) -> Candidates | Finding:
        from scipy.stats import mannwhitneyu

        rig, n = tried.silencer.rig, tried.silencer.n_units
        control = np.zeros((1, n), bool)
        trials = min(self.trials_each * n, tried.affordable(control) // 2)
        if trials < 2 * FEWEST:
            return too_few(rig, f"{4 * FEWEST} trials")
        recording = rig.record(rig.session(trials=trials, duration=self.duration))
        outcome = scored(recording)
        if isinstance(outcome, Finding):
            return outcome
        activity = in_window(recording, 0.0, self.duration)
        good = outcome > outcome.mean()
        if good.all() or not good.any():
            return Finding.abstain("the outcome never varies: nothing can go with it")
        p = mannwhitneyu(activity[good], activity[~good], axis=0).pvalue
        difference = activity[good].mean(axis=0) - activity[~good].mean(axis=0)
        return discoveries(np.nan_to_num(p, nan=1.0), self.alpha), np.abs(difference)
