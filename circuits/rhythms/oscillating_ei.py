"""Gamma from excitatory-inhibitory feedback: a population rhythm of neurons that each fire rarely and irregularly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import cortex
from circuits.networks.cortex import evenly
from circuits.rhythms.linear_theory import Cell, Populations
from circuits.rhythms.preferred import FREQUENCIES, preferred_frequency
from circuits.rhythms.spontaneous import Spontaneous
from simlab import truths
from simlab.contracts import Regime
from simlab.data import anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import (
    Delay,
    Drive,
    MembraneTimeConstant,
    Noise,
    Pause,
    Potential,
    Refractory,
    Share,
    Step,
    SynapticTimeConstant,
    Weight,
)
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.spiking import SpikingNetwork

EQUATIONS = """
    dv/dt = (rest - v + external + ie - ii + rheobase*perturbation)/tau + sigma*sqrt(2/(tau*dt))*eta : volt (unless refractory)
    die/dt = (x_e - ie)/decay_e : volt
    dx_e/dt = -x_e/rise : volt
    dii/dt = (x_i - ii)/decay_i : volt
    dx_i/dt = -x_i/rise : volt
    tau : second (constant)
    held : second (constant)
    external : volt (constant)
    rest : volt (shared, constant)
    v_threshold : volt (shared, constant)
    v_reset : volt (shared, constant)
    rheobase : volt (shared, constant)
    sigma : volt (shared, constant)
    rise : second (shared, constant)
    decay_e : second (shared, constant)
    decay_i : second (shared, constant)
"""  # noqa: E501 (one equation, one line)


MINUTE = 60
"""Trials of a second, from which a subject's rates and spectrum are taken."""


