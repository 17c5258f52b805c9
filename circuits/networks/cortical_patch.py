"""A few hundred neurons of cortex whose noise is mostly each other, in a world of shared input, gain and drift."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import cortex, patch_neurons
from circuits.networks.confounds import Confounds, Dials
from circuits.networks.cortex import by_ratio, evenly
from simlab import truths
from simlab.contracts import Regime
from simlab.data import anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import (
    Delay,
    Distance,
    Drive,
    Fluctuation,
    MembraneTimeConstant,
    Noise,
    Pause,
    Potential,
    Refractory,
    Share,
    Step,
    SynapticTimeConstant,
)
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import LIF, WorkingPoint
    from simlab.simulators.spiking import SpikingNetwork

Peak = Annotated[float, Within(0, 0.02, "V")]
Spread = Annotated[float, Within(0, 5)]
Dial = Annotated[float, Within(0, 2)]
SlowTime = Annotated[float, Within(1e-3, 1e4, "s")]


@dataclass(frozen=True)
class CorticalPatch:
    """Excitatory and inhibitory LIF neurons at the density of cortex, with synaptic currents and real spreads of size.

        tau dV_i/dt = rest - V_i + external_i + E_i - I_i + x_i(t)
        tau_e dE_i/dt = -E_i + external_sd' sqrt(2 tau_e) xi_i(t) + tau_e sum_j e_ji sum_k delta(t - t_jk - d_ji)
        tau_i dI_i/dt = -I_i + tau_i sum_j h_ji sum_k delta(t - t_jk - d_ji)

    A neuron that reaches `threshold` fires, is set to `reset` and held there for `refractory`. e and h are such that
    the potential that one spike makes, a difference of exponentials, peaks at w_ji: lognormal for both kinds of neuron
    and so for a few strong synapses among many weak ones. Two neurons are connected with the probability of their kinds
    times exp(-distance^2 / (2 reach^2)); a spike takes `latency` plus the way at `velocity`. The neurons fill a cube.
    What the thousands of neurons outside send has a mean above threshold, which recurrent inhibition takes back to
    below it, and noise that is private to each neuron; most of the variance of a neuron's input is the patch's own
    (measured: 0.6 of it).

    Dials of what nobody records, each 0 for off; none of them touches the wiring or the private noise of a subject:

    - `shared_drive`: the mean correlation of counts in 0.1 s that shared input adds, over pairs; of two time constants,
      and alike over `shared_reach`. All neurons get the same net fluctuation of their input.
    - `gain_modulation`: sd of one slow factor on all rates (Goris et al. 2014, Nat Neurosci 17:858; Ecker et al. 2014,
      Neuron 82:235).
    - `drift`: sd of the slow wandering of each neuron's own log rate.

    x_i(t) makes them: what input they take is found to first order (circuits.networks.unseen_input), and their mean is
    such that mean rates stay. What comes of it is close to what is asked as long as rates change by less than a half.
    """

    name: ClassVar[str] = "cortical_patch"
    mechanism: ClassVar[str] = "recurrent network"
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = cortex.CORTEX

    n_neurons: Annotated[int, Within(2, 10_000)] = 400
    density: Annotated[float, Within(1e11, 1e15, "1/m3")] = cortex.DENSITY
    """Neurons per m3; 9e4 per mm3 (Schuez & Palm 1989)."""
    excitatory_fraction: Share = 0.8  # 80 to 85% (Braitenberg & Schuez 1998)
    e_to_e: Share = 0.2  # of touching pairs; pyramidal: 0.1 to 0.25 (Song et al. 2005; Perin et al. 2011)
    e_to_i: Share = 0.35  # 0.2 to 0.6 (Holmgren et al. 2003; Levy & Reyes 2012)
    i_to_e: Share = 0.5  # 0.4 to 0.7 (Packer & Yuste 2011; Levy & Reyes 2012)
    i_to_i: Share = 0.5  # 0.4 to 0.7 (Galarreta & Hestrin 2002; Levy & Reyes 2012)
    reach: Distance = 100e-6
    """m, sd of the Gaussian by which connections thin out: 85 to 114 um for all kinds (Levy & Reyes 2012, J Neurosci
    32:5609); farther in rat (Perin et al. 2011, PNAS 108:5419; Boucsein et al. 2011, Front Neurosci 5:32)."""
    epsp: Peak = 0.77e-3  # V, mean peak (Song et al. 2005, PLoS Biol 3:e68)
    epsp_spread: Spread = 0.94  # sd of the log EPSP (Song et al. 2005)
    ipsp: Peak = 1.5e-3  # V, mean peak from threshold; 0.5 to 2.5 mV (Holmgren et al. 2003, J Physiol 551:139)
    ipsp_spread: Spread = 0.6  # sd of the log IPSP; lognormal too (Holmgren et al. 2003; Buzsaki & Mizuseki 2014)
    excitatory_decay: SynapticTimeConstant = 2e-3  # s, AMPA currents (Hestrin 1993, Neuron 11:1083)
    inhibitory_decay: SynapticTimeConstant = 5e-3  # s, GABA_A currents (Bartos et al. 2001, J Neurosci 21:2687)
    latency: tuple[Delay, Delay] = (0.5e-3, 1.0e-3)  # s, uniform: of release and transmitter (Markram et al. 1997)
    velocity: Annotated[float, Within(0.01, 100, "m/s")] = 0.3  # of thin axons (Bringuier et al. 1999, Science 283:695)
    membrane_time_constant: MembraneTimeConstant = 15e-3  # s; 10 to 25 (Lefort et al. 2009, Neuron 61:301)
    rest: Potential = -70e-3  # V
    threshold: Potential = -50e-3  # V, 20 mV above rest (Brunel 2000)
    reset: Potential = -60e-3  # V (Brunel 2000)
    refractory: Refractory = 2e-3  # s (Brunel 2000)
    external_mean: Drive = 20e-3  # V; outside excitation alone would reach threshold (van Vreeswijk & Sompolinsky 1996)
    external_mean_spread: Fluctuation = 1e-3  # V, sd over neurons
    external_sd: Noise = 3e-3  # V, sd of the free potential by private noise; in all 2 to 6 mV (Destexhe et al. 2003)
    shared_drive: Annotated[float, Within(0, 0.9)] = 0.0
    """Mean count correlation that shared input adds; 0.05 to 0.2 in awake cortex (Cohen & Kohn 2011)."""
    shared_fast: SlowTime = 5e-3  # s; spikes in common through fast synapses (Bair et al. 2001, J Neurosci 21:1676)
    shared_slow: SlowTime = 100e-3  # s; 50 to 200 ms (Smith & Kohn 2008, J Neurosci 28:12591)
    shared_slow_share: Share = 0.7  # of the shared variance
    shared_reach: Annotated[float, Within(1e-6, 1.0, "m")] = 1e-3  # m; some mm in V1 (Smith & Kohn 2008)
    gain_modulation: Dial = 0.0  # sd of the rates' common factor; 0.2 to 0.5 (Goris et al. 2014; Ecker et al. 2014)
    gain_time_constant: SlowTime = 2.0  # s; from trial to trial (Ecker et al. 2014)
    drift: Dial = 0.0  # sd of each neuron's log rate over time; 0.3 in `drifting_units`
    drift_time_constant: SlowTime = 60.0  # s (Elber-Dorozko & Loewenstein 2018, eLife 7:e34248: tens of trials)
    burn_in: Pause = 0.3  # s before each trial
    dt: Step = 1e-4  # s

    def __post_init__(self) -> None:
        check_fields(self)
        cortex.check_potentials(self.rest, self.reset, self.threshold)
        require(
            self.latency[0] <= self.latency[1],
            f"latency must be (shortest, longest), got {self.latency}: write the shorter one first",
        )
        decays = (self.excitatory_decay, self.inhibitory_decay)
        require(
            self.dt <= min(self.membrane_time_constant / 20, *(decay / 4 for decay in decays)),
            "dt must be at most a twentieth of membrane_time_constant and a quarter of excitatory_decay and "
            f"inhibitory_decay, got dt={self.dt} with {self.membrane_time_constant} and {decays}: use 1e-4",
        )

    def prior(self, rng: np.random.Generator) -> CorticalPatch:
        """Parameters drawn from the ranges that the fields cite; a third of the draws has all dials at 0."""
        confounded = rng.random() > 1 / 3
        shortest = evenly(rng, 0.3e-3, 0.8e-3)
        drawn = replace(
            self,
            e_to_e=evenly(rng, 0.1, 0.25),
            e_to_i=evenly(rng, 0.2, 0.6),
            i_to_e=evenly(rng, 0.4, 0.7),
            i_to_i=evenly(rng, 0.4, 0.7),
            reach=evenly(rng, 85e-6, 150e-6),
            epsp=by_ratio(rng, 0.5e-3, 1.2e-3),  # Lefort et al. 2009; Feldmeyer et al. 1999
            epsp_spread=evenly(rng, 0.7, 1.1),  # Song et al. 2005; Lefort et al. 2009; Loewenstein et al. 2011
            ipsp=by_ratio(rng, 0.8e-3, 2.5e-3),
            ipsp_spread=evenly(rng, 0.4, 0.8),
            excitatory_decay=evenly(rng, 1.5e-3, 3e-3),  # Hestrin 1993
            inhibitory_decay=evenly(rng, 4e-3, 8e-3),  # Bartos et al. 2001; Xiang et al. 1998
            latency=(shortest, shortest + evenly(rng, 0.2e-3, 1e-3)),
            velocity=by_ratio(rng, 0.1, 0.5),  # Bringuier et al. 1999; Hirsch & Gilbert 1991
            membrane_time_constant=evenly(rng, 10e-3, 25e-3),
            external_mean=evenly(rng, 16e-3, 24e-3),
            external_mean_spread=evenly(rng, 0.5e-3, 2e-3),
            external_sd=evenly(rng, 2e-3, 4e-3),
        )
        return drawn._confounds_drawn(rng) if confounded else drawn

    def _confounds_drawn(self, rng: np.random.Generator) -> CorticalPatch:
        return replace(
            self,
            shared_drive=evenly(rng, 0.0, 0.15),
            shared_slow=by_ratio(rng, 50e-3, 200e-3),
            shared_slow_share=evenly(rng, 0.5, 1.0),
            shared_reach=by_ratio(rng, 100e-6, 3e-3),  # Rothschild et al. 2010 (A1); Smith & Kohn 2008 (V1)
            gain_modulation=evenly(rng, 0.0, 0.4),
            gain_time_constant=by_ratio(rng, 0.5, 10.0),
            drift=evenly(rng, 0.0, 0.4),
            drift_time_constant=by_ratio(rng, 20.0, 300.0),
        )

    @property
    def neuron(self) -> LIF:
        """The neuron's constants, for theory."""
        from simlab.simulators.lif_theory import LIF

        threshold, reset = self.threshold - self.rest, self.reset - self.rest
        return LIF(self.membrane_time_constant, threshold, reset, self.refractory, self.dt)

    def cell_types(self) -> np.ndarray:
        """(neuron,) "E" or "I"."""
        return cortex.cell_types(self.n_neurons, self.excitatory_fraction)

    def subject(self, rng: np.random.Generator) -> CorticalPatchSubject:
        """One patch: where everybody lies, who is connected to whom, how strongly and how late."""
        n, excitatory = self.n_neurons, self.cell_types() == "E"
        place = rng.uniform(0, cortex.edge_of(n, self.density), (n, 3))
        distance = np.sqrt(np.square(place[:, None] - place).sum(axis=2))
        touching = np.where(
            excitatory[:, None],
            np.where(excitatory, self.e_to_e, self.e_to_i),
            np.where(excitatory, self.i_to_e, self.i_to_i),
        )
        connected = rng.random((n, n)) < touching * np.exp(-(distance**2) / (2 * self.reach**2))
        np.fill_diagonal(connected, False)
        sizes = rng.standard_normal((n, n))
        spread = np.where(excitatory, self.epsp_spread, self.ipsp_spread)[:, None]
        mean = np.where(excitatory, self.epsp, -self.ipsp)[:, None]
        return CorticalPatchSubject(
            circuit=self,
            weights=np.where(connected, mean * np.exp(spread * sizes - spread**2 / 2), 0.0),
            delays=rng.uniform(*self.latency, (n, n)) + distance / self.velocity,
            external=self.external_mean + self.external_mean_spread * rng.standard_normal(n),
            anatomy=anatomy(place, self.cell_types().tolist()),
        )


