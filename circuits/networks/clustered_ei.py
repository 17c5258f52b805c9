"""Assemblies by wiring: excitatory neurons in clusters, which take turns in being active."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import cortex
from simlab import truths
from simlab.contracts import Regime
from simlab.data import anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import (
    MembraneTimeConstant,
    Pause,
    Potential,
    Refractory,
    Share,
    Step,
    SynapticTimeConstant,
)
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.spiking import SpikingNetwork

EQUATIONS = """
    dv/dt = (rest - v + external + rheobase*perturbation)/tau + g_e - g_i : volt (unless refractory)
    dg_e/dt = (x_e - g_e)/decay_e : volt/second
    dx_e/dt = -x_e/rise : volt/second
    dg_i/dt = (x_i - g_i)/decay_i : volt/second
    dx_i/dt = -x_i/rise : volt/second
    tau : second (constant)
    external : volt (constant)
    rest : volt (shared, constant)
    v_threshold : volt (shared, constant)
    rheobase : volt (shared, constant)
    rise : second (shared, constant)
    decay_e : second (shared, constant)
    decay_i : second (shared, constant)
"""

PUBLISHED = 4000
"""Excitatory neurons for which the weights are stated."""

Weight = Annotated[float, Within(0, 10)]
"""Of a synapse: by how much a spike moves the potential, in distances from reset to threshold."""

Over = Annotated[float, Within(0, 10)]
"""An external input: where it alone would take the potential, in the same distances from reset."""

CLUSTERED = Regime(
    source="rates and CV of cortex: see `circuits.networks.cortex`; Fano factor of counts "
    "in 100 ms above 1, as clusters switch (Litwin-Kumar & Doiron 2012, figs. 2 and 3, from memory: about 1.5)",
    rate=(0.5, 20.0),
    silent=(0.0, 0.5),
    interval_cv=(0.5, 1.8),
    fano=(0.8, 4.0),
    correlation=(-0.02, 0.3),
)


@dataclass(frozen=True)
class ClusteredEI:
    """A balanced network of integrate-and-fire neurons whose excitatory ones contact their own cluster more.

        tau_a dV/dt = external_a - V + tau_a sum_j J_j sum_k F(t - t_jk),   spike at V = 1, then V = 0 for `refractory`
        F(t) = (exp(-t/decay) - exp(-t/rise)) / (decay - rise)

    Litwin-Kumar & Doiron (2012, Nat Neurosci 15:1498; parameters as in their public code, from memory): pairs of one
    cluster are connected `likelier` times as often as others, and `stronger` times as strongly. Clusters of neurons
    that excite each other become active and silence the rest by way of the inhibitory neurons, until another one takes
    over; so rates vary slowly, and counts more from trial to trial than in a network without clusters, while the mean
    drive is balanced in both. Nothing is random but the wiring, the external inputs and where potentials begin.

    Smaller here: 400 and 100 neurons of their 4000 and 1000, in ten clusters of 40 of their fifty of 80. As there,
    weights grow as one over the square root of the network's size; and the mean weight among excitatory neurons is kept
    at that of a network without clusters, since what a tenth of all inputs gains would else be a fifth of the
    excitation (of a fiftieth: 4%). A cluster then excites itself beyond the average as strongly as there (1.5 against
    1.4 times the distance to threshold, if all its neurons fire once). Of several sizes and numbers of clusters that
    were simulated this one was kept: unscaled, such a small network fires at more than 30 Hz.

    Truth of `assemblies`: the clusters; an inhibitory neuron, which contacts all alike, is a group of its own.
    """

    name: ClassVar[str] = "clustered_ei"
    mechanism: ClassVar[str] = "clustered wiring"
    questions: ClassVar[tuple[str, ...]] = ("assemblies", "connectivity", "cell_type")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")
    regime: ClassVar[Regime] = CLUSTERED

    n_excitatory: Annotated[int, Within(4, 10_000)] = 400
    n_inhibitory: Annotated[int, Within(1, 10_000)] = 100
    clusters: Annotated[int, Within(1, 1000)] = 10
    likelier: Annotated[float, Within(1, 100)] = 2.5  # within a cluster: R_EE (Litwin-Kumar & Doiron 2012)
    stronger: Annotated[float, Within(1, 100)] = 1.9  # within a cluster (the same)
    connections_ee: Share = 0.2  # of pairs, on average
    connections: Share = 0.5  # of all other pairs
    weight_ee: Weight = 0.024  # with 4000 excitatory neurons
    weight_ei: Weight = 0.014  # of excitatory on inhibitory neurons
    weight_ie: Weight = 0.045  # of inhibitory on excitatory ones, taken as negative
    weight_ii: Weight = 0.057  # taken as negative
    external_e: tuple[Over, Over] = (1.1, 1.2)  # uniform over neurons
    external_i: tuple[Over, Over] = (1.0, 1.05)
    membrane_time_constant_e: MembraneTimeConstant = 15e-3  # s
    membrane_time_constant_i: MembraneTimeConstant = 10e-3  # s
    refractory: Refractory = 5e-3  # s
    rise: Annotated[float, Within(2e-4, 0.1, "s")] = 1e-3  # s
    decay_e: SynapticTimeConstant = 3e-3  # s
    decay_i: SynapticTimeConstant = 2e-3  # s
    threshold: Potential = -50e-3  # V; the model has no units: 15 mV are usual
    reset: Potential = -65e-3  # V
    contacts: Annotated[float, Within(1, 100)] = 4.5  # synapses of a connected pair, mean (as in `balanced_ei`)
    burn_in: Pause = 0.5  # s before each trial
    dt: Step = 1e-4  # s

    def __post_init__(self) -> None:
        check_fields(self)
        cortex.check_potentials(self.reset, self.reset, self.threshold)
        for name in ("external_e", "external_i"):
            low, high = getattr(self, name)
            require(low <= high, f"{name} must be (lowest, highest), got {(low, high)}: write the lower one first")
        require(
            2 * self.clusters <= self.n_excitatory,
            f"clusters hold two neurons at least, got clusters={self.clusters} of n_excitatory={self.n_excitatory}: "
            f"take {self.n_excitatory // 2} at most",
        )
        require(self.dt <= self.rise / 2, f"dt must be at most half of rise, {self.rise} s, got {self.dt}: use 1e-4")
        require(
            min(self.decay_e, self.decay_i) >= self.rise,
            f"decay_e and decay_i must be at least rise, {self.rise} s, got {self.decay_e} and {self.decay_i}: "
            "currents decay more slowly than they rise",
        )
        most = self._probabilities(self._same(self.cluster())).max()
        require(
            most <= 1,
            f"likelier times the probability of others must be at most 1, got likelier={self.likelier} and so "
            f"{most:.3g} within a cluster: lower it or connections_ee ({self.connections_ee}), or change clusters "
            f"({self.clusters}) or n_excitatory ({self.n_excitatory})",
        )

    @property
    def n_neurons(self) -> int:
        """Of both kinds."""
        return self.n_excitatory + self.n_inhibitory

    def cluster(self) -> np.ndarray:
        """(excitatory neuron,) the number of its cluster."""
        return np.arange(self.n_excitatory) * self.clusters // self.n_excitatory

    def subject(self, rng: np.random.Generator) -> ClusteredSubject:
        """One network: who contacts whom, what reaches each from outside, and where everybody lies."""
        return ClusteredSubject.drawn(self, self, self.cluster(), rng)

    def weights(self, cluster: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(pre, post) [V], signed, of a network with these clusters: jumps of the potential, without its leak."""
        n, excites = self.n_excitatory, np.arange(self.n_neurons) < self.n_excitatory
        size = np.array([[self.weight_ee, self.weight_ei], [-self.weight_ie, -self.weight_ii]])
        kind = (~excites).astype(int)
        weight = size[kind[:, None], kind] * np.sqrt(PUBLISHED / n) * (self.threshold - self.reset)
        probability = np.full(weight.shape, self.connections)
        same = self._same(cluster)
        probability[:n, :n] = self._probabilities(same)
        gain = np.where(same, self.stronger, 1.0)
        off = ~np.eye(n, dtype=bool)
        weight[:n, :n] *= gain * self.connections_ee / (probability[:n, :n] * gain)[off].mean()
        connected = rng.random(weight.shape) < probability
        np.fill_diagonal(connected, False)
        return np.where(connected, weight, 0.0)

    @staticmethod
    def _same(cluster: np.ndarray) -> np.ndarray:
        return np.asarray(cluster[:, None] == cluster)

    def _probabilities(self, same: np.ndarray) -> np.ndarray:
        """(excitatory, excitatory): so that `connections_ee` of all pairs are connected."""
        relative = np.where(same, self.likelier, 1.0)
        n = len(same)
        return relative * self.connections_ee * n * (n - 1) / (relative.sum() - np.trace(relative))


