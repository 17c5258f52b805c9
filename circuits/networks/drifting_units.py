"""Poisson neurons whose rates drift on their own over minutes: slow correlations that no wiring has made."""

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

STEP = 0.5
"""Seconds in which a rate stays as it is: a tenth of the fastest drift's time constant."""


@dataclass(frozen=True)
class DriftingUnits:
    """Neurons that know nothing of one another, each with a rate that wanders about the one it would have in `like`.

        rate_i(t) = rate_i exp(spread z_i(t) - spread^2 / 2)
        dz_i = -z_i dt / time_constant + sqrt(2 / time_constant) dW_i

    z_i: independent Ornstein-Uhlenbeck processes of variance 1, random walks in a session shorter than `time_constant`;
    they go on from trial to trial, as trials follow one another without a pause. Two of them are uncorrelated, yet in
    any one session of a few time constants their correlation is far from 0 (Yule 1926, J R Stat Soc 89:1; in neurons:
    Harris 2020, bioRxiv 2020.11.29.402719; Elber-Dorozko & Loewenstein 2018, eLife 7:e34248). At a given rate a neuron
    is Poisson with an absolute refractory period, as those of `independent_poisson`, from which it differs by the drift
    alone (`spread` 0: not at all). Mean rates are the network's, over many sessions.
    """

    name: ClassVar[str] = "drifting_units"
    mechanism: ClassVar[str] = "independent neurons"
    twin_of: ClassVar[tuple[str, ...]] = ("balanced_ei",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "effect")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: BalancedEI = field(default_factory=BalancedEI)  # the network whose rates it copies
    spread: Annotated[float, Within(0, 2)] = 0.3
    """Standard deviation of the log rate over time. In a session of seconds a spread of 0.5 shows as rates that differ
    more among neurons than the network's do; over cortical neurons it is about 1 (Buzsaki & Mizuseki 2014)."""
    time_constant: Annotated[float, Within(5, 100_000, "s")] = 60.0
    """s; rates drift over minutes (Elber-Dorozko & Loewenstein 2018: over tens of trials)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: BalancedEI) -> DriftingUnits:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> DriftingUnitsSubject:
        """The rates of one twin."""
        twin = self.like.subject(rng)
        return DriftingUnitsSubject(self, twin.working_point, unconnected.places(twin))


@dataclass(frozen=True, eq=False)
class DriftingUnitsSubject:
    """One population: inputs and mean rates matched to its twin's."""

    circuit: DriftingUnits
    matched: WorkingPoint
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.renewal import Columns, refractory_poisson

        dead_time = self.circuit.like.refractory

        def draw(rates: Iterable[np.ndarray], edges: np.ndarray) -> Columns:
            factors = self.factors(session, edges[:-1], rng)
            return refractory_poisson(unconnected.scaled(rates, factors, dead_time), edges, dead_time, rng)

        steps = np.arange(STEP, session.duration, STEP)
        return unconnected.run(self.circuit.like, self.matched, session, rng, draw, steps)

    def factors(self, session: Session, starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(segment, trial, neuron): what rates are multiplied by, from each start (segment,) [s] in a trial on."""
        spread, n_neurons = self.circuit.spread, self.circuit.like.n_neurons
        z = unconnected.wandering(session, starts, n_neurons, self.circuit.time_constant, rng)
        return np.exp(spread * z - spread**2 / 2)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity` and `effect`: no synapse at all, and so no response."""
        return unconnected.truth(self.circuit.name, question, self.circuit.like.n_neurons)
