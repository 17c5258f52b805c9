"""Neurons that fire regularly or in bursts, each on its own: intervals that are not Poisson, without any wiring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
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
        like = self.circuit.like
        shape = np.tile(self.shape, session.trials)
        return unconnected.run(
            like,
            self.matched,
            session,
            rng,
            lambda rates, edges: gamma_renewal(rates, edges, like.refractory, shape, rng),
        )

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity` and `effect`: no synapse at all, and so no response."""
        return unconnected.truth(self.circuit.name, question, self.circuit.like.n_neurons)


def gamma_renewal(
    rates: Iterable[np.ndarray], edges: np.ndarray, dead_time: float, shape: np.ndarray, rng: np.random.Generator
) -> Columns:
    """Spike columns (trial, time [s], neuron), in no particular order, of neurons that are independent of one another.

    rates: (trial, neuron) [Hz] from each of the edges (segment + 1,) [s] to the next; rate x dead_time <= 1. The first
    has been in force for ever. shape: (cell,), trial x neurons + neuron.
    """
    process, parts, width = None, [(np.empty(0, int), np.empty(0))], 1
    for rate, (start, stop) in zip(rates, pairwise(edges), strict=True):
        width = rate.shape[1]
        process = process or _Process.steady(rate.ravel(), start, dead_time, shape, rng)
        parts += process.until(rate.ravel(), start, stop, rng)
    cell, time = (np.concatenate(column) for column in zip(*parts, strict=True))
    trial, neuron = np.divmod(cell, width)
    return trial, time, neuron


@dataclass(frozen=True, eq=False)
class _Process:
    """Where each cell's process stands: free_at [s], the end of its dead time; left, the hazard to its next spike."""

    dead_time: float
    shape: np.ndarray
    free_at: np.ndarray
    left: np.ndarray

    @classmethod
    def steady(
        cls, rate: np.ndarray, start: float, dead_time: float, shape: np.ndarray, rng: np.random.Generator
    ) -> _Process:
        """At a moment that is no spike's: a wait that is under way is longer than others (Cox 1962), in part over."""
        refractory = rng.random(len(rate)) < rate * dead_time
        free_at = start + np.where(refractory, dead_time * rng.random(len(rate)), 0.0)
        under_way = rng.gamma(shape + 1) / shape * rng.random(len(rate))
        return cls(dead_time, shape, free_at, np.where(refractory, rng.gamma(shape) / shape, under_way))

    def until(
        self, rate: np.ndarray, start: float, stop: float, rng: np.random.Generator
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """First, second, ... spikes (cell, time) of a segment at these rates (cell,)."""
        wait = np.divide(1, rate, out=np.full(len(rate), np.inf), where=rate > 0) - self.dead_time  # mean
        wait = np.maximum(wait, 1e-12)
        cell, parts = np.flatnonzero(rate > 0), []
        while len(cell):
            begin = np.maximum(self.free_at[cell], start)
            time = begin + wait[cell] * self.left[cell]
            fired = time < stop
            waiting = cell[~fired]
            self.left[waiting] -= np.maximum(stop - begin[~fired], 0.0) / wait[waiting]
            cell, time = cell[fired], time[fired]
            self.free_at[cell] = time + self.dead_time
            self.left[cell] = rng.gamma(self.shape[cell]) / self.shape[cell]
            parts.append((cell, time))
        return parts
