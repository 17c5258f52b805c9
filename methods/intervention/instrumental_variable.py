"""Instrumental variable: a unit that has just fired cannot answer the light, and that is nearly random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.intervention._pulses import (
    Contrast,
    Pulse,
    Pulsed,
    Trials,
    contrast,
    effects,
    pulse_groups,
)
from simlab.contracts import Finding, Needs, Rig
from simlab.data import in_window
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats, Share, Width


@dataclass(frozen=True)
class InstrumentalVariable:
    """Wald's estimator, with pre's refractory state when the pulse comes as the instrument; several units are pulsed.

        beta = dY / dX,   dV = (E[V | z = 0] - E[V | z = 1]) in trials that aim at pre, less the same in the others
        response = beta (E[x | aimed at] - E[x | not])

    z = 1: pre fired in the last `refractory` seconds before the pulse, and so answers it with fewer spikes, whatever
    the light does to others at the same time (Lepperod et al. 2023, PLoS Comput Biol 19:e1011574, IV-DiD; Wald 1940).
    x: spikes of pre during the pulse; y: spikes of post in the window. The second difference takes out what the spike
    that made pre refractory does to post by itself, and what made it fire. Theirs is over time, before and after the
    light; it is over trials here, since in a window of some 50 ms that spike's effect comes after the pulse's onset.

    A neuron of 5 Hz is refractory in 2% of the trials, of which x changes by less than one spike: the instrument is
    weak, and takes tens of thousands of trials where a contrast of trials takes hundreds. Where dX is within two
    standard errors of zero the unit's effects are not tested. The standard error is that of dY alone, as usual under
    a strong instrument. Trials in which post itself was aimed at are left out. Needs spikes.
    """

    name: ClassVar[str] = "instrumental_variable"
    question: ClassVar[str] = "effect"
    family: ClassVar[str] = "perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=2)

    alpha: Level = 0.05
    """False discovery rate of decided effects (Benjamini & Hochberg 1995)."""
    refractory: Width = 4e-3
    """How long a spike impairs the answer to a pulse [s] (Lepperod et al. 2023: 4 ms)."""
    group_share: Share = 0.5
    """Of the units, pulsed together in a trial; the rest are the second difference's."""
    least_refractory: Repeats = 10
    """Trials in which a unit was refractory without which none of its effects is tested."""
    least_trials: Repeats = 50
    """Without which it abstains."""
    most_trials: Trials = 50_000
    """Asked for, however large the budget."""

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session; the notes give dX of each unit (unit,) and its standard error."""
        pulse, limits = Pulse.told(rig.brief), (self.least_trials, self.most_trials)
        lead = max(2 * self.refractory, pulse.duration)
        pulsed = pulse_groups(rig, pulse, lead, self.group_share, limits, rng)
        if isinstance(pulsed, Finding):
            return pulsed
        if "spike_time" not in pulsed.recording:
            return Finding.abstain("needs spikes, to see which units were refractory")
        return self._wald(pulsed)

    def _wald(self, pulsed: Pulsed) -> Finding:
        recording, aimed = pulsed.recording, pulsed.aimed
        refractory = in_window(recording, pulsed.onset - self.refractory, self.refractory) > 0
        spikes = in_window(recording, pulsed.onset, pulsed.pulse.duration)
        outcome = _second_difference(pulsed.response, refractory, aimed, ~aimed)
        everywhere = np.ones(aimed.shape, dtype=bool)
        own = _second_difference(spikes, refractory, aimed, everywhere)
        moved, moved_error = np.diag(own.difference), np.diag(own.error)
        alike = _second_difference(spikes, refractory, aimed, ~aimed, of="pre").difference  # in the trials of outcome
        enough = (refractory & aimed).sum(axis=0) >= self.least_refractory
        strong = enough & (np.nan_to_num(moved) > 2 * np.nan_to_num(moved_error, nan=np.inf))
        if not strong.any():
            return Finding.abstain(
                f"no unit answers less when it is refractory, in the {int((refractory & aimed).sum(axis=0).max())} "
                "trials at most in which one was: the instrument is too weak, record more trials"
            )
        light = np.diag(contrast(spikes, aimed, ~aimed, everywhere).difference)[:, None]
        able = strong[:, None] & (np.nan_to_num(alike) > 0)
        scale = np.where(able, light / np.where(able, alike, 1.0), np.nan)
        found = Contrast(outcome.difference * scale, outcome.error * np.abs(scale), outcome.freedom)
        notes = {"answer_lost": np.nan_to_num(moved).tolist(), "its_error": np.nan_to_num(moved_error).tolist()}
        return effects(found, self.alpha, **notes)


def _second_difference(
    values: np.ndarray, refractory: np.ndarray, aimed: np.ndarray, used: np.ndarray, of: str = "post"
) -> Contrast:
    """Of values (trial, post) between trials in which pre was free and refractory: where aimed at, less elsewhere."""
    first = contrast(values, ~refractory & aimed, refractory & aimed, used, of)
    second = contrast(values, ~refractory & ~aimed, refractory & ~aimed, used, of)
    error = np.sqrt(first.error**2 + second.error**2)
    return Contrast(first.difference - second.difference, error, np.minimum(first.freedom, second.freedom))
