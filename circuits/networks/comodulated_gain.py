"""Poisson neurons whose excitability rises and falls together: correlations of gain, without any wiring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import unconnected
from circuits.networks.balanced_ei import BalancedEI
from simlab.rules import Within, check_fields
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import WorkingPoint
    from simlab.simulators.renewal import Columns

STEPS = 10
"""In each time constant of a gain: it stays as it is within a step."""

Variance = Annotated[float, Within(0, 2)]
TimeConstant = Annotated[float, Within(0.05, 10_000, "s")]


@dataclass(frozen=True)
class ComodulatedGain:
    """Doubly stochastic neurons: each at the rate that it would have in `like`, times a shared and a private gain.

        rate_i(t) = rate_i G_i(t),   G_i = exp(a_i s(t) - a_i^2 / 2) exp(b p_i(t) - b^2 / 2)
        a_i = l_i sqrt(log(1 + shared_variance)),   b = sqrt(log(1 + private_variance))
        s, p_i: Ornstein-Uhlenbeck processes of variance 1,   l_i ~ N(1, loading_spread), at least 0

    so that gains have the mean 1 and, at l_i = 1, the stated variances. Multiplicative gain that is partly shared is
    what most of the variability and correlation of cortical counts beyond Poisson amounts to (Goris, Movshon &
    Simoncelli 2014, Nat Neurosci 17:858; Ecker et al. 2014, Neuron 82:235; Rabinowitz et al. 2015, eLife 4:e08998).
    Counts of i and j in windows of T covary by r_i r_j times the integral of exp(a_i a_j c(u)) - 1 over pairs of
    moments u apart, c(u) = exp(-|u| / shared_time_constant): more so the higher the rates, and never with a direction.
    Gains go on from trial to trial, as trials follow one another without a pause. At a given rate a neuron is Poisson
    with an absolute refractory period, as those of `independent_poisson`.
    """

    name: ClassVar[str] = "comodulated_gain"
    mechanism: ClassVar[str] = "shared gain"
    twin_of: ClassVar[tuple[str, ...]] = ("balanced_ei",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "effect")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: BalancedEI = field(default_factory=BalancedEI)  # the network whose rates it copies
    shared_variance: Variance = 0.05
    """Of the shared gain: a part of the 0.1 or so that gains vary by in all (Goris et al. 2014)."""
    private_variance: Variance = 0.05  # of each neuron's own gain (Goris et al. 2014: neurons of a pair share a part)
    shared_time_constant: TimeConstant = 0.5
    """s; from hundreds of milliseconds under anaesthesia (Ecker et al. 2014) to minutes (Goris et al. 2014)."""
    private_time_constant: TimeConstant = 5.0  # s
    loading_spread: Annotated[float, Within(0, 2)] = 0.3
    """Standard deviation over neurons of how much of the shared gain reaches each (Rabinowitz et al. 2015)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: BalancedEI) -> ComodulatedGain:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> ComodulatedGainSubject:
        """The rates of one twin, and how much of the shared gain each neuron has."""
        twin = self.like.subject(rng)
        loading = np.maximum(rng.normal(1.0, self.loading_spread, self.like.n_neurons), 0.0)
        return ComodulatedGainSubject(self, twin.working_point, loading, unconnected.places(twin))


@dataclass(frozen=True, eq=False)
class ComodulatedGainSubject:
    """One population: inputs and mean rates matched to its twin's, and loadings (neuron,) on the shared gain."""

    circuit: ComodulatedGain
    matched: WorkingPoint
    loading: np.ndarray
    anatomy: xr.Dataset

    @property
    def log_sd(self) -> tuple[np.ndarray, float]:
        """Standard deviations of the log gain: of the shared one (neuron,), and of the private one."""
        circuit = self.circuit
        shared, private = (np.sqrt(np.log1p(v)) for v in (circuit.shared_variance, circuit.private_variance))
        return self.loading * shared, float(private)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.renewal import refractory_poisson

        circuit, dead_time = self.circuit, self.circuit.like.refractory

        def draw(rates: Iterable[np.ndarray], edges: np.ndarray) -> Columns:
            gains = self.gains(session, edges[:-1], rng)
            return refractory_poisson(unconnected.scaled(rates, gains, dead_time), edges, dead_time, rng)

        step = min(circuit.shared_time_constant, circuit.private_time_constant) / STEPS
        return unconnected.run(circuit.like, self.matched, session, rng, draw, np.arange(step, session.duration, step))

    def gains(self, session: Session, starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(segment, trial, neuron): what rates are multiplied by, from each start (segment,) [s] in a trial on."""
        circuit, (shared, private) = self.circuit, self.log_sd
        common = unconnected.wandering(session, starts, 1, circuit.shared_time_constant, rng)
        own = unconnected.wandering(session, starts, len(shared), circuit.private_time_constant, rng)
        return np.exp(shared * common + private * own - (shared**2 + private**2) / 2)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: no synapse at all."""
        return unconnected.truth(self.circuit.name, question, self.circuit.like.n_neurons)