@dataclass(frozen=True)
class OscillatingEI:
    """Excitatory and inhibitory integrate-and-fire neurons whose asynchronous state is close to oscillating.

        tau_a dV/dt = rest - V + external_a + I_E - I_I + sigma sqrt(2 tau_a) xi(t),   spike at threshold, then reset
        decay dI/dt = x - I,   rise dx/dt = -x,   x_post += weight / (K rise) a latency after each of K neurons' spikes

    Excitation makes inhibitory neurons fire, and their inhibition, which builds up and decays within some milliseconds,
    silences all: population rates swing at 40 to 60 Hz while single neurons, driven by noise, fire at a few Hz in
    few of the cycles (Brunel & Wang 2003, J Neurophysiol 90:415; Brunel & Hakim 1999, Neural Comput 11:1621; gamma of
    cortex: Bartos, Vida & Jonas 2007, Nat Rev Neurosci 8:45). Time constants, potentials and latency follow Brunel &
    Wang. Weights are drives per rate of all presynaptic neurons, divided among them; every neuron gets the same number
    of synapses (Brunel 2000), and inhibition is dense, as that of fast-spiking cells is (Packer & Yuste 2011,
    J Neurosci 31:13260). Weights and drives were chosen by linear theory alone, for rates of 2 to 10 Hz of excitatory
    cells and a resonance that stands out: the asynchronous state is stable, and the noise of a finite network keeps the
    rhythm going, which so waxes and wanes as gamma does (Burns, Xing & Shapley 2011, J Neurosci 31:9658).

    Truth of `oscillation`: the preferred frequency (`preferred`) in the spectrum of the excitatory population over a
    minute of this very subject. The theory (`linear_theory`) gives it without simulation, some 5% too high for 800
    neurons and 10% for 200, whose fluctuations are no longer small against their rates (measured).
    """

    name: ClassVar[str] = "oscillating_ei"
    mechanism: ClassVar[str] = "recurrent rhythm"
    questions: ClassVar[tuple[str, ...]] = ("oscillation", "connectivity", "cell_type")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = cortex.CORTEX

    n_excitatory: Annotated[int, Within(10, 10_000)] = 160  # four to one (Brunel & Wang 2003: 4000 and 1000)
    n_inhibitory: Annotated[int, Within(4, 10_000)] = 40
    connections_ee: Share = 0.2  # share of all that each neuron hears (Brunel & Wang 2003: 0.2)
    connections_ei: Share = 0.5  # of excitatory neurons by an inhibitory one (Packer & Yuste 2011)
    connections_ie: Share = 0.5  # of inhibitory neurons by an excitatory one
    connections_ii: Share = 0.5
    weight_ee: Weight = 0.4e-3  # V/Hz
    weight_ei: Weight = 1.4e-3  # V/Hz, excitatory to inhibitory
    weight_ie: Weight = 1.0e-3  # V/Hz, inhibitory to excitatory, taken as negative
    weight_ii: Weight = 1.0e-3  # V/Hz, inhibitory to inhibitory, taken as negative
    rest: Potential = -70e-3  # V (Brunel & Wang 2003)
    threshold: Potential = -52e-3  # V (Brunel & Wang 2003)
    reset: Potential = -59e-3  # V (Brunel & Wang 2003)
    membrane_time_constant_e: MembraneTimeConstant = 20e-3  # s (Brunel & Wang 2003: 0.5 nF / 25 nS)
    membrane_time_constant_i: MembraneTimeConstant = 10e-3  # s (Brunel & Wang 2003: 0.2 nF / 20 nS)
    refractory_e: Refractory = 2e-3  # s (Brunel & Wang 2003)
    refractory_i: Refractory = 1e-3  # s (Brunel & Wang 2003)
    latency: Delay = 1e-3  # s (Brunel & Wang 2003)
    rise: Annotated[float, Within(2e-4, 0.1, "s")] = 0.5e-3  # s (Brunel & Wang 2003)
    decay_e: SynapticTimeConstant = 2e-3  # s, AMPA receptors (Brunel & Wang 2003)
    decay_i: SynapticTimeConstant = 5e-3  # s, GABA_A receptors (Brunel & Wang 2003)
    drive_e: Drive = 22e-3  # V, of the external input: inhibition takes it below threshold
    drive_i: Drive = 16e-3  # V
    noise: Noise = 5e-3  # V, sd of the free membrane (in vivo 2 to 6 mV: Destexhe et al. 2003)
    burn_in: Pause = 0.3  # s before each trial
    dt: Step = 1e-4  # s

    def __post_init__(self) -> None:
        check_fields(self)
        cortex.check_potentials(self.rest, self.reset, self.threshold)
        require(self.dt <= self.rise / 2, f"dt must be at most half of rise, {self.rise} s, got {self.dt}: use 1e-4")
        require(
            min(self.decay_e, self.decay_i) >= self.rise,
            f"decay_e and decay_i must be at least rise, {self.rise} s, got {self.decay_e} and {self.decay_i}: "
            "currents decay more slowly than they rise",
        )

    @property
    def sizes(self) -> tuple[int, int]:
        """Excitatory and inhibitory neurons."""
        return self.n_excitatory, self.n_inhibitory

    @property
    def n_neurons(self) -> int:
        """Of both kinds."""
        return sum(self.sizes)

    @property
    def weights(self) -> np.ndarray:
        """(pre kind, post kind) [V/Hz], signed."""
        return np.array([[self.weight_ee, self.weight_ei], [-self.weight_ie, -self.weight_ii]])

    @property
    def heard(self) -> np.ndarray:
        """(pre kind, post kind): how many neurons of a kind each neuron of another hears, at least one."""
        share = np.array([[self.connections_ee, self.connections_ei], [self.connections_ie, self.connections_ii]])
        most = np.array([[self.n_excitatory - 1, self.n_excitatory], [self.n_inhibitory, self.n_inhibitory - 1]])
        return np.clip(np.round(share * np.array(self.sizes)[:, None]).astype(int), 1, most)

    def theory(self) -> Populations:
        """Its linear-response theory; potentials count from rest."""
        threshold, reset = self.threshold - self.rest, self.reset - self.rest
        cells = (
            Cell(self.membrane_time_constant_e, threshold, reset, self.refractory_e, self.dt),
            Cell(self.membrane_time_constant_i, threshold, reset, self.refractory_i, self.dt),
        )
        synapses = tuple((self.latency, self.rise, decay) for decay in (self.decay_e, self.decay_i))
        drives, noises = np.array([self.drive_e, self.drive_i]), np.full(2, self.noise)
        return Populations(cells, drives, noises, self.weights, np.array(self.sizes), self.heard, synapses)

    def predicted_rhythm(self) -> float | None:
        """The preferred frequency [Hz] of the excitatory population in linear theory, None where it has none."""
        _, spectra = self.theory().spectra(FREQUENCIES)
        return preferred_frequency(FREQUENCIES, np.real(spectra[:, 0, 0]))

    def prior(self, rng: np.random.Generator) -> OscillatingEI:
        """Weights and drives within a third of these, decays as published; drawn until theory sees a rhythm."""
        while True:
            scaled = {w: getattr(self, w) * evenly(rng, 0.75, 1.3) for w in ("weight_ee", "weight_ei", "weight_ie")}
            drawn = replace(
                self,
                **scaled,
                decay_i=evenly(rng, 4e-3, 8e-3),  # Bartos, Vida & Jonas 2007
                latency=evenly(rng, 0.5e-3, 1.5e-3),  # Bartos, Vida & Jonas 2007
                drive_e=self.drive_e + evenly(rng, -2e-3, 2e-3),
            )
            if drawn.predicted_rhythm() is not None:
                return drawn

    def subject(self, rng: np.random.Generator) -> OscillatingEISubject:
        """One network: whom each neuron hears, and where everybody lies."""
        kinds = np.repeat([0, 1], self.sizes)
        connected = np.zeros((self.n_neurons, self.n_neurons), dtype=bool)
        for post in range(self.n_neurons):
            for kind in (0, 1):
                others = np.flatnonzero((kinds == kind) & (np.arange(self.n_neurons) != post))
                connected[rng.choice(others, self.heard[kind, kinds[post]], replace=False), post] = True
        weights = np.where(connected, (self.weights / self.heard)[np.ix_(kinds, kinds)], 0.0)
        place = rng.uniform(0, cortex.edge_of(self.n_neurons, cortex.DENSITY), (self.n_neurons, 3))
        return OscillatingEISubject(self, weights, anatomy(place, np.where(kinds == 0, "E", "I").tolist()))


