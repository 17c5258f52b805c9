"""LIF neurons without synapses that hidden sources reach one after another: sharp, directed peaks that mean nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import unconnected
from circuits.networks.balanced_ei import BalancedEI, lif
from simlab.contracts import SimlabError
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Delay
from simlab.session import Effect, Session, effects_on

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import WorkingPoint
    from simlab.simulators.spiking import Population, SpikingNetwork

FIRST_DELAY = 1e-3
"""Seconds from a source to the first neuron that it reaches."""


@dataclass(frozen=True)
class CommonCauseChain:
    """The neurons of `like` with every synapse cut, in a chain without gaps of common causes that are not recorded.

        tau dV_i/dt = rest - V_i + mean_i + sd_i sqrt(2 tau) xi_i(t) + tau w sum_k sum_m delta(t - t_km - d_ki)

    Neurons stand in a random closed order. Source k, a Poisson process of `source_rate`, reaches the k-th in that order
    and the `fan` - 1 that follow it, each later than the one before by a `lag` of its own. So any two near neighbours
    share causes, the correlogram of each pair has a narrow peak to one side, and the peaks agree on an order a -> b ->
    c ..., as chains of synapses make them, although a spike of any neuron changes nobody. Strong shared inputs with
    precise timing: one retinal cell drives several thalamic cells, thalamic axons many cortical ones (Alonso, Usrey &
    Reid 1996, Nature 383:815; Usrey, Alonso & Reid 2000, J Neurosci 20:5461); that delays turn these into apparent
    connections: Brody 1999, Neural Comput 11:1537; Stevenson et al. 2008, Curr Opin Neurobiol 18:582.

    Each subject is matched to a twin drawn from `like` without simulation. mean_i and sd_i make up for the sources, so
    that each neuron has the mean and variance of all input that mean-field theory gives it in the twin's network, and
    its rate. A source's jump w is set by linear response such that two neurons that share it have as many coincidences
    beyond chance (source_rate (w tau gain)^2) as `strength` synapses of the twin's mean EPSP e make (rate e tau gain);
    jumps of w, some 3 mV, in fact make a third more.
    """

    name: ClassVar[str] = "common_cause_chain"
    mechanism: ClassVar[str] = "common drive"
    twin_of: ClassVar[tuple[str, ...]] = ("balanced_ei",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "effect")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: BalancedEI = field(default_factory=BalancedEI)  # the network whose rates and peaks it copies
    fan: Annotated[int, Within(2, 1000)] = 4
    """Neurons that a source reaches, all of them if there are fewer; each neuron shares causes with 2 (fan - 1) others.
    A thalamic axon reaches many more, but few with the same delay."""
    lag: tuple[Delay, Delay] = (1e-3, 3e-3)
    """s, uniform, from one neuron of the chain to the next: conduction to places some 0.5 mm apart at 0.3 m/s."""
    source_rate: Annotated[float, Within(0.1, 500, "Hz")] = 20.0  # Hz; retina and thalamus fire at 10 to 40 Hz
    strength: Annotated[float, Within(0, 100)] = 1.0
    """Of a pair's shared cause, in synapses of the twin's mean EPSP; 0 leaves independent neurons."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.lag[0] <= self.lag[1], f"lag must be (shortest, longest), got {self.lag}: write the shorter first")
        require(
            self.source_rate * self.like.dt <= 0.1,
            f"source_rate must be at most a tenth of the steps of `like` ({0.1 / self.like.dt:g} Hz), "
            f"got {self.source_rate}: a source fires once in a step at most",
        )

    def imitating(self, circuit: BalancedEI) -> CommonCauseChain:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    @property
    def reached(self) -> int:
        """How many neurons each source reaches."""
        return min(self.fan, self.like.n_neurons)

    def subject(self, rng: np.random.Generator) -> CommonCauseChainSubject:
        """The neurons of one twin, in a random order along which their hidden causes act."""
        twin = self.like.subject(rng)
        point, tau = twin.working_point, self.like.membrane_time_constant
        gain = self.like.neuron.gain(*point.input).mean()
        jump = np.sqrt(
            self.strength * point.rate.mean() * self.like.epsp * self.like.charge / (self.source_rate * tau * gain)
        )
        arriving = self.reached * self.source_rate
        left = point.sd**2 - tau / 2 * arriving * jump**2
        if left.min() <= 0:
            raise SimlabError(
                f"the sources may not exceed a neuron's total input noise, got {1 - (left / point.sd**2).min():.2f} of "
                "its variance: lower `strength` or `fan`"
            )
        return CommonCauseChainSubject(
            self,
            matched=point,
            order=rng.permutation(self.like.n_neurons),
            lags=rng.uniform(*self.lag, self.like.n_neurons),
            jump=float(jump),
            external=point.mean - tau * arriving * jump,
            private_sd=np.sqrt(left),
            anatomy=unconnected.places(twin),
        )


@dataclass(frozen=True, eq=False)
class CommonCauseChainSubject:
    """One population. order (place,): the neuron at each place of the chain; lags (place,) [s]: from it to the next.

    jump [V]: of the potential, at each spike of a source. external, private_sd (neuron,) [V]: all other input.
    """

    circuit: CommonCauseChain
    matched: WorkingPoint
    order: np.ndarray
    lags: np.ndarray
    jump: float
    external: np.ndarray
    private_sd: np.ndarray
    anatomy: xr.Dataset

    @property
    def network(self) -> SpikingNetwork:
        """What runs: the neurons, then as many sources, and the sources' synapses onto the neurons alone."""
        from simlab.simulators.spiking import SpikingNetwork, SynapseSet

        n, fan = len(self.order), self.circuit.reached
        source, step = np.divmod(np.arange(n * fan), fan)
        since = np.concatenate([[0.0], np.cumsum(np.tile(self.lags, 2))])
        delay = FIRST_DELAY + since[source + step] - since[source]
        post = self.order[(source + step) % n]
        synapses = SynapseSet(source + n, post, np.full(n * fan, self.jump), delay, target="v")
        populations = (lif(self.circuit.like, self.external, self.private_sd), self._sources())
        return SpikingNetwork(populations, (synapses,), name=self.circuit.name)

    def _sources(self) -> Population:
        """Poisson processes, as many as neurons."""
        from simlab.simulators.spiking import Population

        gate = -NormalDist().inv_cdf(self.circuit.source_rate * self.circuit.like.dt)
        return Population(
            n_neurons=len(self.order),
            equations="chance = eta_source : 1\ngate : 1 (shared, constant)",
            threshold="chance > gate",
            parameters={"gate": gate},
        )

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons; the sources are none of them."""
        from simlab.simulators.spiking import simulate

        like, n = self.circuit.like, len(self.order)
        beyond = replace(session, perturbations=tuple(_padded(e, n) for e in effects_on(session, n)))
        spikes = simulate(self.network, beyond, rng, burn_in=like.burn_in, dt=like.dt)
        seen = spikes.neuron < n
        columns = {name: getattr(spikes, name)[seen] for name in ("trial", "time", "neuron", "later")}
        return replace(spikes, **columns).activity(session, n)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: no synapse at all."""
        return unconnected.truth(self.circuit.name, question, len(self.order))


def _padded(effect: Effect, n: int) -> Effect:
    """An effect on n neurons that leaves as many sources after them alone."""
    nothing = {"drive": 0.0, "hold": np.nan, "gain": 1.0}[effect.kind]
    width = [(0, 0)] + [(0, n)] * (effect.steps.ndim - 1)
    return replace(effect, values=np.pad(effect.steps, width, constant_values=nothing))
