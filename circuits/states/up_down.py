"""A cortical network with two states, active and silent, between which noise and fatigue switch it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.states.branching import tissue
from circuits.states.resting_states import regime, resting_states
from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Pause
from simlab.session import EFFECTS, Effect, Session
from simlab.simulators.effects import engine_effects
from simlab.simulators.given_rates import renewal

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

DT = 5e-4
"""s, of the integration: a third of what the fast loop through inhibition allows. Noise is drawn afresh at each step
(in Jercog et al. 2017 it has a correlation time of 1 ms)."""

INTERVAL = 5e-3
"""s, in which spikes come at a constant rate."""

Gain = Annotated[float, Within(0, 100)]
Coupling = Annotated[float, Within(0, 100)]
Input = Annotated[float, Within(0, 1000)]
TimeConstant = Annotated[float, Within(1.1e-3, 10, "s")]


@dataclass(frozen=True)
class UpDown:
    """Excitatory and inhibitory populations with adaptation, bistable and noisy: Jercog et al. 2017 (eLife 6:e22425).

        T_e dE/dt = -E + g_e [J_ee E - J_ei I - a - theta_e + noise]+
        T_i dI/dt = -I + g_i [J_ie E - J_ii I - theta_i + noise]+
        T_a da/dt = -a + adaptation E

    E, I: mean rates [Hz]; inputs are in units of which one makes g Hz. Below threshold the silent state is stable; in
    the active one steep inhibition balances recurrent excitation at a few Hz. Noise, which all neurons of a kind share,
    moves the network from one to the other, sooner where adaptation has built up or recovered. Couplings, gains and
    thresholds are those of the paper *as remembered*; noise and adaptation were set so that UP and DOWN states last .7
    and .5 s, with coefficients of variation of .4, about as in its rats under urethane.

    Each population is made of neurons that get its input and fire as Poisson processes at their own share of its rate
    (lognormal gains). A current of one rheobase is a neuron's threshold, theta.
    """

    name: ClassVar[str] = "up_down"
    mechanism: ClassVar[str] = "bistable network"
    questions: ClassVar[tuple[str, ...]] = ("dynamics",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_excitatory: Annotated[int, Within(2, 2_000)] = 80
    n_inhibitory: Annotated[int, Within(2, 2_000)] = 20
    time_constant_e: TimeConstant = 0.010  # s (Jercog et al. 2017)
    time_constant_i: TimeConstant = 0.002  # s (the same)
    adaptation_time_constant: TimeConstant = 0.5  # s (the same)
    adaptation: Gain = 1.0  # per Hz (set by the states' durations)
    coupling_ee: Coupling = 5.0  # per Hz (the same)
    coupling_ei: Coupling = 1.0  # per Hz, inhibitory to excitatory (the same)
    coupling_ie: Coupling = 10.0  # per Hz, excitatory to inhibitory (the same)
    coupling_ii: Coupling = 0.5  # per Hz (the same)
    gain_e: Gain = 1.0  # Hz (the same)
    gain_i: Gain = 4.0  # Hz (the same)
    threshold_e: Annotated[float, Within(0.01, 1000)] = 4.8  # (the same)
    threshold_i: Annotated[float, Within(0.01, 1000)] = 25.0  # (the same)
    noise: Input = 4.0  # standard deviation of the shared input (set by the states' durations)
    gain_spread: Annotated[float, Within(0, 2)] = 0.5  # standard deviation of the logarithm of neurons' gains (assumed)
    burn_in: Pause = 2.0  # s before each trial

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def n_neurons(self) -> int:
        """Excitatory and inhibitory together."""
        return self.n_excitatory + self.n_inhibitory

    def subject(self, rng: np.random.Generator) -> UpDownSubject:
        """One network: its neurons' gains and places."""
        spread, share = self.gain_spread, np.empty(self.n_neurons)
        for kind in (slice(0, self.n_excitatory), slice(self.n_excitatory, None)):
            drawn = np.exp(spread * rng.standard_normal(len(share[kind])))
            share[kind] = drawn / drawn.mean()
        kinds = ["E"] * self.n_excitatory + ["I"] * self.n_inhibitory
        place = np.stack([tissue(self.n_neurons, rng)[axis].values for axis in "xyz"], axis=1)
        return UpDownSubject(self, share, anatomy(place, kinds))


