"""Subspace patching: a direction in the space of rates along which the other condition's behaviour can be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from methods.intervention._patching import BEHAVING, Contrasted, Length, Patcher, significance
from methods.intervention._silencing import too_few
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats, Share


@dataclass(frozen=True)
class SubspacePatching:
    """Finds a unit vector v such that rates set to r(c) + v v . (r(c') - r(c)) make the behaviour of c' in c.

    direction="effect": the v of the largest effect, (b . v)(v . d), with d the difference of the conditions' mean rates
    and b the regression of the behaviour on rates of all units that are clamped at random around their means, so that
    v = b / |b| + d / |d|, normalised: what distributed alignment search ends at in a linear system, where it is trained
    by gradient (Geiger et al. 2024, CLeaR). direction="decoder": v = d / |d|, the best reader of the condition.

    The patch is then done, and the finding is an abstention unless its effect is significant and at least
    `least_effect`. Members are units of at least `large_weight` of the largest weight in v. Such a patch can
    work through a path that is dormant in the task, by moving a unit as it never moves (Makelov, Lange & Nanda 2023,
    arXiv:2311.17030): the effect tells what a direction can do, not what units do.
    """

    name: ClassVar[str] = "subspace_patching"
    question: ClassVar[str] = "circuit"
    family: ClassVar[str] = "patching"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = BEHAVING

    direction: Literal["effect", "decoder"] = "effect"
    alpha: Level = 0.05
    least_effect: Share = 0.5
    """Of the difference between the conditions' behaviours."""
    large_weight: Share = 0.5
    """Of the largest, for a unit to be a member."""
    learning_trials: Repeats = 40
    """Natural trials, in which rates and behaviours are learned."""
    probes_each: Repeats = 10
    """Trials with random rates, for each unit."""
    patched_trials: Repeats = 40
    """With the patch, and as many without."""
    duration: Length = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """A natural session, one with random rates (direction="effect"), one in which the patch is done by turns."""
        patcher = Patcher(rig, self.duration)
        probes = self.probes_each * patcher.n_units if self.direction == "effect" else 0
        clamped = probes + self.patched_trials
        trials = self.learning_trials + clamped + self.patched_trials
        share = clamped * patcher.n_units / trials
        if patcher.affordable(share, probes + 2) < trials:
            return too_few(rig, f"{trials} trials, {clamped} of them with {patcher.n_units} clamps")
        learned = patcher.learned(self.learning_trials)
        if isinstance(learned, Finding):
            return learned
        read = self._readout(patcher, learned, probes, rng) if probes else learned.difference
        if isinstance(read, Finding):
            return read
        return self._verdict(patcher, learned, _unit(_unit(read) + _unit(learned.difference)))

    def _readout(
        self, patcher: Patcher, learned: Contrasted, probes: int, rng: np.random.Generator
    ) -> np.ndarray | Finding:
        """(unit,) how far 1 Hz of each moves the behaviour from the first condition's to the second's."""
        session = patcher.session(probes)
        if isinstance(session, Finding):
            return session
        middle = learned.level.mean(axis=0)
        rates = np.maximum(middle + learned.scale * rng.standard_normal((probes, patcher.n_units)), 0.0)
        seen = patcher.record(session, rates)
        if isinstance(seen, Finding):
            return seen
        apart = learned.behaviour[1] - learned.behaviour[0]
        along = seen.behaviour @ apart / (apart @ apart)
        design = np.column_stack([np.ones(probes), rates - middle])
        return np.linalg.lstsq(design, along, rcond=None)[0][1:]

    def _verdict(self, patcher: Patcher, learned: Contrasted, v: np.ndarray) -> Finding:
        session = patcher.session(2 * self.patched_trials)
        if isinstance(session, Finding):
            return session
        place, by_turns = learned.place(np.asarray(session.conditions)), np.arange(session.trials) % 2 == 0
        other = learned.level[::-1] - learned.level
        patch = np.maximum(learned.level + np.outer(other @ v, v), 0.0)
        rates = np.where((by_turns & (place >= 0))[:, None], patch[place], np.nan)
        seen = patcher.record(session, rates)
        if isinstance(seen, Finding):
            return seen
        moved = learned.moved(seen)
        patched, control = moved[by_turns], moved[~by_turns]
        effect, p = float(np.nanmean(patched) - np.nanmean(control)), significance(patched, control)
        if p > self.alpha or effect < self.least_effect:
            return Finding.abstain(f"the direction moves the behaviour by {effect:.0%} (p = {p:.2g}) only")
        weight = np.abs(v)
        members = weight >= self.large_weight * weight.max()
        return Finding({"members": members, "score": weight}, notes={"effect": effect, "p": p, "direction": v})


def _unit(vector: np.ndarray) -> np.ndarray:
    """Of length one, or zero where it has none."""
    length = np.linalg.norm(vector)
    return vector / length if length > 0 else vector
