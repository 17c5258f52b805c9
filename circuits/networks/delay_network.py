"""Simple model neurons whose spikes travel for up to 20 ms: connections that methods of one fixed lag cannot see."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks.cortex import CORTEX
from simlab import truths
from simlab.contracts import Regime
from simlab.data import anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Delay, Pause, Rate, Share, Step
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.spiking import Population, SpikingNetwork

EQUATIONS = """
    dv/dt = (0.04*v**2/mV + 5*v + 140*mV - u)/ms + rheobase*perturbation + kick*int(eta_kick > gate)/dt : volt
    du/dt = a*(b*v - u)/ms : volt
    a : 1 (constant)
    b : 1 (constant)
    d : volt (constant)
    v_reset : volt (shared, constant)
    kick : volt (shared, constant)
    gate : 1 (shared, constant)
    rheobase : volt/second (shared, constant)
"""

RHEOBASE = 4.0
"""V/s: above this current v has no fixed point at b = 0.2, 0.04 v^2 + (5 - b) v + 140 + I = 0 [mV, mV/ms]."""

TISSUE = 1e-3
"""Edge [m] of the cube in which the neurons lie: 1 mm in 1 to 20 ms are 0.05 to 1 m/s, as in thin axons (Swadlow 1985,
J Neurophysiol 54:1346)."""


@dataclass(frozen=True)
class DelayNetwork:
    """Regular-spiking excitatory and fast-spiking inhibitory neurons with long, heterogeneous conduction delays.

        dv/dt = 0.04 v^2 + 5 v + 140 - u + I,   du/dt = a (b v - u)     [mV, ms];   v >= 30: v -> c, u -> u + d
        a spike adds w_ij to v_j after delay_ij;   each neuron gets kicks of `kick` at random times

    Izhikevich (2006, Neural Comput 18:245) with a tenth of his neurons and without plasticity: synapses have the weight
    at which it leaves the strong ones of his. With `connection_probability` an excitatory neuron contacts any other,
    with a `delay` of its own for each, and an inhibitory one excitatory neurons only, after `inhibitory_delay`. His
    synapses feed w to v during one step of 1 ms, these add as much at once. c = -65 mV, b = 0.2; a = 0.02 and d = 8 mV
    (excitatory) or 0.1 and 2 mV. v is integrated as he does, in steps of 0.5 ms; u too, where his are of 1 ms.
    """

    name: ClassVar[str] = "delay_network"
    mechanism: ClassVar[str] = "recurrent network"
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "cell_type", "effect")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = CORTEX  # Izhikevich 2006: 2 to 7 Hz

    n_excitatory: Annotated[int, Within(1, 10_000)] = 80  # four to one (Izhikevich 2006: 800 and 200)
    n_inhibitory: Annotated[int, Within(0, 10_000)] = 20
    connection_probability: Share = 0.1  # Izhikevich 2006
    excitation: Annotated[float, Within(0, 0.05, "V")] = 10e-3  # V; Izhikevich 2006: 6 mV at first, 10 at most
    inhibition: Annotated[float, Within(0, 0.05, "V")] = 5e-3  # V, taken as negative (Izhikevich 2006)
    delay: tuple[Delay, Delay] = (1e-3, 20e-3)  # s, of excitatory neurons' axons (Izhikevich 2006; Swadlow 1985)
    inhibitory_delay: Delay = 1e-3  # s (Izhikevich 2006)
    kick: Annotated[float, Within(0, 0.1, "V")] = 20e-3  # V (Izhikevich 2006)
    kick_rate: Rate = 2.0  # Hz, for each neuron (Izhikevich 2006: 1, and ten times as many synapses per neuron)
    burn_in: Pause = 0.5  # s before each trial: u recovers in 1 / a = 50 ms
    dt: Step = 5e-4  # s (Izhikevich 2006: v twice in each ms)

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.delay[0] <= self.delay[1],
            f"delay must be (shortest, longest), got {self.delay}: write the shorter one first",
        )
        require(self.dt <= 5e-4, f"dt must be at most 5e-4 s, got {self.dt}: beyond it the upstroke is unstable")

    @property
    def n_neurons(self) -> int:
        """Of both kinds."""
        return self.n_excitatory + self.n_inhibitory

    def subject(self, rng: np.random.Generator) -> DelayNetworkSubject:
        """One network: who is connected to whom and how late, and where everybody lies."""
        n = self.n_neurons
        excitatory = np.arange(n) < self.n_excitatory
        connected = rng.random((n, n)) < self.connection_probability
        connected &= ~np.eye(n, dtype=bool) & (excitatory[:, None] | excitatory)
        delays = np.where(excitatory[:, None], rng.uniform(*self.delay, (n, n)), self.inhibitory_delay)
        sizes = np.where(excitatory, self.excitation, -self.inhibition)[:, None]
        where = anatomy(rng.uniform(0, TISSUE, (n, 3)), np.where(excitatory, "E", "I").tolist())
        return DelayNetworkSubject(self, np.where(connected, sizes, 0.0), delays, where)


@dataclass(frozen=True, eq=False)
class DelayNetworkSubject:
    """One network: weights (pre, post) [V], delays (pre, post) [s] of all pairs, connected or not, and anatomy."""

    circuit: DelayNetwork
    weights: np.ndarray
    delays: np.ndarray
    anatomy: xr.Dataset

    @property
    def network(self) -> SpikingNetwork:
        """What runs."""
        from simlab.simulators.spiking import SpikingNetwork, SynapseSet

        pre, post = np.nonzero(self.weights)
        synapses = SynapseSet(pre, post, self.weights[pre, post], self.delays[pre, post], target="v")
        return SpikingNetwork((neurons(self.circuit),), (synapses,), name=self.circuit.name)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.spiking import simulate

        circuit = self.circuit
        spikes = simulate(self.network, session, rng, burn_in=circuit.burn_in, dt=circuit.dt)
        return spikes.activity(session, circuit.n_neurons)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: the weights that ran [V]; `cell_type`: the signs of what neurons do;
        `effect`: what pulses did in simulation."""
        answers = {
            "connectivity": lambda: truths.wiring(self.weights, "V"),
            "cell_type": lambda: truths.cell_types(self.anatomy),
            "effect": lambda: truths.pulse_responses(self, rng),
        }
        return truths.among(self.circuit.name, question, answers)


def neurons(circuit: DelayNetwork) -> Population:
    """The circuit's neurons, excitatory ones first."""
    from simlab.simulators.spiking import Population

    excitatory = np.arange(circuit.n_neurons) < circuit.n_excitatory
    per_step = min(max(circuit.kick_rate * circuit.dt, 1e-15), 1 - 1e-15)
    return Population(
        n_neurons=circuit.n_neurons,
        equations=EQUATIONS,
        threshold="v >= 30*mV",
        reset="v = v_reset; u += d",
        parameters={
            "a": np.where(excitatory, 0.02, 0.1),
            "b": np.full(circuit.n_neurons, 0.2),
            "d": np.where(excitatory, 8e-3, 2e-3),
            "v_reset": -65e-3,
            "kick": circuit.kick,
            "gate": -NormalDist().inv_cdf(per_step),
            "rheobase": RHEOBASE,
        },
        initial={"v": -70e-3, "u": -14e-3},
    )
