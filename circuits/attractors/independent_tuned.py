"""Tuned and independent: neurons told an angle by somebody, each firing on its own, as irregularly as it is set to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.attractors.ring_attractor import RingAttractor
from circuits.attractors.tuned_subject import WIDTH, TunedSubject, at_angles
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class IndependentTuned:
    """Independent neurons with a ring attractor's tuning to an angle that is kept for them, without an error.

        tau dr_i/dt = -r_i + f_i(angle(t)),    angle: the cue's last one, in the dark with `diffusion`

    f: the rates of the ring's bump, under a cue and in the dark; tau: its slow synapses'. Given the angle, neurons
    are independent renewal processes (gamma, with a dead time) of the stated irregularity. With diffusion 0 the
    states form a ring, the angle outlasts the cue, and trials with one cue share nothing but it: no noise
    correlations, no drift. Of a ring of rates, as rates: each with the noise that its own spikes make.
    """

    name: ClassVar[str] = "independent_tuned"
    mechanism: ClassVar[str] = "independent tuned neurons"
    twin_of: ClassVar[tuple[str, ...]] = ("ring_attractor",)
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity", "topology")

    like: RingAttractor = field(default_factory=RingAttractor)  # whose tuning it has
    interval_cv: Annotated[float, Within(0.05, 2)] = 0.5
    """Of an excitatory neuron's intervals at a steady rate: the ring's, measured (head-direction cells: .68, Taube
    2010; 1 is Poisson but for the dead time)."""
    interval_cv_inhibitory: Annotated[float, Within(0.05, 2)] = 0.75  # the ring's, measured
    diffusion: Annotated[float, Within(0, 100, "rad^2/s")] = 0.0  # of the angle in the dark

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds: what that of its ring does."""
        return self.like.modalities

    def imitating(self, circuit: RingAttractor) -> IndependentTuned:
        """A copy with the tuning of this ring, and its model."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> TunedSubject:
        """One individual, numbered and placed at random."""
        return TunedSubject.placed(self, self.goals, self.like.excitatory_time_constant, rng)

    def goals(self, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """f (trial, bin, neuron) [Hz] under angles (trial, bin) [rad], NaN in the dark; never shown: any angle."""
        told, lit = self.kept(angle, rng), np.isfinite(angle)[..., None]
        return np.where(lit, at_angles(self.like, told, lit=True), at_angles(self.like, told))

    def remembered(self, angles: np.ndarray) -> np.ndarray:
        """Rates (angle, neuron) [Hz] long after these angles (angle,) were shown, if none diffuses."""
        return at_angles(self.like, angles)

    def kept(self, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The angle (trial, bin) [rad] that the neurons are told: what is shown, and else what was, diffusing."""
        dark = np.isnan(angle)
        index = np.maximum.accumulate(np.where(dark, -1, np.arange(angle.shape[1])), axis=1)
        never = rng.uniform(0, 2 * np.pi, (len(angle), 1))
        last = np.where(index < 0, never, np.take_along_axis(np.nan_to_num(angle), np.maximum(index, 0), axis=1))
        if self.diffusion == 0:
            return last
        walk = np.cumsum(rng.normal(0, np.sqrt(self.diffusion * WIDTH), angle.shape) * dark, axis=1)
        since = np.take_along_axis(walk, np.maximum(index, 0), axis=1) * (index >= 0)
        return last + walk - since
