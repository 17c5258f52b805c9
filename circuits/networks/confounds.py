"""Shared input, common gain and drift of a cortical patch: its dials, made into input that its neurons get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from circuits.networks import unseen_input
from circuits.networks.unseen_input import SLOW_STEP, STEP, Mixture
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import LIF, WorkingPoint
    from simlab.simulators.spiking import Drive

FARTHEST = 1.0
"""Most that shared input may fluctuate, in sd of a neuron's own noise: beyond, a response to first order is none."""


@dataclass(frozen=True)
class Dials:
    """The dials of a cortical patch, under the names and in the units of its fields."""

    shared_drive: float = 0.0
    shared_fast: float = 5e-3
    shared_slow: float = 100e-3
    shared_slow_share: float = 0.7
    shared_reach: float = 1e-3
    gain_modulation: float = 0.0
    gain_time_constant: float = 2.0
    drift: float = 0.0
    drift_time_constant: float = 60.0

    @classmethod
    def of(cls, circuit: Any) -> Dials:
        """Those of a circuit that has fields of these names."""
        return cls(**{each.name: getattr(circuit, each.name) for each in fields(cls)})

    @property
    def mixture(self) -> Mixture:
        """The shared signal's time constants and shares."""
        slow = self.shared_slow_share
        return Mixture((self.shared_fast, self.shared_slow), (1 - slow, slow))


@dataclass(frozen=True, eq=False)
class Confounds:
    """What reaches the neurons from outside, each [V]: shared (factor, neuron), gain (neuron,), drift (source, neuron).

    Of unit-variance signals: those of `shared` belong to all, those of `drift` to one neuron each, whose rate follows.
    net (neuron,): sd of the net shared input, after the network has answered. offset (neuron,): what keeps mean rates.
    """

    dials: Dials
    shared: np.ndarray
    gain: np.ndarray
    drift: np.ndarray
    net: np.ndarray
    offset: np.ndarray

    @classmethod
    def of(
        cls, dials: Dials, neuron: LIF, anatomy: xr.Dataset, wired: Callable[[], tuple[WorkingPoint, np.ndarray]]
    ) -> Confounds:
        """What dials come to in neurons of this anatomy.

        wired(), asked only where one is on: the neurons' working point, and the synapses (pre, post), as jumps of the
        potential [V], by which they answer.
        """
        n = anatomy.sizes["neuron"]
        none = np.zeros(n)
        shared, gain, drift = np.zeros((1, n)), none, np.zeros((1, n))
        if not (dials.shared_drive or dials.gain_modulation or dials.drift):
            return cls(dials, shared, gain, drift, none, none)
        point, weights = wired()
        log_gain = neuron.gain(*point.input) / np.maximum(point.rate, 1e-9)
        per_log_rate = np.minimum(1 / np.maximum(log_gain, 1e-9), FARTHEST * point.sd)  # V that change a rate by e
        net = none
        if dials.shared_drive:
            place = np.stack([anatomy[axis].values for axis in "xyz"], axis=1)
            factors, likeness = unseen_input.smooth_factors(place, dials.shared_reach)
            power, most = dials.mixture.count_power(), FARTHEST * point.sd
            net = unseen_input.common_sd(dials.shared_drive, neuron, point, likeness, power, most)
            shared = unseen_input.external(factors * net, neuron, weights, point)
        if dials.gain_modulation:
            gain = unseen_input.external(dials.gain_modulation * per_log_rate, neuron, weights, point)
        if dials.drift:
            drift = unseen_input.external(np.diag(dials.drift * per_log_rate), neuron, weights, point)
        variance = dials.shared_slow_share * net**2
        variance += (dials.gain_modulation**2 + dials.drift**2) * per_log_rate**2
        offset = unseen_input.steadied(neuron, point, np.sqrt(variance))
        return cls(dials, shared, gain, drift, net, offset)

    def drives(self, session: Session, burn_in: float, rng: np.random.Generator) -> tuple[Drive, Drive]:
        """The signals of a session: `shared` anew in each trial, `slow` ones through all of them."""
        from simlab.simulators.spiking import Drive

        shared_rng, gain_rng, drift_rng = rng.spawn(3)
        slow = np.zeros((session.trials, 1, len(self.gain)))
        if self.dials.gain_modulation:
            tau = self.dials.gain_time_constant
            slow = slow + unseen_input.through_trials(session, tau, 1, gain_rng) * self.gain
        if self.dials.drift:
            tau = self.dials.drift_time_constant
            slow = slow + unseen_input.through_trials(session, tau, len(self.drift), drift_rng) @ self.drift
        shared = self._shared_signal(session, burn_in, shared_rng)
        return (
            Drive("shared", shared, STEP, loading=self.shared, unit="volt", start=-burn_in),
            Drive("slow", slow, SLOW_STEP, unit="volt"),
        )

    def _shared_signal(self, session: Session, burn_in: float, rng: np.random.Generator) -> np.ndarray:
        if not self.dials.shared_drive:
            return np.zeros((session.trials, 1, 1))
        steps = int(np.ceil((burn_in + session.duration) / STEP)) + 1
        return self.dials.mixture.paths((session.trials, steps, len(self.shared)), STEP, rng)
