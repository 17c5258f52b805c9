"""Neurons that fire at rates given from outside, independently of one another: a population that computes nothing.

For circuits whose neurons have no synapses among themselves (tuned, driven, replayed): whatever their rates depend on,
a spike of one changes none of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from simlab.contracts import SimlabError
from simlab.session import Session
from simlab.simulators.effects import drive_at, engine_effects, hold_at
from simlab.simulators.renewal import Columns

REFRACTORY = 2e-3
"""s (cortical neurons: Maimon & Assad 2009, Neuron 62:426)."""

DRIVE_RATE = 20.0
"""Hz that a rheobase of current adds to a rate."""

BUSIEST = 0.9
"""Share of the time that a neuron may be refractory: what is asked of it beyond is cut off."""


def spikes(
    session: Session,
    rates: np.ndarray,
    width: float,
    rng: np.random.Generator,
    *,
    interval_cv: float | np.ndarray = 1.0,
    dead_time: float = REFRACTORY,
    drive_rate: float = DRIVE_RATE,
) -> Columns:
    """Spike columns (trial, time [s], neuron) at `rates` (trial, bin, neuron) [Hz], constant in bins of width [s].

    interval_cv: of the intervals at a steady rate, one or (neuron,); 1 is Poisson but for the dead time [s]. drive_rate
    [Hz]: what a rheobase of current adds to a rate, which no current takes below zero. A held neuron fires at the
    rate that it is held at, with its own irregularity. Effects act in whole bins, by what is in force at their middle.
    """
    perturbed = under_effects(session, rates, width, drive_rate)
    return renewal(perturbed, width, session.duration, rng, interval_cv=interval_cv, dead_time=dead_time)


def under_effects(session: Session, rates: np.ndarray, width: float, drive_rate: float) -> np.ndarray:
    """The rates (trial, bin, neuron) [Hz] with the session's drives and holds; gains have no synapse to act on."""
    trials, bins, n_neurons = rates.shape
    if bins * width < session.duration * (1 - 1e-9) or trials != session.trials:
        raise SimlabError(
            f"rates must cover the session, {session.trials} trials of {session.duration} s, got {trials} of "
            f"{bins * width:g} s: give one row for each trial and enough bins"
        )
    effects = engine_effects(session, n_neurons, min(width, session.duration) * 1e-3)
    if not effects:
        return rates
    changed, every = rates.copy(), np.arange(trials)
    for k in range(bins):
        middle = (k + 0.5) * width
        current, held = (at(effects, middle, every, n_neurons) for at in (drive_at, hold_at))
        if current.any():
            changed[:, k] = np.maximum(changed[:, k] + drive_rate * current, 0.0)
        changed[:, k] = np.where(np.isnan(held), changed[:, k], held)
    return changed


def renewal(
    rates: np.ndarray,
    width: float,
    duration: float,
    rng: np.random.Generator,
    *,
    interval_cv: float | np.ndarray = 1.0,
    dead_time: float = REFRACTORY,
) -> Columns:
    """Spike columns, sorted by trial and time, of gamma renewal processes with a dead time, in rescaled time.

    After each spike a neuron is silent for the dead time; what is left of the interval is gamma distributed in units
    of the integrated hazard h = r / (1 - r d), with the shape ((1 - r d) / cv)^2 at the neuron's mean rate r, so that
    at a steady rate intervals have the mean 1 / r and the cv that is asked for (Cox 1962, Renewal Theory). The
    processes are under way at the trial's start.
    """
    trials, _, n_neurons = rates.shape
    cells = _cells(rates, dead_time)
    mean = cells.mean(axis=1)
    cv = np.broadcast_to(np.asarray(interval_cv, dtype=float), (trials, n_neurons)).ravel()
    shape = ((1 - mean * dead_time) / cv) ** 2
    clock = _Clock.of(cells, dead_time, width, lambda time: time / width, lambda place: place * width)
    return _columns(_events(clock, mean, mean, shape, dead_time, duration, rng), n_neurons)


def renewal_between(
    edges: np.ndarray, rates: np.ndarray, shape: np.ndarray, rng: np.random.Generator, *, dead_time: float = REFRACTORY
) -> Columns:
    """The same at rates (trial, segment, neuron) [Hz] from each of the edges (segment + 1,) [s] to the next, 0 first.

    shape (neuron,): of the gamma distribution of each one's waits, whatever its rate becomes. The first segment's rate
    has been in force for ever.
    """
    trials, segments, n_neurons = rates.shape
    cells, index = _cells(rates, dead_time), np.arange(segments + 1.0)
    clock = _Clock.of(
        cells, dead_time, np.diff(edges), lambda time: np.interp(time, edges, index),
        lambda place: np.interp(place, index, edges),
    )  # fmt: skip
    waits = np.tile(shape, trials)
    events = _events(clock, cells.mean(axis=1), cells[:, 0], waits, dead_time, float(edges[-1]), rng)
    return _columns(events, n_neurons)