@dataclass(frozen=True, eq=False)
class OscillatingEISubject:
    """One network: weights (pre, post) [V s], the drive [V] that a rate of the presynaptic neuron makes; anatomy."""

    circuit: OscillatingEI
    weights: np.ndarray
    anatomy: xr.Dataset

    @cached_property
    def network(self) -> SpikingNetwork:
        """What runs: neurons, excitatory synapses and inhibitory ones."""
        from simlab.simulators.spiking import Population, SpikingNetwork, SynapseSet

        c, kinds = self.circuit, np.repeat([0, 1], self.circuit.sizes)
        neurons = Population(
            n_neurons=c.n_neurons, equations=EQUATIONS, threshold="v > v_threshold", reset="v = v_reset",
            refractory="held",
            parameters={
                "tau": np.array([c.membrane_time_constant_e, c.membrane_time_constant_i])[kinds],
                "held": np.array([c.refractory_e, c.refractory_i])[kinds],
                "external": np.array([c.drive_e, c.drive_i])[kinds],
                "rest": c.rest, "v_threshold": c.threshold, "v_reset": c.reset, "rheobase": c.threshold - c.rest,
                "sigma": c.noise, "rise": c.rise, "decay_e": c.decay_e, "decay_i": c.decay_i,
            },
            initial={"v": (c.reset, c.threshold)},
        )  # fmt: skip
        sets = []
        for kind, target in ((0, "x_e"), (1, "x_i")):
            pre, post = np.nonzero(self.weights * (kinds == kind)[:, None])
            size = np.abs(self.weights[pre, post]) / c.rise
            sets.append(SynapseSet(pre, post, size, c.latency, target=target))
        return SpikingNetwork((neurons,), tuple(sets), name=c.name)

    @cached_property
    def spontaneous(self) -> Spontaneous:
        """A minute of its own activity, what rivals are matched on and the truth is read from."""
        session = Session(MINUTE, 1.0)
        return Spontaneous.of(self.run(session, np.random.default_rng(0)), self.anatomy["cell_type"].values == "E")

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.spiking import simulate

        spikes = simulate(self.network, session, rng, burn_in=self.circuit.burn_in, dt=self.circuit.dt)
        return spikes.activity(session, self.circuit.n_neurons)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`oscillation`: of its spectrum over a minute; `connectivity`: the weights that ran; `cell_type`: their
        signs."""
        answers = {
            "oscillation": lambda: self.spontaneous.rhythm_truth(),
            "connectivity": lambda: truths.wiring(self.weights, "V s"),
            "cell_type": lambda: truths.cell_types(self.anatomy),
        }
        return truths.among(self.circuit.name, question, answers)
