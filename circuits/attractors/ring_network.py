"""What the ring circuits share: one set of weights, run as spiking neurons or as rates, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import activity
from simlab.session import EFFECTS, Effect, Session, Stimulus, effects_on

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork
    from simlab.simulators.spiking import SpikingNetwork

EQUATIONS = """
dv/dt = (rest - v + bias + cue + excitation + inhibition + rheobase*perturbation)/tau
        + noise*sqrt(2/(tau*dt))*eta : volt (unless refractory)
dexcitation/dt = -excitation/tau_excitation : volt
dinhibition/dt = -inhibition/tau_inhibition : volt
rest : volt (shared, constant)
v_threshold : volt (shared, constant)
v_reset : volt (shared, constant)
rheobase : volt (shared, constant)
noise : volt (shared, constant)
tau_excitation : second (shared, constant)
tau_inhibition : second (shared, constant)
bias : volt (constant)
tau : second (constant)
silence : second (constant)
"""

RATE_DT = 2e-3
"""Euler step [s] of the rate version: a fifth of its shortest time constant."""

RATE_INTERVAL = 0.01
"""Sampling interval [s] of stored rates: a tenth of the bump's time constant."""

ACTIVE = 0.1
"""Rate [Hz] below which a neuron adds nothing to a bump's noise, and has no spikes whose regularity could matter."""

SPONTANEOUS = 0.3
"""Burn-in [s] before each trial, three of the slowest synaptic time constants; the cue is already on."""


