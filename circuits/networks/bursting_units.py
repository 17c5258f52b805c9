"""Neurons that fire regularly or in bursts, each on its own: intervals that are not Poisson, without any wiring."""

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


@dataclass(frozen=True)
class BurstingUnits:
    """Renewal processes that know nothing of one another, at the rates that neurons would have in a network of `like`.

        interval = d + wait,   integral of h_i over the wait ~ Gamma(k_i) / k_i
        h_i = rate_i / (1 - rate_i d),   k_i = ((1 - rate_i d) / cv)^2,   d = `like.refractory`

    so that intervals have the mean 1 / rate_i and the coefficient of variation `cv`: at 0.5 neurons fire regularly, at
    1.5 in clusters of spikes separated by long pauses (cortical neurons: 0.5 to 1.5, Shinomoto et al. 2003, Neural
    Comput 15:2823; Maimon & Assad 2009, Neuron 62:426). With k = 1 a neuron is one of `independent_poisson`. Counts in
    long windows have the Fano factor cv^2 (Cox 1962, Renewal Theory). Rates, and how they answer currents and holds,
    are matched as there; under a current k stays what it is.
    """

    name: ClassVar[str] = "bursting_units"
    mechanism: ClassVar[str] = "independent neurons"
    twin_of: ClassVar[tuple[str, ...]] = ("balanced_ei",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "effect")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: BalancedEI = field(default_factory=BalancedEI)  # the network whose rates it copies
    cv: Annotated[float, Within(0.2, 3)] = 1.3
    """Of the intervals: 0.5 to 1.5 in cortex (Shinomoto et al. 2003). At 1.5 a session of a second leaves so many
    neurons silent that the least count of a neuron tells them from the network's."""

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: BalancedEI) -> BurstingUnits:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> BurstingUnitsSubject:
        """The rates of one twin."""
        twin = self.like.subject(rng)
        return BurstingUnitsSubject(self, twin.working_point, unconnected.places(twin))


@dataclass(frozen=True, eq=False)
class BurstingUnitsSubject:
    """One population: inputs and rates matched to its twin's."""

    circuit: BurstingUnits
    matched: WorkingPoint
    anatomy: xr.Dataset

    @property
    def shape(self) -> np.ndarray:
        """k (neuron,), of the gamma distribution of each neuron's waits."""
        busy = np.minimum(self.matched.rate * self.circuit.like.refractory, 0.99)
        return ((1 - busy) / self.circuit.cv) ** 2

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.given_rates import renewal_between

        like = self.circuit.like

        def draw(rates: Iterable[np.ndarray], edges: np.ndarray) -> Columns:
            return renewal_between(edges, np.stack([*rates], axis=1), self.shape, rng, dead_time=like.refractory)

        return unconnected.run(like, self.matched, session, rng, draw)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity` and `effect`: no synapse at all, and so no response."""
        return unconnected.truth(self.circuit.name, question, self.circuit.like.n_neurons)
