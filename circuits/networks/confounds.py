"""Shared input, common gain and drift of a cortical patch: its dials, made into input that its neurons get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from circuits.networks import unseen_input
from circuits.networks.unseen_input import SLOW_STEP, STEP, Mixture
from simlab.session import Session

if TYPE_CHECKING:
    from circuits.networks.cortical_patch import CorticalPatch
    from simlab.simulators.lif_theory import WorkingPoint
    from simlab.simulators.spiking import Drive

FARTHEST = 1.0
"""Most that shared input may fluctuate, in sd of a neuron's own noise: beyond, a response to first order is none."""


def mixture(circuit: CorticalPatch) -> Mixture:
    """The shared signal's time constants and shares."""
    slow = circuit.shared_slow_share
    return Mixture((circuit.shared_fast, circuit.shared_slow), (1 - slow, slow))


@dataclass(frozen=True, eq=False)
class Confounds:
    """What reaches the neurons from outside, each [V]: shared (factor, neuron), gain (neuron,), drift (source, neuron).

    Of unit-variance signals: those of `shared` belong to all, those of `drift` to one neuron each, whose rate follows.
    net (neuron,): sd of the net shared input, after the network has answered. offset (neuron,): what keeps mean rates.
    """

    circuit: CorticalPatch
    shared: np.ndarray
    gain: np.ndarray
    drift: np.ndarray
    net: np.ndarray
    offset: np.ndarray

    @classmethod
    def of(
        cls, circuit: CorticalPatch, anatomy: xr.Dataset, wired: Callable[[], tuple[WorkingPoint, np.ndarray]]
    ) -> Confounds:
        """Dials of `circuit`, in neurons of this anatomy; wired(), asked only where one is on: their working point, and
        the synapses (pre, post), as jumps of the potential [V], by which they answer."""
        n, none = circuit.n_neurons, np.zeros(circuit.n_neurons)
        shared, gain, drift = np.zeros((1, n)), none, np.zeros((1, n))
        if not (circuit.shared_drive or circuit.gain_modulation or circuit.drift):
            return cls(circuit, shared, gain, drift, none, none)
        neuron, (point, weights) = circuit.neuron, wired()
        log_gain = neuron.gain(*point.input) / np.maximum(point.rate, 1e-9)
        per_log_rate = np.minimum(1 / np.maximum(log_gain, 1e-9), FARTHEST * point.sd)  # V that change a rate by e
        net = none
        if circuit.shared_drive:
            place = np.stack([anatomy[axis].values for axis in "xyz"], axis=1)
            factors, likeness = unseen_input.smooth_factors(place, circuit.shared_reach)
            power, most = mixture(circuit).count_power(), FARTHEST * point.sd
            net = unseen_input.common_sd(circuit.shared_drive, neuron, point, likeness, power, most)
            shared = unseen_input.external(factors * net, neuron, weights, point)
        if circuit.gain_modulation:
            gain = unseen_input.external(circuit.gain_modulation * per_log_rate, neuron, weights, point)
        if circuit.drift:
            drift = unseen_input.external(np.diag(circuit.drift * per_log_rate), neuron, weights, point)
        variance = circuit.shared_slow_share * net**2
        variance += (circuit.gain_modulation**2 + circuit.drift**2) * per_log_rate**2
        offset = unseen_input.steadied(neuron, point, np.sqrt(variance))
        return cls(circuit, shared, gain, drift, net, offset)

    def drives(self, session: Session, rng: np.random.Generator) -> tuple[Drive, Drive]:
        """The signals of a session: `shared` anew in each trial, `slow` ones through all of them."""
        from simlab.simulators.spiking import Drive

        shared_rng, gain_rng, drift_rng = rng.spawn(3)
        slow = np.zeros((session.trials, 1, self.circuit.n_neurons))
        if self.circuit.gain_modulation:
            tau = self.circuit.gain_time_constant
            slow = slow + unseen_input.through_trials(session, tau, 1, gain_rng) * self.gain
        if self.circuit.drift:
            tau = self.circuit.drift_time_constant
            slow = slow + unseen_input.through_trials(session, tau, len(self.drift), drift_rng) @ self.drift
        shared = self._shared_signal(session, shared_rng)
        return (
            Drive("shared", shared, STEP, loading=self.shared, unit="volt", start=-self.circuit.burn_in),
            Drive("slow", slow, SLOW_STEP, unit="volt"),
        )

    def _shared_signal(self, session: Session, rng: np.random.Generator) -> np.ndarray:
        if not self.circuit.shared_drive:
            return np.zeros((session.trials, 1, 1))
        steps = int(np.ceil((self.circuit.burn_in + session.duration) / STEP)) + 1
        return mixture(self.circuit).paths((session.trials, steps, len(self.shared)), STEP, rng)
