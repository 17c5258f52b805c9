"""The regime of a decision by experiment: does an early push stay, and in how many states do trials end?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from methods.dynamics import _pulsed
from methods.dynamics.bimodality import Bimodality, late_projection, unimodal
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Width

WANTED = ("bistable", "line attractor", "driven")


@dataclass(frozen=True)
class PulseRegime:
    """Driven if an early push is forgotten; if it stays, bistable where trials end in two heaps, else a line attractor.

    Two heaps alone may be an input's, and memory of a push alone any integrator's; together they make the case for
    discrete attractors (Inagaki et al. 2019, Nature 566:212; Finkelstein et al. 2021, Nat Neurosci 24:843). Pushes come
    at the evidence's onset, as in `pulse_fate`, and stay if what is left at the end exceeds `z` standard errors; heaps
    are counted in unpulsed trials, as in `bimodality`. Confidence is not stated.

    A late push as a second criterion (robustness of the winner) was tried and left out: where noise makes up as
    much of a small network as here, states are relaxed to as slowly as they are left. Abstains on too small a
    budget, too few active units and a pulse that does nothing while it lasts. A network with a single fixed point
    forgets the push and is called driven.
    """

    name: ClassVar[str] = "pulse_regime"
    question: ClassVar[str] = "dynamics"
    family: ClassVar[str] = "perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=4)

    strength: Annotated[float, Within(0, 1000, "rheobases", excluding=(0,))] = 1.0
    pulse_length: Width = 0.1  # s
    baseline_share: Annotated[float, Within(0, 1, excluding=(0, 1))] = 0.5  # of the trials, without any pulse
    shortest: Width = 1.0  # s; no trial is shorter, as states are ended in slowly
    z: Annotated[float, Within(0, 10)] = 2.0  # standard errors
    level: Level = 0.05  # of the test for one heap
    n_resamples: Repeats = 200

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """Records two sessions; notes: the fate of the push, in deviations of late activity, and the p-value."""
        candidates = tuple(str(name) for name in rig.brief.get("candidates", ()))
        if not set(WANTED) <= set(candidates):
            return Finding.abstain(f"tells {', '.join(WANTED)} from one another; the candidates are {candidates}")
        seen = _pulsed.watched(
            rig, rng, strength=self.strength, length=self.pulse_length, baseline_share=self.baseline_share,
            shortest=self.shortest, units=self.needs.units,
        )  # fmt: skip
        if isinstance(seen, Finding):
            return seen
        baseline, fate, targets = seen
        notes: dict[str, object] = {
            "during": fate.during, "after": fate.after, "after_error": fate.after_error, "targets": targets,
        }  # fmt: skip
        if fate.after <= self.z * fate.after_error:
            return Finding({"label": "driven"}, notes=notes)
        p_value, _ = unimodal(late_projection(baseline, Bimodality().window), self.n_resamples, rng)
        label = "bistable" if p_value <= self.level else "line attractor"
        return Finding({"label": label}, notes=notes | {"p_of_one_heap": p_value})
