"""Neurons that are each irregular in its own way, and whose intervals follow one another: no wiring, no Poisson."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import unconnected
from circuits.networks.balanced_ei import BalancedEI
from simlab.rules import Within, check_fields, require
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import WorkingPoint
    from simlab.simulators.renewal import Columns

STEPS = 10
"""In each time constant of a rate's fluctuation: it stays as it is within a step."""

Cv = Annotated[float, Within(0.2, 3)]


@dataclass(frozen=True)
class IrregularUnits:
    """Units as those of `bursting_units`, of which each has a variability of its own, and a rate that fluctuates.

        interval = d + wait,   integral of h_i over the wait ~ Gamma(k_i) / k_i,   k_i = ((1 - rate_i d) / cv_i)^2
        h_i(t) = r_i(t) / (1 - r_i(t) d),   r_i(t) = rate_i exp(fluctuation z_i(t) - fluctuation^2 / 2)
        z_i: independent Ornstein-Uhlenbeck processes of variance 1 and time constant `correlation_time`

    cv_i is drawn uniformly from `cv` for each unit: (1, 1) makes all alike, (0.5, 2) mixes regular with bursting ones
    (cortical neurons: 0.5 to 1.5, Shinomoto et al. 2003, Neural Comput 15:2823; bursting ones 2 and above). It is the
    variability at a steady rate; the fluctuation adds to it, and makes short intervals follow short ones, so that
    trains are no renewal processes: autocorrelated over `correlation_time` (serial correlations of intervals: Farkhooi,
    Strube-Bloss & Nawrot 2009, Phys Rev E 79:021905). Rates, and how they answer currents and holds, are matched as in
    `independent_poisson`, which this is with cv (1, 1) and no fluctuation. The rates of `drifting_units` wander over
    minutes.
    """

    name: ClassVar[str] = "irregular_units"
    mechanism: ClassVar[str] = "independent neurons"
    twin_of: ClassVar[tuple[str, ...]] = ("balanced_ei",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "effect")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: BalancedEI = field(default_factory=BalancedEI)  # the network whose rates it copies
    cv: tuple[Cv, Cv] = (0.5, 1.5)
    """Lowest and highest of a unit's intervals (Shinomoto et al. 2003)."""
    fluctuation: Annotated[float, Within(0, 1.5)] = 0.3
    """Standard deviation of the log rate over time (Churchland & Abbott 2012, Nat Neurosci 15:1472: rates that vary on
    their own are the better part of what counts vary by beyond Poisson)."""
    correlation_time: Annotated[float, Within(0.02, 10, "s")] = 0.2  # s; intrinsic timescales (Murray et al. 2014)

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.cv[0] <= self.cv[1], f"cv must be (lowest, highest), got {self.cv}: write the lower one first")

    def imitating(self, circuit: BalancedEI) -> IrregularUnits:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> IrregularUnitsSubject:
        """The rates of one twin, and how irregular each unit is."""
        twin = self.like.subject(rng)
        return IrregularUnitsSubject(
            self, twin.working_point, rng.uniform(*self.cv, self.like.n_neurons), unconnected.places(twin)
        )


@dataclass(frozen=True, eq=False)
class IrregularUnitsSubject:
    """One population: inputs and mean rates matched to its twin's, and the cv (neuron,) of each unit's intervals."""

    circuit: IrregularUnits
    matched: WorkingPoint
    cv: np.ndarray
    anatomy: xr.Dataset

    @property
    def shape(self) -> np.ndarray:
        """k (neuron,), of the gamma distribution of each unit's waits."""
        busy = np.minimum(self.matched.rate * self.circuit.like.refractory, 0.99)
        return ((1 - busy) / self.cv) ** 2

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.given_rates import renewal_between

        circuit, dead_time = self.circuit, self.circuit.like.refractory
        step = circuit.correlation_time / STEPS

        def draw(rates: Iterable[np.ndarray], edges: np.ndarray) -> Columns:
            if circuit.fluctuation > 0:
                rates = unconnected.scaled(rates, self.factors(session, edges[:-1], rng), dead_time)
            return renewal_between(edges, np.stack([*rates], axis=1), self.shape, rng, dead_time=dead_time)

        steps = np.arange(step, session.duration, step) if circuit.fluctuation > 0 else ()
        return unconnected.run(circuit.like, self.matched, session, rng, draw, steps)

    def factors(self, session: Session, starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(segment, trial, neuron): what rates are multiplied by, from each start (segment,) [s] in a trial on."""
        sd = self.circuit.fluctuation
        z = unconnected.wandering(session, starts, len(self.cv), self.circuit.correlation_time, rng)
        return np.exp(sd * z - sd**2 / 2)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: no synapse at all."""
        return unconnected.truth(self.circuit.name, question, self.circuit.like.n_neurons)