def wrap(angle: np.ndarray) -> np.ndarray:
    """Angles into -pi..pi."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def footprint(distance: np.ndarray, reach: float) -> np.ndarray:
    """(1 + cos(pi d / reach)) / 2 within reach, zero beyond and where the distance is NaN."""
    near = np.abs(distance) < reach
    return np.where(near, (1 + np.cos(np.pi * np.where(near, distance, 0.0) / reach)) / 2, 0.0)


@dataclass(frozen=True, eq=False)
class RingNetwork:
    """Integrate-and-fire neurons joined by `weights`, some of which have a place on a ring and see the cue.

    weights (pre, post) [V s] are drives per rate: excitatory if positive, inhibitory if negative. excitatory
    (neuron,): of which kind each neuron is. angle (neuron,) [rad]: its place on the ring, NaN where it has none.
    cued (neuron,): whether the cue reaches it. noise_source, noise_share: with whom it shares its background
    (see the engines).
    """

    circuit: Any  # a RingAttractor, whose parameters these are
    weights: np.ndarray
    excitatory: np.ndarray
    angle: np.ndarray
    cued: np.ndarray
    noise_source: np.ndarray
    noise_share: float = 1.0

    @property
    def size(self) -> int:
        """How many neurons there are, upstream ones among them."""
        return len(self.weights)

    def _by_kind(self, excitatory: float, inhibitory: float) -> np.ndarray:
        return np.where(self.excitatory, excitatory, inhibitory)

    @property
    def synaptic_time_constant(self) -> np.ndarray:
        """(neuron,) [s], of the synapses that each neuron makes."""
        return self._by_kind(self.circuit.excitatory_time_constant, self.circuit.inhibitory_time_constant)

    def spiking(self) -> SpikingNetwork:
        """Its neurons and synapses for the spiking engine: a spike adds weight / synaptic time constant."""
        from simlab.simulators.spiking import Population, SpikingNetwork, SynapseSet

        c = self.circuit
        jump = self.weights / self.synaptic_time_constant[:, None]
        pairs = [np.nonzero(jump > 0), np.nonzero(jump < 0)]
        neurons = Population(
            n_neurons=self.size,
            equations=EQUATIONS,
            threshold="v > v_threshold",
            reset="v = v_reset",
            refractory="silence",
            parameters={
                "rest": c.rest, "v_threshold": c.threshold, "v_reset": c.reset, "rheobase": c.rheobase,
                "noise": c.noise, "bias": self._by_kind(c.drive_e, c.drive_i),
                "tau_excitation": c.excitatory_time_constant, "tau_inhibition": c.inhibitory_time_constant,
                "tau": self._by_kind(c.membrane_time_constant_e, c.membrane_time_constant_i),
                "silence": self._by_kind(c.refractory_e, c.refractory_i),
            },
            initial={"v": self._start()},
        )  # fmt: skip
        synapses = tuple(
            SynapseSet(pre, post, jump[pre, post], c.delay, target=target)
            for (pre, post), target in zip(pairs, ("excitation", "inhibition"), strict=True)
        )
        return SpikingNetwork((neurons,), synapses, self.noise_source, self.noise_share, name=self.circuit.name)

    def _start(self) -> np.ndarray:
        """Membrane potentials (neuron,) [V] spread between reset and threshold, alike in neurons that share noise."""
        return np.linspace(self.circuit.reset, self.circuit.threshold, self.size, endpoint=False)[self.noise_source]

    def rates(self, fano: float | np.ndarray = 0.0) -> RateNetwork:
        """The same neurons as rates, each low-passed by the synapses that it makes; noise-free if fano is zero."""
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import integrate_and_fire

        return RateNetwork(
            self.weights,
            self.synaptic_time_constant,
            integrate_and_fire,
            self._neuron_parameters(),
            bias=self._by_kind(self.circuit.drive_e, self.circuit.drive_i),
            shot_noise=fano,
            rheobase=self.circuit.rheobase,
            noise_source=self.noise_source,
            noise_share=self.noise_share,
        )

    def _neuron_parameters(self) -> tuple[float | np.ndarray, ...]:
        """Of `integrate_and_fire`: threshold, reset, time constant, refractory period, noise, dt."""
        c = self.circuit
        tau = self._by_kind(c.membrane_time_constant_e, c.membrane_time_constant_i)
        silence = self._by_kind(c.refractory_e, c.refractory_i)
        return c.threshold - c.rest, c.reset - c.rest, tau, silence, c.noise, c.dt

    def fano(self, state: np.ndarray) -> np.ndarray:
        """Fano factor (neuron,) of each kind's spikes, weighted by rate, while resting at a state (neuron,) [Hz].

        In long windows it is the squared coefficient of variation of the intervals between spikes.
        """
        from simlab.simulators.lif_theory import LIF

        c, result = self.circuit, np.empty(self.size)
        drive = state @ self.weights + self._by_kind(c.drive_e, c.drive_i)
        times = ((c.membrane_time_constant_e, c.refractory_e), (c.membrane_time_constant_i, c.refractory_i))
        for (tau, silence), kind in zip(times, (self.excitatory, ~self.excitatory), strict=True):
            active = kind & (state > ACTIVE)
            neuron = LIF(tau, c.threshold - c.rest, c.reset - c.rest, silence, c.dt)
            variation = neuron.interval_cv(drive[active], np.full(active.sum(), c.noise))
            result[kind] = np.average(variation**2, weights=state[active])
        return result

    def cue(self, values: np.ndarray) -> np.ndarray:
        """The drive (..., neuron) [V] of a cue shown at angles (...,) [rad]; zero where NaN."""
        distance = wrap(np.asarray(values, dtype=float)[..., None] - self.angle)
        return self.circuit.cue_strength * footprint(distance, self.circuit.cue_reach) * self.cued

    def states(self, angles: np.ndarray, duration: float = 1.0) -> np.ndarray:
        """Where the noise-free rates are (angle, neuron) [Hz], `duration` [s] after a cue at these angles has gone."""
        from simlab.simulators.rates import settle

        rates, start = self.rates(), np.zeros((len(angles), self.size))
        shown = settle(rates, start, duration=SPONTANEOUS, dt=RATE_DT, current=self.cue(angles))
        return settle(rates, shown, duration=duration, dt=RATE_DT)

    def diffusion(self) -> float:
        """How fast spiking noise makes a remembered direction diffuse [rad^2/s]: variance per time, to first order.

        White noise of intensity F_i r_i on each neuron, projected on the direction in which the bump moves freely,

            D = sum_i (u_i / tau_i)^2 F_i r_i,    J' u = 0,   u . dx/dangle = 1

        with J the Jacobian at the bump x (Burak & Fiete 2012, PNAS 109:17645).
        """
        turn = 2 * np.pi / self.circuit.n_excitatory
        before, state, after = self.states(np.array([-turn, 0.0, turn]))
        values, vectors = np.linalg.eig(self.rates().jacobian(state).T)
        free = np.real(vectors[:, np.argmin(np.abs(values))])
        free = free / (free @ (after - before) / (2 * turn))
        return float(np.sum((free / self.synaptic_time_constant) ** 2 * self.fano(state) * state))

    def simulate(self, session: Session, rng: np.random.Generator, recorded: np.ndarray) -> xr.Dataset:
        """The activity of the recorded neurons (indices), as spikes or, if the circuit says so, as rates [Hz]."""
        whole = padded(session, recorded, self.size)
        run = self._simulate_spikes if self.circuit.model == "spiking" else self._simulate_rates
        return run(session, whole, rng, recorded)

    def _shown(self, session: Session) -> tuple[np.ndarray, float]:
        """The cue's drive (trial, step, neuron) [V] and the length of a step [s]; dark from the stimulus' end on."""
        if session.stimulus is None:
            return np.zeros((session.trials, 1, self.size)), session.duration
        if session.stimulus.features != ("angle",):
            raise SimlabError(f"a ring is shown one feature, 'angle' [rad], got {session.stimulus.features}")
        cue = self.cue(session.stimulus.values[:, :, 0])
        return np.concatenate([cue, np.zeros_like(cue[:, :1])], axis=1), session.stimulus.interval

    def _simulate_spikes(
        self, session: Session, whole: Session, rng: np.random.Generator, recorded: np.ndarray
    ) -> xr.Dataset:
        from simlab.simulators.spiking import Drive, simulate

        signal, interval = self._shown(session)
        drive = Drive("cue", signal, interval, unit="volt")
        spikes = simulate(self.spiking(), whole, rng, drives=(drive,), burn_in=SPONTANEOUS, dt=self.circuit.dt)
        place = np.full(self.size, -1)
        place[recorded] = np.arange(len(recorded))
        trial, time, neuron = spikes.columns
        seen = place[neuron] >= 0
        result = activity(session, len(recorded), spikes=(trial[seen], time[seen], place[neuron[seen]]))
        return result.assign_attrs(engine=spikes.engine)

    def _simulate_rates(
        self, session: Session, whole: Session, rng: np.random.Generator, recorded: np.ndarray
    ) -> xr.Dataset:
        from jax import __version__ as jax_version

        from simlab.simulators.rates import simulate

        signal, interval = self._shown(session)
        state = self.states(np.zeros(1))[0]
        rates = self.rates(self.fano(state))
        time, rate = simulate(
            rates, whole, rng, dt=RATE_DT, sample_interval=RATE_INTERVAL,
            inputs=signal, input_interval=interval, burn_in=SPONTANEOUS,
        )  # fmt: skip
        result = activity(session, len(recorded), rate=rate[:, :, recorded], time=time)
        return result.assign_attrs(engine=f"jax {jax_version}")


def cue_session(circuit: Any, trials: int, duration: float, rng: np.random.Generator) -> Session:
    """The natural task: a cue at a random angle [rad] from before the trial's onset on, then darkness (NaN)."""
    values = np.full((trials, int(np.ceil(duration / circuit.cue_duration - 1e-9)), 1), np.nan)
    values[:, 0, 0] = rng.uniform(0, 2 * np.pi, trials)
    return Session(trials, duration, Stimulus(("angle",), values, circuit.cue_duration))


def padded(session: Session, recorded: np.ndarray, size: int) -> Session:
    """The session with its effects, which reach recorded neurons and synapses between them, told of all neurons.

    A gain of a recorded neuron acts on all synapses that it makes, those onto hidden neurons too.
    """
    told = []
    for effect in effects_on(session, len(recorded)):
        steps, axes = np.arange(len(effect.steps)), 2 if effect.over == "pair" else 1
        values = np.full((len(steps), *(size,) * axes), EFFECTS[effect.kind])
        values[np.ix_(steps, *(recorded,) * axes)] = effect.steps
        told.append(Effect(effect.kind, values, effect.start, effect.stop, effect.trials, effect.over))
    return Session(session.trials, session.duration, perturbations=tuple(told))