@dataclass(frozen=True, eq=False)
class CorticalPatchSubject:
    """One patch: weights (pre, post), peaks [V]; delays (pre, post) [s]; external (neuron,) [V]; anatomy."""

    circuit: CorticalPatch
    weights: np.ndarray
    delays: np.ndarray
    external: np.ndarray
    anatomy: xr.Dataset

    @property
    def decays(self) -> np.ndarray:
        """(neuron,) [s]: of the currents that each neuron's synapses make."""
        circuit = self.circuit
        return np.where(circuit.cell_types() == "E", circuit.excitatory_decay, circuit.inhibitory_decay)

    @cached_property
    def jumps(self) -> np.ndarray:
        """(pre, post) [V]: of the potential, with the same integral as that which a spike makes."""
        tau = self.circuit.membrane_time_constant
        return self.weights * np.array([cortex.charge(tau, decay) for decay in self.decays])[:, None]

    @cached_property
    def working_point(self) -> WorkingPoint:
        """Rates and inputs that mean-field theory predicts from these weights, all dials at 0."""
        from simlab.simulators.lif_theory import working_point

        circuit = self.circuit
        return working_point(
            circuit.neuron,
            self.jumps,
            self.external,
            circuit.external_sd,
            synaptic=self.decays,
            outside=circuit.excitatory_decay,
        )

    @cached_property
    def confounds(self) -> Confounds:
        """What the circuit's dials come to in this patch."""
        circuit = self.circuit
        return Confounds.of(Dials.of(circuit), circuit.neuron, self.anatomy, lambda: (self.working_point, self.jumps))

    @property
    def network(self) -> SpikingNetwork:
        """What runs."""
        from simlab.simulators.spiking import SpikingNetwork

        circuit = self.circuit
        tau, outside = circuit.membrane_time_constant, circuit.excitatory_decay
        current = circuit.external_sd * np.sqrt((tau + outside) / outside)
        mean = self.external + self.confounds.offset
        neurons = patch_neurons.population(
            circuit.n_neurons, circuit.neuron, circuit.rest, circuit.inhibitory_decay, mean, current, outside
        )
        synapses = patch_neurons.synapses(self.jumps, self.delays, self.decays, tau)
        return SpikingNetwork((neurons,), synapses, name=circuit.name)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.spiking import simulate

        circuit = self.circuit
        drives = self.confounds.drives(session, circuit.burn_in, rng.spawn(1)[0])
        spikes = simulate(self.network, session, rng, drives=drives, burn_in=circuit.burn_in, dt=circuit.dt)
        return spikes.activity(session, circuit.n_neurons)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: the weights that ran, as peaks of the potential at rest [V]."""
        return truths.among(self.circuit.name, question, {"connectivity": lambda: truths.wiring(self.weights, "V")})
