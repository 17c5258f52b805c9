"""Excitatory and inhibitory neurons that differ in how they fire, as much as a dial says, and in what they do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import cortex
from simlab import truths
from simlab.contracts import Regime
from simlab.data import anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Delay, MembraneTimeConstant, Noise, Pause, Potential, Refractory, Share, Step
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.spiking import Population, SpikingNetwork

EQUATIONS = """
    dv/dt = (drive - v - w + rheobase*perturbation)/tau + sigma*sqrt(2/(tau*dt))*eta : volt (unless refractory)
    dw/dt = -w/tau_w : volt
    v_threshold : volt (shared, constant)
    v_reset : volt (shared, constant)
    rheobase : volt (shared, constant)
    tau_w : second (shared, constant)
    drive : volt (constant)
    sigma : volt (constant)
    tau : second (constant)
    silence : second (constant)
    adaptation : volt (constant)
"""

Jump = Annotated[float, Within(0, 0.02, "V")]
MedianRate = Annotated[float, Within(0.05, 100, "Hz")]
Spread = Annotated[float, Within(0, 2)]

NODES, HALVINGS = 80, 35  # of Siegert's integral, and of the search for the input of a rate: to within 1e-10 V
SLOWEST, FASTEST = 0.1, 60.0
"""Hz: rates are drawn within these. Below, ten minutes hold less than 60 spikes, and sorters drop the unit."""


@dataclass(frozen=True)
class SignAndType:
    """A cortical network under Dale's law, whose neurons fire in one of two ways: regular-spiking or fast-spiking.

        tau_i dV_i/dt = rest - V_i + external_i - w_i + sigma sqrt(2 tau_i) xi_i(t)
                        + tau_i sum_j w_ji sum_k delta(t - t_jk - d_ji)
        dw_i/dt = -w_i / adaptation_time_constant,   w_i -> w_i + adaptation_i at each of its spikes

    Leaky integrate-and-fire neurons with spike-triggered adaptation (the b of Brette & Gerstner 2005, J Neurophysiol
    94:3637, over the leak). Regular-spiking ones adapt, integrate slowly and fire seldom; fast-spiking ones do not
    adapt, have a short membrane time constant and refractory period, and fire often. Rates are lognormal in either
    (Buzsaki & Mizuseki 2014) and overlap: each neuron draws the rate that it is to have, and `external` is what
    Siegert's formula asks for it, given what the others send and the mean of its own w (so that rates come out within
    a tenth, and adapting neurons of high rate up to a quarter lower).

    `overlap` is the dial: at 0 excitatory neurons are regular- and inhibitory ones fast-spiking; otherwise each neuron
    is, with this probability, of a way of firing drawn from all neurons' (`excitatory_fraction` of them regular), as
    many an interneuron adapts and fires like a pyramidal cell (Markram et al. 2004). At 1 firing tells nothing of the
    type, and a reader of the ways of firing gets a balanced accuracy of 1 - overlap / 2 at best. What neurons do to one
    another stays: excitatory postsynaptic potentials are lognormal (Song et al. 2005), inhibitory ones are `inhibition`
    times their mean.
    """

    name: ClassVar[str] = "sign_and_type"
    mechanism: ClassVar[str] = "recurrent network"
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "cell_type")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = Regime(
        "rates: Buzsaki & Mizuseki 2014; intervals: Softky & Koch 1993; correlations: Cohen & Kohn 2011",
        rate=(1.0, 15.0),
        silent=(0.0, 0.4),
        interval_cv=(0.6, 1.4),
        fano=(0.5, 1.6),
        correlation=(-0.02, 0.1),
    )

    n_neurons: Annotated[int, Within(2, 10_000)] = 125
    excitatory_fraction: Share = 0.8  # cortex: 80 to 85% (Braitenberg & Schuez 1998)
    overlap: Share = 0.0
    """How much the ways of firing of the types overlap: 0 not at all, 1 wholly."""
    e_to_e: Share = 0.1  # connected pairs: 0.1 (Song et al. 2005; Perin et al. 2011)
    e_to_i: Share = 0.3  # 0.2 to 0.6 onto fast-spiking cells (Holmgren et al. 2003: 0.58; Campagnola et al. 2022)
    i_to_e: Share = 0.4  # 0.4 to 0.7 within 100 um (Holmgren et al. 2003; Packer & Yuste 2011)
    i_to_i: Share = 0.4  # Galarreta & Hestrin 2002: 0.6 to 0.8 of near fast-spiking pairs; Pfeffer et al. 2013
    epsp: Jump = 0.77e-3
    """V, mean; Song et al. 2005 (0.77 mV); onto fast-spiking cells 0.5 to 3.5 mV (Holmgren et al. 2003)."""
    epsp_spread: Annotated[float, Within(0, 5)] = 0.5
    """Standard deviation of log EPSP; Song et al. find 0.94 over all pairs, many of them too weak to matter."""
    inhibition: Annotated[float, Within(0, 100)] = 2.0
    """IPSP / mean EPSP: 1.5 mV, of 0.5 to 2 (from memory: Gupta et al. 2000; Packer & Yuste 2011)."""
    delay: tuple[Delay, Delay] = (0.5e-3, 2.5e-3)  # s, uniform (Brunel 2000: 1.5 ms)
    slow_rate: MedianRate = 2.0  # Hz, median of regular-spiking neurons: 1 to 5 (Mizuseki & Buzsaki 2013)
    slow_rate_spread: Spread = 0.8  # sd of the log rate: about 1 (Buzsaki & Mizuseki 2014)
    fast_rate: MedianRate = 12.0  # Hz, median of fast-spiking neurons: 10 to 20 (Mizuseki & Buzsaki 2013)
    fast_rate_spread: Spread = 0.6  # sd of the log rate (the same)
    slow_time_constant: MembraneTimeConstant = 20e-3  # s, of regular-spiking membranes (McCormick et al. 1985: 20.2 ms)
    fast_time_constant: MembraneTimeConstant = 10e-3  # s, of fast-spiking ones (the same: 11.9; NeuroElectro: 10)
    slow_refractory: Refractory = 3e-3  # s (Troyer & Miller 1997: 1.85 ms and a slow recovery)
    fast_refractory: Refractory = 1e-3  # s: they follow currents up to hundreds of Hz (McCormick et al. 1985)
    adaptation: Jump = 2.7e-3
    """V, by which a spike of a regular-spiking neuron raises w: 80.5 pA over 30 nS (Brette & Gerstner 2005)."""
    adaptation_time_constant: Annotated[float, Within(1e-3, 10, "s")] = 0.144  # s (Brette & Gerstner 2005)
    rest: Potential = -70e-3  # V
    threshold: Potential = -50e-3  # V
    reset: Potential = -60e-3  # V (Brunel 2000: 10 mV below threshold)
    external_sd: Noise = 5e-3  # V, sd of the free potential; 2 to 6 mV in vivo (Destexhe et al. 2003)
    size: Annotated[float, Within(1e-6, 0.02, "m")] = 300e-6  # m, edge of the cube that the neurons lie in
    burn_in: Pause = 0.7  # s before each trial, five time constants of adaptation
    dt: Step = 1e-4  # s, the simulation's step

    def __post_init__(self) -> None:
        check_fields(self)
        cortex.check_potentials(self.rest, self.reset, self.threshold)
        require(
            self.delay[0] <= self.delay[1],
            f"delay must be (shortest, longest), got {self.delay}: write the shorter one first",
        )
        longest = min(self.slow_time_constant, self.fast_time_constant, self.adaptation_time_constant) / 10
        too_long = f"dt must be at most a tenth of the shortest time constant, {longest} s, got {self.dt}: use 1e-4"
        require(self.dt <= longest, too_long)

    def prior(self, rng: np.random.Generator) -> SignAndType:
        """A network with what differs most between reports drawn from the published ranges; `overlap` stays."""
        return replace(
            self,
            e_to_e=rng.uniform(0.05, 0.2),
            e_to_i=rng.uniform(0.2, 0.6),
            i_to_e=rng.uniform(0.3, 0.7),
            epsp=rng.uniform(0.5e-3, 1.2e-3),
            inhibition=rng.uniform(1.0, 3.0),
            slow_rate=rng.uniform(1.0, 4.0),
            fast_rate=rng.uniform(8.0, 18.0),
            external_sd=rng.uniform(3e-3, 6e-3),
        )

    def cell_types(self) -> np.ndarray:
        """(neuron,) "E" or "I"."""
        return cortex.cell_types(self.n_neurons, self.excitatory_fraction)

    def subject(self, rng: np.random.Generator) -> SignAndTypeSubject:
        """One network: who fires how, who is connected to whom, how strongly and how late, and where everybody lies."""
        n, excitatory = self.n_neurons, self.cell_types() == "E"
        fast = np.where(rng.random(n) < self.overlap, rng.random(n) >= self.excitatory_fraction, ~excitatory)
        connected = rng.random((n, n)) < self._connection_probability(excitatory)
        np.fill_diagonal(connected, False)
        epsps = cortex.lognormal(rng, self.epsp, self.epsp_spread, (n, n))
        sizes = np.where(excitatory[:, None], epsps, -self.inhibition * self.epsp)
        return SignAndTypeSubject.of(
            self,
            Ways.of(self, fast, rng),
            np.where(connected, sizes, 0.0),
            rng.uniform(*self.delay, (n, n)),
            anatomy(rng.uniform(0, self.size, (n, 3)), self.cell_types().tolist()),
        )

    def _connection_probability(self, excitatory: np.ndarray) -> np.ndarray:
        table = np.array([[self.e_to_e, self.e_to_i], [self.i_to_e, self.i_to_i]])
        kind = (~excitatory).astype(int)
        return table[kind[:, None], kind]


@dataclass(frozen=True, eq=False)
class Ways:
    """How each neuron (neuron,) fires: whether `fast`; the `rate` [Hz] that it is to have, `time_constant` [s] of its
    membrane, `refractory` [s] and `adaptation` [V]."""

    fast: np.ndarray
    rate: np.ndarray
    time_constant: np.ndarray
    refractory: np.ndarray
    adaptation: np.ndarray

    @classmethod
    def of(cls, circuit: SignAndType, fast: np.ndarray, rng: np.random.Generator) -> Ways:
        """Those of neurons (neuron,) that are fast-spiking or not."""
        spread = np.where(fast, circuit.fast_rate_spread, circuit.slow_rate_spread)
        rate = np.where(fast, circuit.fast_rate, circuit.slow_rate) * np.exp(spread * rng.standard_normal(len(fast)))
        return cls(
            fast,
            np.clip(rate, SLOWEST, FASTEST),
            np.where(fast, circuit.fast_time_constant, circuit.slow_time_constant),
            np.where(fast, circuit.fast_refractory, circuit.slow_refractory),
            np.where(fast, 0.0, circuit.adaptation),
        )

    def mean_input(self, circuit: SignAndType, sd: np.ndarray) -> np.ndarray:
        """Mean of the free potential [V from rest] (neuron,) at which they fire at their rates, by bisection."""
        low, high = -0.2 + 0 * sd, 1.0 + 0 * sd
        for _ in range(HALVINGS):
            mean = (low + high) / 2
            enough = self._siegert(circuit, mean, sd) > self.rate
            low, high = np.where(enough, low, mean), np.where(enough, mean, high)
        return mean

    def _siegert(self, circuit: SignAndType, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        from scipy.special import erfcx

        from simlab.simulators import siegert

        c, dt = circuit, circuit.dt
        between = siegert.bounds(mean, sd, c.threshold - c.rest, c.reset - c.rest, self.time_constant, dt)
        return siegert.rate(*between, self.time_constant, self.refractory, dt, lambda x: erfcx(-x), NODES)


@dataclass(frozen=True, eq=False)
class SignAndTypeSubject:
    """One network: how neurons fire, weights (pre, post) [V], delays (pre, post) [s] of all pairs, and anatomy.

    mean, sd: of each neuron's free potential (neuron,) [V from rest], recurrent input included, its own w left out.
    """

    circuit: SignAndType
    ways: Ways
    weights: np.ndarray
    delays: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    anatomy: xr.Dataset

    @classmethod
    def of(
        cls, circuit: SignAndType, ways: Ways, weights: np.ndarray, delays: np.ndarray, where: xr.Dataset
    ) -> SignAndTypeSubject:
        """The network whose neurons get what makes them fire at their rates."""
        sd = np.sqrt(circuit.external_sd**2 + ways.time_constant / 2 * (ways.rate @ weights**2))
        return cls(circuit, ways, weights, delays, ways.mean_input(circuit, sd), sd, where)

    @property
    def external(self) -> np.ndarray:
        """(neuron,) [V]: the mean input without what the others send, and with what w takes away."""
        return self.mean + self.mean_adaptation - self.ways.time_constant * (self.ways.rate @ self.weights)

    @property
    def mean_adaptation(self) -> np.ndarray:
        """(neuron,) [V], of w."""
        return self.ways.adaptation * self.circuit.adaptation_time_constant * self.ways.rate

    @property
    def network(self) -> SpikingNetwork:
        """What runs: neurons, and one synapse for each weight that is not zero."""
        from simlab.simulators.spiking import SpikingNetwork, SynapseSet

        pre, post = np.nonzero(self.weights)
        synapses = SynapseSet(pre, post, self.weights[pre, post], self.delays[pre, post], target="v")
        cells = neurons(self.circuit, self.ways, self.external, np.full(len(self.sd), self.circuit.external_sd))
        return SpikingNetwork((cells,), (synapses,), name=self.circuit.name)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        return simulated(self.circuit, self.network, session, rng)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: the weights that ran [V]; `cell_type`: the signs of what neurons do."""
        types = {"cell_type": lambda: truths.cell_types(self.anatomy)}
        answers = {"connectivity": lambda: truths.wiring(self.weights, "V"), **types}
        return truths.among(self.circuit.name, question, answers)


