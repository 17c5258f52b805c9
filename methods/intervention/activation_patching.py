"""Activation patching: set one unit to what it does in another condition, and see how much of the behaviour follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.intervention._patching import BEHAVING, Contrasted, Length, Patcher, significance
from methods.intervention._silencing import discoveries, too_few
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats, Share


@dataclass(frozen=True)
class ActivationPatching:
    """Effect of a unit = how far the behaviour goes to that of the other condition when the unit alone is held there.

        effect_i = <y(c; unit i held at its mean rate in c') - y(c), y(c') - y(c)> / |y(c') - y(c)|^2

    An interchange intervention (Geiger et al. 2021, NeurIPS; Meng et al. 2022, NeurIPS: causal tracing; Vig et al.
    2020: causal mediation), between the two conditions whose behaviours differ most. Units stay within what they do by
    themselves, and what only permits has no effect. Members are units whose effect is significant (Welch's t test, at a
    false discovery rate `alpha`) and at least `least_effect`. Where several units must change together, or any of them
    will do, each alone shows nothing.
    """

    name: ClassVar[str] = "activation_patching"
    question: ClassVar[str] = "circuit"
    family: ClassVar[str] = "patching"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = BEHAVING

    alpha: Level = 0.05
    least_effect: Share = 0.1
    """Of the difference between the conditions' behaviours."""
    learning_trials: Repeats = 40
    """Natural trials, in which rates and behaviours are learned."""
    trials_each: Repeats = 20
    """Of each unit, and of controls, if the budget allows."""
    fewest_each: Repeats = 6
    """Without which it abstains."""
    duration: Length = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """A natural session, and one in which every unit is patched by turns, with controls in between."""
        patcher = Patcher(rig, self.duration)
        n = patcher.n_units
        trials = patcher.affordable(n / (n + 1), 2 * n)
        each = min((trials - self.learning_trials) // (n + 1), self.trials_each)
        if each < self.fewest_each:
            return too_few(
                rig, f"{self.learning_trials} natural trials and {self.fewest_each} of each of {n} patches and controls"
            )
        learned = patcher.learned(self.learning_trials)
        return learned if isinstance(learned, Finding) else self._patched(patcher, learned, each)

    def _patched(self, patcher: Patcher, learned: Contrasted, each: int) -> Finding:
        session = patcher.session(each * (patcher.n_units + 1))
        if isinstance(session, Finding):
            return session
        trial = np.arange(session.trials)
        whose = trial % (patcher.n_units + 1) - 1  # -1: control
        place = learned.place(np.asarray(session.conditions))
        rates = np.full((session.trials, patcher.n_units), np.nan)
        chosen = (whose >= 0) & (place >= 0)
        rates[trial[chosen], whose[chosen]] = learned.level[1 - place[chosen], whose[chosen]]
        seen = patcher.record(session, rates)
        if isinstance(seen, Finding):
            return seen
        moved = learned.moved(seen)
        control = moved[whose < 0]
        groups = [moved[whose == unit] for unit in range(patcher.n_units)]
        effect = np.array([np.nanmean(g) - np.nanmean(control) if np.isfinite(g).any() else 0.0 for g in groups])
        p = np.array([significance(group, control) for group in groups])
        members = discoveries(p, self.alpha) & (effect >= self.least_effect)
        return Finding({"members": members, "score": effect}, notes={"p": p, "trials_each": each})
