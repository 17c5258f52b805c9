"""Difference in differences: what follows a unit's answer to the light, less what came before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.intervention._pulses import (
    Contrast,
    Pulse,
    Trials,
    contrast,
    effects,
    pulse_groups,
)
from simlab.contracts import Finding, Needs, Rig
from simlab.data import in_window
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats, Share


@dataclass(frozen=True)
class DifferenceInDifferences:
    """Several units are pulsed at once; trials in which pre answered the pulse are held against those in which not.

        beta = (E[y | x = 1] - E[y | x = 0]) - (E[y0 | x = 1] - E[y0 | x = 0]),   response = beta (P1 - P0)

    x: pre fired during the pulse; y, y0: spikes of post in the window from the pulse's onset, and in one of equal
    length before it, so that what makes some trials livelier than others drops out. P1, P0: how often pre fires during
    a pulse when it is aimed at and when it is not. This is the estimator that Lepperod et al. (2023, PLoS Comput Biol
    19:e1011574) call OLS-DiD. Theirs floods the tissue with light; here groups are drawn at random, a share of the
    units for each trial, so that who else was pulsed is independent of x as far as light keeps to its targets. Trials
    in which post itself was aimed at are left out. Needs spikes: x is one. Cost: its trials, twice a window long.
    """

    name: ClassVar[str] = "difference_in_differences"
    question: ClassVar[str] = "effect"
    family: ClassVar[str] = "perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=2)

    alpha: Level = 0.05
    """False discovery rate of decided effects (Benjamini & Hochberg 1995)."""
    group_share: Share = 0.1
    """Of the units, pulsed together in a trial."""
    least_trials: Repeats = 50
    """Without which it abstains."""
    most_trials: Trials = 50_000
    """Asked for, however large the budget."""

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session; the notes give the probabilities (unit,) of answering a pulse, and of firing without it."""
        pulse, limits = Pulse.told(rig.brief), (self.least_trials, self.most_trials)
        pulsed = pulse_groups(rig, pulse, pulse.window, self.group_share, limits, rng)
        if isinstance(pulsed, Finding):
            return pulsed
        if "spike_time" not in pulsed.recording:
            return Finding.abstain("needs spikes, to see which units answered a pulse")
        change = pulsed.response - in_window(pulsed.recording, pulsed.onset - pulse.window, pulse.window)
        fired = in_window(pulsed.recording, pulsed.onset, pulse.duration) > 0
        found = contrast(change, fired, ~fired, ~pulsed.aimed)
        answers = np.array([_mean(fired[aimed, unit]) for unit, aimed in enumerate(pulsed.aimed.T)])
        alone = np.array([_mean(fired[~aimed, unit]) for unit, aimed in enumerate(pulsed.aimed.T)])
        scale = np.maximum(answers - alone, 0.0)[:, None]  # an answer is no rarer for the light: below 0 is chance
        scaled = Contrast(found.difference * scale, found.error * scale, found.freedom)
        return effects(scaled, self.alpha, answers=answers.tolist(), without=alone.tolist())


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0