def simulated(circuit: SignAndType, network: SpikingNetwork, session: Session, rng: np.random.Generator) -> xr.Dataset:
    """An Activity of a network of the circuit's neurons."""
    from simlab.simulators.spiking import simulate

    found = simulate(network, session, rng, burn_in=circuit.burn_in, dt=circuit.dt)
    return found.activity(session, circuit.n_neurons)


def neurons(circuit: SignAndType, ways: Ways, external: np.ndarray, sd: np.ndarray) -> Population:
    """Neurons that fire in these ways; mean and sd [V] of what they get from outside, (neuron,)."""
    from simlab.simulators.spiking import Population

    return Population(
        n_neurons=circuit.n_neurons,
        equations=EQUATIONS,
        threshold="v > v_threshold",
        reset="v = v_reset; w += adaptation",
        refractory="silence",
        parameters={
            "v_threshold": circuit.threshold,
            "v_reset": circuit.reset,
            "rheobase": circuit.threshold - circuit.rest,
            "tau_w": circuit.adaptation_time_constant,
            "drive": circuit.rest + external,
            "sigma": sd,
            "tau": ways.time_constant,
            "silence": ways.refractory,
            "adaptation": ways.adaptation,
        },
        initial={"v": (circuit.reset, circuit.threshold)},
    )
