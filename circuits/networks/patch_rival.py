"""`common_drive` as the rival of a cortical patch: its neurons and its world, without a synapse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xarray as xr

from circuits.networks import patch_neurons, unseen_input
from circuits.networks.confounds import Confounds, Dials
from circuits.networks.unseen_input import Mixture
from simlab import truths
from simlab.data import mean_rates
from simlab.session import Session

if TYPE_CHECKING:
    from circuits.networks.cortical_patch import CorticalPatch, CorticalPatchSubject
    from simlab.simulators.lif_theory import LIF, WorkingPoint

PROBE = Session(2, 2.0)
"""In which the twin's rates are counted: 320 and 80 neurons fire some 8,000 and 4,500 times."""


class Signals(NamedTuple):
    """What is asked of shared signals: mean count correlation (None: the twin's), times `strength`; time constants."""

    correlation: float | None
    strength: float
    mixture: Mixture


@dataclass(frozen=True, eq=False)
class PatchRival:
    """The neurons of one patch, each with noise that has the mean, size and colour of all its input there.

    Mean-field theory gives each neuron's input and rate; by as much as the rates of a kind of neurons differ in a short
    simulation of the twin from theory, their means are moved. Shared signals make the mean count correlation that
    linear response theory finds in the twin's network, and what its `shared_drive` adds, or `correlation`; gain and
    drift are the twin's. How correlations vary over pairs is not matched.
    """

    name: str
    like: CorticalPatch
    matched: WorkingPoint
    confounds: Confounds
    latency: np.ndarray
    anatomy: xr.Dataset

    @classmethod
    def of(
        cls, name: str, twin: CorticalPatchSubject, signals: Signals, latency: np.ndarray, rng: np.random.Generator
    ) -> PatchRival:
        """The rival of one twin; latency (neuron,) [s], of the shared signals."""
        like = twin.circuit
        point = _moved(twin, rng)
        asked = signals.correlation
        dials = Dials.of(like)
        if asked is None:
            asked = like.shared_drive + _own_correlation(twin)
        if signals.correlation is not None or not like.shared_drive:
            (fast, slow), (_, share) = signals.mixture.time_constants, signals.mixture.shares
            dials = replace(dials, shared_fast=fast, shared_slow=slow, shared_slow_share=share)
        dials = replace(dials, shared_drive=asked * signals.strength)
        cut = np.zeros_like(twin.weights)
        confounds = Confounds.of(dials, like.neuron, twin.anatomy, lambda: (point, cut))
        return cls(name, like, point, confounds, latency, twin.anatomy)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.spiking import SpikingNetwork, simulate

        like, point = self.like, self.matched
        shared, slow = self.confounds.drives(session, like.burn_in, rng.spawn(1)[0])
        if self.latency.any():
            shared = unseen_input.late(shared, self.latency)
        # The current whose free potential has this filtering, and the same power at low frequencies.
        current = point.sd / np.maximum(point.filtering, 1e-9)
        tau_noise = like.membrane_time_constant * np.square(point.filtering)
        mean = point.mean + self.confounds.offset
        neurons = patch_neurons.population(
            like.n_neurons, like.neuron, like.rest, like.inhibitory_decay, mean, current, tau_noise
        )
        network = SpikingNetwork((neurons,), name=self.name)
        spikes = simulate(network, session, rng, drives=(shared, slow), burn_in=like.burn_in, dt=like.dt)
        return spikes.activity(session, like.n_neurons)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: no synapse at all."""
        n = self.like.n_neurons
        return truths.among(self.name, question, {"connectivity": lambda: truths.no_wiring(n)})


def _own_correlation(twin: CorticalPatchSubject) -> float:
    """Mean over pairs of what the network alone makes, at least 0."""
    from simlab.simulators.lif_theory import count_correlations

    matrix = count_correlations(twin.circuit.neuron, twin.jumps, twin.working_point)
    return max(0.0, float(np.nanmean(matrix[np.triu_indices(len(matrix), 1)])))


def _moved(twin: CorticalPatchSubject, rng: np.random.Generator) -> WorkingPoint:
    """The twin's working point, at rates that are as high, over each kind of neurons, as simulated ones."""
    from simlab.simulators.lif_theory import WorkingPoint

    plain = replace(twin, circuit=replace(twin.circuit, shared_drive=0.0, gain_modulation=0.0, drift=0.0))
    counted, point = mean_rates(plain.run(PROBE, rng)), twin.working_point
    wanted, kinds = point.rate.copy(), twin.circuit.cell_types()
    for kind in ("E", "I"):
        mine = kinds == kind
        if mine.any() and point.rate[mine].mean() > 0:
            wanted[mine] *= np.clip(counted[mine].mean() / point.rate[mine].mean(), 0.5, 2.0)
    mean = _mean_for(twin.circuit.neuron, point, wanted)
    return WorkingPoint(wanted, mean, point.sd, point.filtering)


def _mean_for(neuron: LIF, point: WorkingPoint, wanted: np.ndarray) -> np.ndarray:
    """(neuron,) [V]: mean input at which neurons fire at the wanted rates."""
    mean = point.mean
    for _ in range(6):
        rate, gain = neuron.rate(mean, point.sd, point.filtering), neuron.gain(mean, point.sd, point.filtering)
        mean = mean + rate / np.maximum(gain, 1e-12) * np.log(np.maximum(wanted, 1e-9) / np.maximum(rate, 1e-9))
    return mean
