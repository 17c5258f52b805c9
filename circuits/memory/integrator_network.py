"""Two sides of spiking neurons that hold each other's difference: their wiring, as spikes or as mean-field rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from circuits.attractors.ring_network import EQUATIONS, SPONTANEOUS, padded
from circuits.memory.remembered import CUE, INTERVAL, shown
from simlab.data import activity
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork
    from simlab.simulators.spiking import SpikingNetwork

VALUES = np.linspace(-1.25, 1.25, 51)
"""Values at which the wiring is fitted: those that are shown, -1 to 1, and a margin for what noise adds."""

RIDGE = 1.0
"""Penalty on large weights, relative to the mean squared rate: many small synapses make less noise than a few, and at
this all neurons take part."""

RATE_DT = 2e-3
"""Euler step [s] of the mean-field rates: a fifth of the inhibitory synapses' time constant."""


@dataclass(frozen=True, eq=False)
class IntegratorNetwork:
    """Integrate-and-fire neurons joined by `weights` (pre, post) [V s].

    excitatory (neuron,): of which kind each neuron is. slope (neuron,) [V]: change of its drive per unit of the value,
    positive on the one side. bias (neuron,) [V]: drive besides that of the recorded synapses. noise_source (neuron,):
    with whom it shares its background (see the engines).
    """

    circuit: Any  # a SpikingIntegrator, whose parameters these are
    weights: np.ndarray
    excitatory: np.ndarray
    slope: np.ndarray
    bias: np.ndarray
    noise_source: np.ndarray

    @property
    def size(self) -> int:
        """How many neurons there are, upstream ones among them."""
        return len(self.weights)

    @property
    def synaptic_time_constant(self) -> np.ndarray:
        """(neuron,) [s], of the synapses that each neuron makes."""
        c = self.circuit
        return np.where(self.excitatory, c.excitatory_time_constant, c.inhibitory_time_constant)

    def cue(self, values: np.ndarray) -> np.ndarray:
        """How much (...,) a cue adds to the value that neurons hear, to move it by `values` in `CUE`; 0 where NaN."""
        return np.nan_to_num(np.asarray(values, dtype=float)) * self.circuit.integration / CUE

    def spiking(self) -> SpikingNetwork:
        """Its neurons and synapses for the spiking engine: a spike adds weight / synaptic time constant."""
        from simlab.simulators.spiking import Population, SpikingNetwork, SynapseSet

        c, jump = self.circuit, self.weights / self.synaptic_time_constant[:, None]
        start = np.linspace(c.reset, c.threshold, self.size, endpoint=False)[self.noise_source]
        neurons = Population(
            n_neurons=self.size, equations=EQUATIONS, threshold="v > v_threshold", reset="v = v_reset",
            refractory="silence",
            parameters={
                "rest": c.rest, "v_threshold": c.threshold, "v_reset": c.reset, "rheobase": c.rheobase,
                "noise": c.noise, "bias": self.bias, "tau_excitation": c.excitatory_time_constant,
                "tau_inhibition": c.inhibitory_time_constant, "tau": np.full(self.size, c.membrane_time_constant),
                "silence": np.full(self.size, c.refractory),
            },
            initial={"v": start},
        )  # fmt: skip
        pairs = {"excitation": np.nonzero(jump > 0), "inhibition": np.nonzero(jump < 0)}
        synapses = tuple(
            SynapseSet(pre, post, jump[pre, post], c.delay, target=target) for target, (pre, post) in pairs.items()
        )
        return SpikingNetwork((neurons,), synapses, self.noise_source, 1.0, name=c.name)

    def rates(self) -> RateNetwork:
        """The same neurons as noise-free rates [Hz], each low-passed by the synapses that it makes."""
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import integrate_and_fire

        c = self.circuit
        neuron = (c.threshold - c.rest, c.reset - c.rest, c.membrane_time_constant, c.refractory, c.noise, c.dt)
        return RateNetwork(
            self.weights, self.synaptic_time_constant, integrate_and_fire, neuron, bias=self.bias, rheobase=c.rheobase
        )

    def simulate(self, session: Session, rng: np.random.Generator, recorded: np.ndarray) -> xr.Dataset:
        """The activity of the recorded neurons (indices)."""
        from simlab.simulators.spiking import Drive, simulate

        signal = np.pad(self.cue(shown(session)), ((0, 0), (1, 1)))[..., None]  # nothing before the trial, nor after
        cue = Drive("cue", signal, INTERVAL, self.slope[None], "volt", start=-INTERVAL)
        whole = padded(session, recorded, self.size)
        spikes = simulate(self.spiking(), whole, rng, drives=(cue,), burn_in=SPONTANEOUS, dt=self.circuit.dt)
        place = np.full(self.size, -1)
        place[recorded] = np.arange(len(recorded))
        trial, time, neuron = spikes.columns
        seen = place[neuron] >= 0
        result = activity(session, len(recorded), spikes=(trial[seen], time[seen], place[neuron[seen]]))
        return result.assign_attrs(engine=spikes.engine)


def decoders(rates: np.ndarray, slope: float) -> np.ndarray:
    """Weights d >= 0 (neuron,) for which d . rates(value) is slope x value and a constant, as nearly as may be.

    rates (value, neuron) [Hz] at `VALUES`. Non-negative least squares with a ridge: the decoders of the neural
    engineering framework (Eliasmith & Anderson 2003), for neurons that obey Dale's law.
    """
    from scipy.optimize import nnls

    centred, aim = rates - rates.mean(axis=0), slope * (VALUES - VALUES.mean())
    ridge = np.sqrt(RIDGE * len(VALUES) * np.square(centred).mean()) * np.eye(rates.shape[1])
    found, _ = nnls(np.concatenate([centred, ridge]), np.concatenate([aim, np.zeros(len(ridge))]))
    reached = centred @ found
    return found * (reached @ aim) / max(reached @ reached, 1e-300)


def columns(rates: np.ndarray, slope: float, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`decoders` for each hearer (neuron, hearer), and what they give beside the slope (hearer,).

    own (hearer,): which of the neurons it is, or -1. Nobody hears itself; the others' weights make up for it.
    """
    found = decoders(rates, slope)
    rises = np.linalg.lstsq(np.stack([VALUES, np.ones(len(VALUES))], axis=1), rates, rcond=None)[0][0] * found
    weights = np.tile(found[:, None], (1, len(own)))
    hearer = np.flatnonzero(own >= 0)
    weights[own[hearer], hearer] = 0.0
    if rises.any():
        weights[:, hearer] *= rises.sum() / (rises.sum() - rises[own[hearer]])
    return weights, rates.mean(axis=0) @ weights
