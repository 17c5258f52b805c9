"""The verdict by experiment: push a decision before it is taken, and see whether the push is still there at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from methods.dynamics import _pulsed
from methods.dynamics._decisions import ATTRACTOR, LEAST, MOST, RAMPING, STEPPING, among
from methods.dynamics.step_or_ramp import StepOrRamp
from methods.intervention.perturb_and_watch import persistence_probability
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width

TOLD = (ATTRACTOR, RAMPING, STEPPING)


@dataclass(frozen=True)
class PulseFate:
    """Stimulates units of one side at the evidence's onset; what stays of it at the trial's end speaks for an
    attractor.

    A network that decides by its own feedback keeps or amplifies a brief push given while it is undecided (Wang 2002;
    Kopec et al. 2015, Neuron 88:367; Finkelstein et al. 2021, Nat Neurosci 24:843); neurons that follow a latent kept
    elsewhere forget it within their membranes' time. A first, unpulsed session gives the axis of choice (main axis of
    late activity) and the units to push. What is left at the end, against unpulsed trials of the same conditions, is
    compared between "nothing" and "any amount up to one standard deviation of late activity", all alike. Where it was
    forgotten, a model comparison (`steps`) of the unpulsed trials says whether the latent ramps or steps.

    Abstains on too small a budget, too few active units and a pulse that does nothing while it lasts.
    """

    name: ClassVar[str] = "pulse_fate"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=4)

    strength: Annotated[float, Within(0, 1000, "rheobases", excluding=(0,))] = 1.0
    pulse_length: Width = 0.1  # s (Kopec et al. 2015: 250 ms; Finkelstein et al. 2021: 400 ms)
    baseline_share: Annotated[float, Within(0, 1, excluding=(0, 1))] = 0.5  # of the trials, without any pulse
    shortest: Width = 0.6  # s; no trial is shorter
    steps: StepOrRamp = field(default_factory=StepOrRamp)

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """Records two sessions; notes: the fate of the pulse, in standard deviations of late activity, and targets."""
        refusal = among(rig.brief, {}, {}, TOLD)
        if refusal.abstained:
            return refusal
        seen = _pulsed.watched(
            rig, rng, strength=self.strength, length=self.pulse_length, baseline_share=self.baseline_share,
            shortest=self.shortest, units=self.needs.units,
        )  # fmt: skip
        if isinstance(seen, Finding):
            return seen
        return self._verdict(dict(rig.brief), *seen, rng)

    def _verdict(
        self, told: dict[str, Any], baseline: xr.Dataset, fate: _pulsed.Fate, targets: tuple[int, ...],
        rng: np.random.Generator,
    ) -> Finding:  # fmt: skip
        stays = persistence_probability(1.0, fate.after, fate.after_error, max(fate.pulsed - 1, 1))
        stays = float(np.clip(stays, LEAST, MOST))
        ramping = self._ramping(baseline.assign_attrs(brief=told), rng)
        notes: dict[str, object] = {
            "during": fate.during, "after": fate.after, "after_error": fate.after_error, "targets": targets,
            "pulsed_trials": fate.pulsed, "ramping_if_forgotten": ramping,
        }  # fmt: skip
        weights = {ATTRACTOR: stays, RAMPING: (1 - stays) * ramping, STEPPING: (1 - stays) * (1 - ramping)}
        return among(told, weights, notes, TOLD)

    def _ramping(self, baseline: xr.Dataset, rng: np.random.Generator) -> float:
        """The chance of ramps if the pulse was forgotten, by models of unpulsed trials; even where they cannot tell."""
        if baseline.sizes["trial"] < self.steps.needs.trials:
            return 0.5
        compared = self.steps.analyse(baseline, rng)
        if compared.abstained:
            return 0.5
        names = [str(name) for name in baseline.attrs["brief"]["candidates"]]
        return float(compared.estimate["probability"][names.index(RAMPING)])
