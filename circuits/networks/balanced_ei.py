"""Sparsely connected excitatory and inhibitory LIF neurons in the asynchronous irregular state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import cortex
from circuits.networks.cortex import by_ratio, evenly, lognormal
from simlab import truths
from simlab.contracts import Regime
from simlab.data import anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import (
    Delay,
    Drive,
    Fluctuation,
    MembraneTimeConstant,
    Noise,
    Pause,
    Potential,
    Refractory,
    Share,
    Step,
)
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import LIF, WorkingPoint
    from simlab.simulators.spiking import Population, SpikingNetwork, SynapseSet

EQUATIONS = """
    dv/dt = (rest - v + external + rheobase*perturbation)/tau + sigma*sqrt(2/(tau*dt))*eta : volt (unless refractory)
    tau : second (shared, constant)
    rest : volt (shared, constant)
    v_threshold : volt (shared, constant)
    v_reset : volt (shared, constant)
    rheobase : volt (shared, constant)
    external : volt (constant)
    sigma : volt (constant)
"""

WITH_CURRENTS = (
    EQUATIONS.replace("external +", "external + current +")
    + """
    dcurrent/dt = -current/tau_s : volt
    tau_s : second (shared, constant)
"""
)


@dataclass(frozen=True)
class BalancedEI:
    """A small cortical network: excitatory and inhibitory neurons, sparse random wiring under Dale's law, delays.

        tau dV_i/dt = rest - V_i + external_i + sigma sqrt(2 tau) xi_i(t) + I_i(t)
        tau_s dI_i/dt = -I_i + tau sum_j c w_ji sum_k delta(t - t_jk - d_ji)

    A neuron that reaches `threshold` fires, is set to `reset` and held there for `refractory`: model A of Brunel
    (2000, J Comput Neurosci 8:183). External mean and noise stand for the thousands of synapses from outside; the noise
    xi is private to each neuron, so whatever correlates two neurons runs over these synapses. Each ordered pair is
    connected with `connection_probability`; w is the peak of the postsynaptic potential, and c what makes it so
    (circuits.networks.cortex.charge): lognormal for excitatory neurons (Song et al. 2005, PLoS Biol 3:e68), for
    inhibitory ones too, with `inhibition` times the mean. With `synaptic_time_constant` 0 a spike adds w to V at once,
    as in Brunel (2000). The neurons fill a cube at the density of cortex.
    """

    name: ClassVar[str] = "balanced_ei"
    mechanism: ClassVar[str] = "recurrent network"
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "cell_type", "effect")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")
    regime: ClassVar[Regime] = cortex.CORTEX

    n_neurons: Annotated[int, Within(2, 10_000)] = 100
    excitatory_fraction: Share = 0.8  # Brunel 2000; cortex: 80 to 85% (Braitenberg & Schuez 1998)
    connection_probability: Share = 0.1  # Brunel 2000; local pyramidal pairs 0.1 (Perin et al. 2011; Song et al. 2005)
    epsp: Annotated[float, Within(0, 0.02, "V")] = 0.77e-3
    """V, mean; Song et al. 2005 (0.77 mV); 0.5 to 1.6 mV in Lefort 2009, Feldmeyer 1999."""
    epsp_spread: Annotated[float, Within(0, 5)] = 0.94  # sd of log EPSP (Song et al. 2005)
    inhibition: Annotated[float, Within(0, 100)] = 4.0
    """Mean IPSP / mean EPSP: 4 balances four excitatory per inhibitory neuron (Brunel 2000, g)."""
    ipsp_spread: Annotated[float, Within(0, 5)] = 0.6
    """Sd of log IPSP: skewed too (Holmgren et al. 2003, J Physiol 551:139; Buzsaki & Mizuseki 2014)."""
    synaptic_time_constant: Annotated[float, Within(0, 0.1, "s")] = 2e-3
    """s, decay of synaptic currents (AMPA: Hestrin 1993, Neuron 11:1083); 0: potentials that jump (Brunel 2000)."""
    delay: tuple[Delay, Delay] = (0.5e-3, 2.5e-3)  # s, uniform; mean 1.5 ms (Brunel 2000)
    membrane_time_constant: MembraneTimeConstant = 20e-3  # s; Brunel 2000
    rest: Potential = -70e-3  # V
    threshold: Potential = -50e-3  # V, 20 mV above rest (Brunel 2000)
    reset: Potential = -60e-3  # V, 10 mV above rest (Brunel 2000)
    refractory: Refractory = 2e-3  # s; Brunel 2000
    external_mean: Drive = 12e-3  # V; mean potential near -58 mV (in vivo -65 to -55; Destexhe et al. 2003)
    external_mean_spread: Fluctuation = 1e-3  # V, sd over neurons: rates differ (Buzsaki & Mizuseki 2014)
    external_sd: Noise = 5e-3
    """V, sd of the free potential; 2 to 6 mV in vivo (Destexhe et al. 2003)."""
    density: Annotated[float, Within(1e11, 1e15, "1/m3")] = cortex.DENSITY
    """Neurons per m3; 9e4 per mm3 (Schuez & Palm 1989, J Comp Neurol 286:442)."""
    contacts: Annotated[float, Within(1, 100)] = 4.5
    """Synapses of a connected pair, mean: 5.5 between pyramidal neurons of layer 5 (Markram et al. 1997), 3.4 in layer
    4 (Feldmeyer et al. 1999; both from memory). How many a pair has says nothing of its weight here."""
    burn_in: Pause = 0.2  # s before each trial, ten membrane time constants
    dt: Step = 1e-4  # s, the simulation's step

    def __post_init__(self) -> None:
        check_fields(self)
        cortex.check_potentials(self.rest, self.reset, self.threshold)
        require(
            self.delay[0] <= self.delay[1],
            f"delay must be (shortest, longest), got {self.delay}: write the shorter one first",
        )
        require(
            self.dt <= self.membrane_time_constant / 20,
            f"dt must be at most a twentieth of the membrane time constant, got {self.dt}: use 1e-4",
        )
        require(
            self.synaptic_time_constant == 0 or self.synaptic_time_constant >= 4 * self.dt,
            f"synaptic_time_constant must be 0 or at least four steps of {self.dt} s, got "
            f"{self.synaptic_time_constant}: use 2e-3, or 0 for potentials that jump",
        )

    def prior(self, rng: np.random.Generator) -> BalancedEI:
        """Parameters drawn from published ranges: those that the fields cite, and those of `cortical_patch`."""
        shortest = evenly(rng, 0.5e-3, 1e-3)
        return replace(
            self,
            connection_probability=evenly(rng, 0.05, 0.2),  # Perin et al. 2011; Lefort et al. 2009; Song et al. 2005
            epsp=by_ratio(rng, 0.5e-3, 1.2e-3),  # Lefort et al. 2009; Feldmeyer et al. 1999
            epsp_spread=evenly(rng, 0.7, 1.1),  # Song et al. 2005; Loewenstein et al. 2011
            inhibition=evenly(rng, 2.0, 6.0),  # Brunel 2000: balanced from 4 on; Holmgren et al. 2003
            ipsp_spread=evenly(rng, 0.4, 0.8),
            synaptic_time_constant=evenly(rng, 1e-3, 4e-3),  # Hestrin 1993; Bartos et al. 2001
            delay=(shortest, shortest + evenly(rng, 0.5e-3, 2e-3)),  # Bringuier et al. 1999; Brunel 2000
            membrane_time_constant=evenly(rng, 10e-3, 25e-3),  # Lefort et al. 2009; Destexhe et al. 2003
            external_mean=evenly(rng, 9e-3, 14e-3),  # potentials of -61 to -56 mV (Destexhe et al. 2003)
            external_mean_spread=evenly(rng, 0.5e-3, 2e-3),  # Buzsaki & Mizuseki 2014
            external_sd=evenly(rng, 3e-3, 6e-3),  # Destexhe et al. 2003
        )

    @property
    def charge(self) -> float:
        """Jump of the potential with the same integral as that of a synapse, over its peak."""
        return cortex.charge(self.membrane_time_constant, self.synaptic_time_constant)

    @property
    def neuron(self) -> LIF:
        """The neuron's constants, for theory."""
        from simlab.simulators.lif_theory import LIF

        threshold, reset = self.threshold - self.rest, self.reset - self.rest
        return LIF(self.membrane_time_constant, threshold, reset, self.refractory, self.dt)

    def cell_types(self) -> np.ndarray:
        """(neuron,) "E" or "I"."""
        return cortex.cell_types(self.n_neurons, self.excitatory_fraction)

    def subject(self, rng: np.random.Generator) -> BalancedEISubject:
        """One network: who is connected to whom, how strongly and how late, and where everybody lies."""
        shape = (self.n_neurons, self.n_neurons)
        excitatory = self.cell_types() == "E"
        connected = rng.random(shape) < self.connection_probability
        np.fill_diagonal(connected, False)
        epsps = lognormal(rng, self.epsp, self.epsp_spread, shape)
        delays = rng.uniform(*self.delay, shape)
        external = rng.normal(self.external_mean, self.external_mean_spread, self.n_neurons)
        place = rng.uniform(0, cortex.edge_of(self.n_neurons, self.density), (self.n_neurons, 3))
        ipsps = lognormal(rng, self.inhibition * self.epsp, self.ipsp_spread, shape)
        sizes = np.where(excitatory[:, None], epsps, -ipsps)
        contacts = (1 + rng.poisson(self.contacts - 1, shape)) * connected
        return BalancedEISubject(
            circuit=self,
            weights=np.where(connected, sizes, 0.0),
            delays=delays,
            external=external,
            anatomy=anatomy(place, self.cell_types().tolist(), contacts=contacts),
        )


