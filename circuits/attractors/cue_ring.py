"""Tuned while it is told, and no longer: neurons that show a cue's angle and forget it at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.attractors.ring_attractor import RingAttractor
from circuits.attractors.tuned_subject import TunedSubject, at_angles, tuning
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class CueRing:
    """Independent neurons with a ring attractor's tuning to the cue, and no memory of it.

        tau dr_i/dt = -r_i + f_i(cue)    while it is shown,    tau dr_i/dt = -r_i + mean_i    in the dark

    f: the rates of the ring's bump under a cue at its centre; mean: the average over angles of those in the dark, so
    that mean rates are those of the ring, in light and dark. tau: that of the senses. Tuning to what is
    shown, with a ring of states, says nothing of attractors: a retina has it. Trials begin settled. Spikes or rates, as
    the ring's `model` says; a neuron's rate has the noise that its own spikes make. A rate ring's inhibitory neurons
    fluctuate together besides, which no independent ones match.
    """

    name: ClassVar[str] = "cue_ring"
    mechanism: ClassVar[str] = "cue-driven tuning"
    twin_of: ClassVar[tuple[str, ...]] = ("ring_attractor",)
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity", "topology")

    like: RingAttractor = field(default_factory=RingAttractor)  # whose tuning it has
    time_constant: Annotated[float, Within(0.001, 2, "s")] = 0.05  # s (visual responses fade within tens of ms)
    interval_cv: Annotated[float, Within(0.05, 2)] = 0.5
    """Of an excitatory neuron's intervals at a steady rate: the ring's, measured (head-direction cells: .68, Taube
    2010; 1 is Poisson but for the dead time)."""
    interval_cv_inhibitory: Annotated[float, Within(0.05, 2)] = 0.75  # the ring's, measured

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds: what that of its ring does."""
        return self.like.modalities

    def imitating(self, circuit: RingAttractor) -> CueRing:
        """A copy with the tuning of this ring, and its model."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> TunedSubject:
        """One individual, numbered and placed at random."""
        return TunedSubject.placed(self, self.goals, self.time_constant, rng)

    def goals(self, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """f (trial, bin, neuron) [Hz] under angles (trial, bin) [rad], NaN in the dark."""
        lit = at_angles(self.like, np.nan_to_num(angle), lit=True)
        return np.where(np.isfinite(angle)[..., None], lit, self._resting())

    def remembered(self, angles: np.ndarray) -> np.ndarray:
        """Rates (angle, neuron) [Hz] long after these angles (angle,) were shown: the same ones."""
        return np.tile(self._resting(), (len(angles), 1))

    def _resting(self) -> np.ndarray:
        n, rates = self.like.n_excitatory, tuning(self.like)[1].copy()
        rates[:n] = rates[:n].mean()
        return rates
