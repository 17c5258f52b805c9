"""Poisson neurons with an absolute refractory period, at rates that may change: exact, in continuous time.

A neuron that is not refractory fires with hazard h(t); after each spike it is silent for the dead time d. At a steady
hazard this is a renewal process of rate r = h / (1 + h d), so h = r / (1 - r d) gives the rate that is asked for; its
intervals vary by 1 - r d, and its counts in long windows have the Fano factor (1 - r d)^2 (Cox 1962, Renewal Theory).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def refractory_poisson(
    rates: Iterable[np.ndarray], edges: np.ndarray, dead_time: float, rng: np.random.Generator
) -> Columns:
    """Spike columns (trial, time [s], neuron), in no particular order, of neurons that are independent of one another.

    rates: (trial, neuron) [Hz] from each of the edges (segment + 1,) [s] to the next; rate x dead_time <= 1. The first
    has been in force for ever: at edges[0] a neuron is refractory with probability rate x dead_time.
    """
    free_at, parts, width = None, [], 1
    for rate, (start, stop) in zip(rates, pairwise(edges), strict=True):
        width, rate = rate.shape[1], rate.ravel()
        if free_at is None:
            refractory = rng.random(len(rate)) < rate * dead_time
            free_at = start + dead_time * np.where(refractory, rng.random(len(rate)), 0.0)
        parts += _segment(rate, start, stop, dead_time, free_at, rng)
    cell, time = (np.concatenate(column) for column in zip(*parts, strict=True))
    trial, neuron = np.divmod(cell, width)
    return trial, time, neuron


def _segment(
    rate: np.ndarray, start: float, stop: float, dead_time: float, free_at: np.ndarray, rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray]]:
    """First, second, ... spikes (cell, time) of a segment at these rates (cell,); `free_at` (cell,) is moved on."""
    wait = np.divide(1, rate, out=np.full(len(rate), np.inf), where=rate > 0) - dead_time  # mean, once it is free
    cell, parts = np.flatnonzero(rate > 0), [(np.empty(0, int), np.empty(0))]
    while len(cell):
        time = np.maximum(free_at[cell], start) + np.maximum(wait[cell], 0.0) * rng.exponential(size=len(cell))
        fired = time < stop
        cell, time = cell[fired], time[fired]
        free_at[cell] = time + dead_time
        parts.append((cell, time))
    return parts


def apart(columns: Columns, more: Columns, dead_time: float) -> Columns:
    """Two sets of spike columns (trial, time [s], neuron) in one, without those that come too soon after another."""
    trial, time, neuron = (np.concatenate(pair) for pair in zip(columns, more, strict=True))
    order = np.lexsort((time, trial, neuron))
    trial, time, neuron = trial[order], time[order], neuron[order]
    soon = (np.diff(trial) == 0) & (np.diff(neuron) == 0) & (np.diff(time) < dead_time * (1 - 1e-9))
    kept = np.concatenate([[True], ~soon])[: len(time)]
    return trial[kept], time[kept], neuron[kept]
