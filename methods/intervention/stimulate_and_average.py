"""The plain experiment: pulse one unit at a time and average what the others do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.intervention._pulses import (
    RESPONSES,
    Lead,
    Pulse,
    Trials,
    affordable,
    contrast,
    effects,
    pulse_units,
    too_few,
)
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class StimulateAndAverage:
    """Mean response of every unit to pulses into one, less its mean in trials without a pulse; a t test per pair.

    As in mapping connections by stimulating single neurons (Packer et al. 2012, Nat Methods 9:1202; Chettih & Harvey
    2019, Nature 567:334). Of n units each is pulsed in 1 / (n + sqrt n) of the trials and nobody in the rest, which
    serve all pairs as controls (Dunnett 1955, J Am Stat Assoc 50:1096, gives that share). The variance is pooled over
    both kinds of trial; effects are decided at a false discovery rate (Benjamini & Hochberg 1995).

    What it estimates is what the stimulation does: where light reaches other neurons too, their effects are held for
    the unit's (Lepperod et al. 2023, PLoS Comput Biol 19:e1011574). Cost: the pulses, m (n + sqrt n) for m of each.
    """

    name: ClassVar[str] = "stimulate_and_average"
    question: ClassVar[str] = "effect"
    family: ClassVar[str] = "perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = RESPONSES

    alpha: Level = 0.05
    """False discovery rate of decided effects (Benjamini & Hochberg 1995)."""
    lead: Lead = 0.01
    """What is recorded before a pulse [s]."""
    least_repeats: Repeats = 5
    """Pulses into each unit without which it abstains."""
    most_trials: Trials = 50_000
    """Asked for, however large the budget."""

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session; the notes give the pulses into each unit and the trials without one."""
        pulse, n_units = Pulse.told(rig.brief), rig.units.sizes["unit"]
        trials = affordable(rig, self.lead + pulse.window, self.most_trials)
        repeats = int(trials / (n_units + np.sqrt(n_units)))
        if repeats < self.least_repeats:
            return too_few(rig, trials, int(np.ceil(self.least_repeats * (n_units + np.sqrt(n_units)))))
        one_each = np.repeat(np.eye(n_units, dtype=bool), repeats, axis=0)
        controls = np.zeros((trials - len(one_each), n_units), dtype=bool)
        pulsed = pulse_units(rig, pulse, rng.permutation(np.concatenate([one_each, controls])), self.lead)
        if isinstance(pulsed, Finding):
            return pulsed
        alone = np.broadcast_to(~pulsed.aimed.any(axis=1, keepdims=True), pulsed.aimed.shape)
        everywhere = np.ones(pulsed.aimed.shape, dtype=bool)
        found = contrast(pulsed.response, pulsed.aimed, alone, everywhere)
        return effects(found, self.alpha, repeats=repeats, controls=len(controls))