def _cells(rates: np.ndarray, dead_time: float) -> np.ndarray:
    """(trial x neurons + neuron, bin) the rates that a neuron with this dead time can have."""
    cells = np.minimum(rates, BUSIEST / dead_time if dead_time > 0 else np.inf)
    return np.ascontiguousarray(np.swapaxes(cells, 1, 2)).reshape(-1, rates.shape[1])


def _columns(events: Iterator[tuple[np.ndarray, np.ndarray]], n_neurons: int) -> Columns:
    """Spike columns, sorted, of the spikes (cell, time [s])."""
    cell, time = (np.concatenate(column) for column in zip(*events, strict=True))
    trial, neuron = np.divmod(cell, n_neurons)
    order = np.lexsort((neuron, time, trial))
    return trial[order], time[order], neuron[order]


@dataclass(frozen=True, eq=False)
class _Clock:
    """Integrated hazard of every cell, one cell's after another's in one rising line, and back.

    place: of a time [s], in bins; moment: of a place, [s].
    """

    total: np.ndarray  # (cell * bin + 1,) at the edges
    bins: int
    place: Callable[[np.ndarray], np.ndarray]
    moment: Callable[[np.ndarray], np.ndarray]

    @classmethod
    def of(
        cls,
        cells: np.ndarray,
        dead_time: float,
        width: float | np.ndarray,
        place: Callable[[np.ndarray], np.ndarray],
        moment: Callable[[np.ndarray], np.ndarray],
    ) -> _Clock:
        """Of rates (cell, bin) [Hz] in bins of this width [s], one or (bin,)."""
        hazard = cells / (1 - cells * dead_time)
        return cls(np.concatenate([[0.0], np.cumsum((hazard * width).ravel())]), cells.shape[1], place, moment)

    def at(self, cell: np.ndarray, time: np.ndarray) -> np.ndarray:
        """The line's height at a cell's time [s]."""
        place = np.minimum(self.place(time), self.bins)
        whole = np.minimum(place.astype(int), self.bins - 1)
        edge = cell * self.bins + whole
        return self.total[edge] + (place - whole) * (self.total[edge + 1] - self.total[edge])

    def when(self, cell: np.ndarray, height: np.ndarray) -> np.ndarray:
        """The cell's time [s] at a height that it reaches."""
        edge = np.searchsorted(self.total, height, side="left") - 1
        edge = np.minimum(np.maximum(edge, cell * self.bins), (cell + 1) * self.bins - 1)
        rise = self.total[edge + 1] - self.total[edge]
        share = np.divide(height - self.total[edge], rise, out=np.zeros_like(height), where=rise > 0)
        return self.moment(edge - cell * self.bins + np.minimum(np.maximum(share, 0), 1))

    def end(self, cell: np.ndarray) -> np.ndarray:
        return self.total[(cell + 1) * self.bins]


def _events(
    clock: _Clock,
    mean: np.ndarray,
    before: np.ndarray,
    shape: np.ndarray,
    dead_time: float,
    duration: float,
    rng: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """First, second, ... spikes (cell, time [s]) of all cells, each after the dead time since its last one.

    mean, before, shape: (cell,) of the rate [Hz] in the trial, of that which has been in force, and of the waits.
    """
    yield np.empty(0, dtype=int), np.empty(0)
    cell = np.flatnonzero(mean > 0)
    refractory = rng.random(len(cell)) < before[cell] * dead_time
    free = np.where(refractory, dead_time * rng.random(len(cell)), 0.0)
    wait = rng.gamma(shape[cell]) / shape[cell]
    # what is left of an interval that is met by chance, which is longer than others
    under_way = rng.gamma(shape[cell] + 1) / shape[cell] * rng.random(len(cell))
    wait = np.where(refractory, wait, under_way)
    while len(cell):
        height = clock.at(cell, free) + wait
        fired = height < clock.end(cell)
        cell, height = cell[fired], height[fired]
        time = clock.when(cell, height)
        seen = time < duration
        yield cell[seen], time[seen]
        cell, free = cell[seen], time[seen] + dead_time
        wait = rng.gamma(shape[cell]) / shape[cell]