@dataclass(frozen=True, eq=False)
class UpDownSubject:
    """One network: `share` (neuron,) of its population's rate at which each neuron fires, 1 on average; anatomy."""

    circuit: UpDown
    share: np.ndarray
    anatomy: xr.Dataset

    @cached_property
    def weights(self) -> np.ndarray:
        """(pre, post) per Hz: neurons, and last the adaptation, which follows E and takes from its input."""
        c, n_e = self.circuit, self.circuit.n_excitatory
        n = c.n_neurons
        weights = np.zeros((n + 1, n + 1))
        weights[:n_e, :n_e] = c.coupling_ee / n_e
        weights[:n_e, n_e:n] = c.coupling_ie / n_e
        weights[n_e:n, :n_e] = -c.coupling_ei / c.n_inhibitory
        weights[n_e:n, n_e:n] = -c.coupling_ii / c.n_inhibitory
        weights[:n_e, n] = c.adaptation / n_e
        weights[n, :n_e] = -1.0
        return weights

    @property
    def network(self) -> RateNetwork:
        """Its equations, for simulation, Jacobian and fixed points; the last unit is the adaptation."""
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import threshold_linear

        c = self.circuit
        gain = self.share * self._kinds(c.gain_e, c.gain_i, 1.0)[:-1]
        # A gain on the output of [input - theta]+ is the same gain on all that goes in.
        gain = np.append(gain, 1.0)
        theta = self._kinds(c.threshold_e, c.threshold_i, 0.0)
        source = np.append(np.repeat([0, c.n_excitatory], [c.n_excitatory, c.n_inhibitory]), c.n_neurons)
        return RateNetwork(
            self.weights * gain,
            self._kinds(c.time_constant_e, c.time_constant_i, c.adaptation_time_constant),
            threshold_linear,
            bias=-gain * theta,
            input_noise=gain * self._kinds(c.noise, c.noise, 0.0),
            rheobase=np.append((gain * theta)[:-1], 1.0),
            noise_source=source,
        )

    def _kinds(self, excitatory: float, inhibitory: float, adaptation: float) -> np.ndarray:
        """One value for each unit."""
        c = self.circuit
        return np.repeat([excitatory, inhibitory, adaptation], [c.n_excitatory, c.n_inhibitory, 1])

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from jax import __version__ as jax_version

        spikes = renewal(self.rates(session, rng), INTERVAL, session.duration, rng)
        found = activity(session, self.circuit.n_neurons, spikes=spikes)
        return found.assign_attrs(engine=f"numpy {np.__version__}, jax {jax_version}")

    def rates(self, session: Session, rng: np.random.Generator) -> np.ndarray:
        """(trial, bin, neuron) [Hz] in bins of `INTERVAL`, the last of which may pass the trial's end."""
        from simlab.simulators.rates import simulate

        n = self.circuit.n_neurons
        bins = int(np.ceil(session.duration / INTERVAL - 1e-9))
        whole = Session(session.trials, bins * INTERVAL, perturbations=_widened(session, n))
        up = np.zeros((session.trials, n + 1))
        up[rng.random(session.trials) < 0.5] = self._kinds(5.0, 10.0, 0.0)
        burn_in = round(self.circuit.burn_in / DT) * DT
        _, rate = simulate(self.network, whole, rng, dt=DT, sample_interval=INTERVAL, initial=up, burn_in=burn_in)
        return rate[:, :, :n].astype(float)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dynamics`: by the stable fixed points without noise."""
        return truths.among(
            self.circuit.name, question, {"dynamics": lambda: truths.one(label=regime(len(self.rests())))}
        )

    def rests(self) -> np.ndarray:
        """The stable fixed points (state, unit) that silence and strong activity lead to."""
        starts = np.array([self._kinds(rate, 2 * rate, 0.0) for rate in (0.0, 3.0, 10.0)])
        wait = 20 * max(self.circuit.adaptation_time_constant, self.circuit.time_constant_e)
        return resting_states(self.network, starts, duration=wait, dt=DT)


def _widened(session: Session, n_neurons: int) -> tuple[Effect, ...]:
    """The session's effects told of the adaptation as well, the last unit, which they leave alone."""
    told = []
    for effect in engine_effects(session, n_neurons, DT):
        axes = effect.steps.ndim - 1
        values = np.full((len(effect.steps), *(n_neurons + 1,) * axes), EFFECTS[effect.kind])
        values[(slice(None), *(slice(n_neurons),) * axes)] = effect.steps
        told.append(Effect(effect.kind, values, effect.start, effect.stop, effect.trials, effect.over))
    return tuple(told)