@dataclass(frozen=True, eq=False)
class BalancedEISubject:
    """One network: weights (pre, post), peaks [V]; delays (pre, post) [s]; external (neuron,) [V]; anatomy."""

    circuit: BalancedEI
    weights: np.ndarray
    delays: np.ndarray
    external: np.ndarray
    anatomy: xr.Dataset

    @property
    def network(self) -> SpikingNetwork:
        """What runs: neurons, and one synapse for each weight that is not zero."""
        from simlab.simulators.spiking import SpikingNetwork

        neurons = lif(self.circuit, self.external, self.circuit.external_sd, synapses=True)
        return SpikingNetwork((neurons,), (synapses(self),), name=self.circuit.name)

    @property
    def jumps(self) -> np.ndarray:
        """(pre, post) [V]: of the potential, with the same integral as that which a spike makes."""
        return self.weights * self.circuit.charge

    @property
    def working_point(self) -> WorkingPoint:
        """Rates and inputs that mean-field theory predicts from these weights."""
        from simlab.simulators.lif_theory import working_point

        circuit = self.circuit
        slow = circuit.synaptic_time_constant
        return working_point(circuit.neuron, self.jumps, self.external, circuit.external_sd, synaptic=slow)

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


def synapses(subject: BalancedEISubject, *, of: str = "EI", **own: Any) -> SynapseSet:
    """The synapses of these kinds of neurons; own: what a `SynapseSet` has besides, with `{target}` in its `on_pre`."""
    from simlab.simulators.spiking import SynapseSet

    circuit = subject.circuit
    slow = circuit.synaptic_time_constant
    mine = np.isin(circuit.cell_types(), list(of))
    pre, post = np.nonzero(subject.weights * mine[:, None])
    size = subject.jumps * (circuit.membrane_time_constant / slow if slow else 1.0)
    target = "current" if slow else "v"
    if "on_pre" in own:
        own["on_pre"] = own["on_pre"].format(target=target)
    return SynapseSet(pre, post, size[pre, post], subject.delays[pre, post], target=target, **own)


def lif(
    circuit: BalancedEI,
    external: np.ndarray,
    sigma: np.ndarray | float,
    *,
    synapses: bool = False,
    drive: bool = False,
) -> Population:
    """The circuit's neurons; external mean and noise sd [V], (neuron,); with the currents of synapses, a drive."""
    from simlab.simulators.spiking import Population

    currents = synapses and circuit.synaptic_time_constant > 0
    equations = WITH_CURRENTS if currents else EQUATIONS
    return Population(
        n_neurons=circuit.n_neurons,
        equations=equations.replace("external +", "external + drive +") if drive else equations,
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=circuit.refractory,
        parameters={
            "tau": circuit.membrane_time_constant,
            "rest": circuit.rest,
            "v_threshold": circuit.threshold,
            "v_reset": circuit.reset,
            "rheobase": circuit.threshold - circuit.rest,
            "external": external,
            "sigma": np.broadcast_to(sigma, circuit.n_neurons),
            **({"tau_s": circuit.synaptic_time_constant} if currents else {}),
        },
        initial={"v": (circuit.reset, circuit.threshold)},
    )