@dataclass(frozen=True, eq=False)
class ClusteredSubject:
    """One network: weights (pre, post) [V], external (neuron,) [V], cluster (excitatory neuron,), anatomy.

    network_of: whose parameters the neurons have; circuit: the species, which may be a rival of that.
    """

    circuit: Any
    network_of: ClusteredEI
    weights: np.ndarray
    external: np.ndarray
    cluster: np.ndarray
    anatomy: xr.Dataset

    @classmethod
    def drawn(
        cls, circuit: Any, network_of: ClusteredEI, cluster: np.ndarray, rng: np.random.Generator
    ) -> ClusteredSubject:
        """A network with these clusters."""
        of = network_of
        weights = of.weights(cluster, rng)
        over = [rng.uniform(*of.external_e, of.n_excitatory), rng.uniform(*of.external_i, of.n_inhibitory)]
        place = rng.uniform(0, cortex.edge_of(of.n_neurons, cortex.DENSITY), (of.n_neurons, 3))
        kinds = ["E"] * of.n_excitatory + ["I"] * of.n_inhibitory
        contacts = (1 + rng.poisson(of.contacts - 1, weights.shape)) * (weights != 0)
        external = np.concatenate(over) * (of.threshold - of.reset)
        return cls(circuit, of, weights, external, cluster, anatomy(place, kinds, contacts=contacts))

    @property
    def groups(self) -> np.ndarray:
        """(neuron,) clusters, and groups of their own for inhibitory neurons; a single group where there is one."""
        if self.cluster.max() == 0:
            return np.zeros(self.network_of.n_neurons, dtype=int)
        alone = self.cluster.max() + 1 + np.arange(self.network_of.n_inhibitory)
        return np.concatenate([self.cluster, alone])

    @property
    def network(self) -> SpikingNetwork:
        """What runs: neurons, excitatory synapses and inhibitory ones."""
        from simlab.simulators.spiking import Population, SpikingNetwork, SynapseSet

        c = self.network_of
        sizes = (c.n_excitatory, c.n_inhibitory)
        neurons = Population(
            n_neurons=c.n_neurons, equations=EQUATIONS, threshold="v > v_threshold", reset="v = rest",
            refractory=c.refractory,
            parameters={
                "tau": np.repeat([c.membrane_time_constant_e, c.membrane_time_constant_i], sizes),
                "external": self.external, "rest": c.reset, "v_threshold": c.threshold,
                "rheobase": c.threshold - c.reset, "rise": c.rise, "decay_e": c.decay_e, "decay_i": c.decay_i,
            },
            initial={"v": (c.reset, c.threshold)},
        )  # fmt: skip
        sets = []
        for sign, target in ((1, "x_e"), (-1, "x_i")):
            pre, post = np.nonzero(sign * self.weights > 0)
            sets.append(SynapseSet(pre, post, np.abs(self.weights[pre, post]) / c.rise, 0.0, target=target))
        return SpikingNetwork((neurons,), tuple(sets), name=self.circuit.name)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.spiking import simulate

        spikes = simulate(self.network, session, rng, burn_in=self.network_of.burn_in, dt=self.network_of.dt)
        return spikes.activity(session, self.network_of.n_neurons)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`assemblies`: the clusters; `connectivity`: the weights that ran [V]; `cell_type`: their signs."""
        answers = {
            "assemblies": lambda: truths.per_neuron(group=self.groups),
            "connectivity": lambda: truths.wiring(self.weights, "V"),
            "cell_type": lambda: truths.cell_types(self.anatomy),
        }
        return truths.among(self.circuit.name, question, answers)
