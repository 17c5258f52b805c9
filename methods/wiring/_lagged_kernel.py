"""Passes over a lagged design, spike by spike: what a coupling model expects, summed where its likelihood needs it.

A spike is seen at lags 1, 2, ... in successive rows, so that it adds, or collects, one contiguous block of numbers, and
so does a pair of spikes. No matrix is made; rows are worked on a few at a time, in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

ROW_ENTRIES = 400_000
"""Expected counts (row, target) in one block: 3 MB."""


LOWEST_POWER = 1100
POWERS = np.ldexp(1.0, np.arange(-LOWEST_POWER, 1024))
"""Powers of two; those that no double holds are 0."""
LOG2E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 0.693147180369123816490, 1.90821492927058770002e-10
"""ln 2 in two parts, of which products with small whole numbers are exact."""


def compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code, kept on disk where that can be written."""
    try:
        return njit(cache=True)(function)
    except RuntimeError:  # what numba says where there is no such place
        return njit(function)


@compiled
def add(into: np.ndarray, at: int, source: np.ndarray, begin: int, end: int) -> None:
    """into[at], into[at + 1] ... += source[begin:end], both flat; one long loop, which processors do at full width."""
    for i in range(end - begin):
        into[at + i] += source[begin + i]


@compiled
def exponential(x: float) -> float:
    """exp(x) for |x| < 700, to two units in the last place: 2^k times a polynomial in the rest, which processors
    do for several x at once where the library's function takes one."""
    k = np.floor(x * LOG2E + 0.5)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * POWERS[np.int32(k) + LOWEST_POWER]


@compiled
def expectations(
    mu: np.ndarray, start: int, stop: int, first: int, last: int, unit: np.ndarray, row: np.ndarray, low: np.ndarray,
    high: np.ndarray, when: np.ndarray, codes: np.ndarray, gains: np.ndarray, n_lags: int, intercept: np.ndarray,
    filters: np.ndarray, targets: np.ndarray, ceiling: float, total: np.ndarray,
) -> None:  # fmt: skip
    """Fills `mu` (row x target, flat) for the rows start ... stop - 1, seen by spikes first ... last - 1; sums it."""
    n = len(intercept)
    for r in range(stop - start):
        for k in range(n):
            mu[r * n + k] = intercept[k]
    if len(codes):
        for k in range(n):
            for r in range(start, stop):
                mu[(r - start) * n + k] += gains[codes[targets[k], when[r]]]
    for s in range(first, last):
        begin, end = max(row[s], start), min(row[s] + high[s] - low[s] + 1, stop)
        place = unit[s] * n_lags + low[s] - 1 - row[s] + begin
        add(mu, (begin - start) * n, filters, place * n, (place + end - begin) * n)
    for i in range((stop - start) * n):
        mu[i] = exponential(max(min(mu[i], ceiling), -700.0))
    for r in range(stop - start):
        for k in range(n):
            total[k] += mu[r * n + k]


@compiled
def collect(
    time: np.ndarray, unit: np.ndarray, row: np.ndarray, low: np.ndarray, high: np.ndarray, trial: np.ndarray,
    when: np.ndarray, codes: np.ndarray, gains: np.ndarray, n_units: int, n_lags: int, reach: int,
    intercept: np.ndarray, filters: np.ndarray, targets: np.ndarray, ceiling: float, total: np.ndarray,
    columns: np.ndarray, pairs: np.ndarray,
) -> None:  # fmt: skip
    """Adds mu to `total` (target,), x mu to `columns` (column x target), x x' mu to `pairs` (cell x target), both flat.

    Spikes in order of time, each with its bin, unit and trial; it is seen in rows `row` ... at lags low ... high.
    when (row,): the row's bin, and codes (unit, bin) an index into the log `gains` there; no units: no baseline.
    filters (column x target, flat). Empty `columns` or `pairs` are left out. Rows: those within somebody's window.
    """
    n_rows, n = len(when), len(intercept)
    size = max(n_lags, ROW_ENTRIES // max(n, 1))
    mu = np.empty(size * n)
    first = 0
    for start in range(0, n_rows, size):
        stop = min(start + size, n_rows)
        while first < len(time) and row[first] + high[first] - low[first] < start:
            first += 1
        last = first
        while last < len(time) and row[last] < stop:
            last += 1
        expectations(mu, start, stop, first, last, unit, row, low, high, when, codes, gains, n_lags, intercept,
                     filters, targets, ceiling, total)  # fmt: skip
        for own in range(n_units if len(columns) else 0):  # so that the cells of one unit stay in the cache
            for s in range(first, last):
                if unit[s] != own:
                    continue
                begin, end = max(row[s], start), min(row[s] + high[s] - low[s] + 1, stop)
                offset = low[s] - 1 - row[s]  # from a row to its lag, less one
                add(columns, (own * n_lags + offset + begin) * n, mu, (begin - start) * n, (end - start) * n)
                later = s + 1
                while later < len(time) and time[later] - time[s] <= reach and trial[later] == trial[s]:
                    apart = time[later] - time[s]
                    cell = ((own * n_units + unit[later]) * (reach + 1) + apart) * n_lags + offset
                    both = max(begin, apart - offset)
                    if both < end:
                        add(pairs, (cell + both) * n, mu, (both - start) * n, (end - start) * n)
                    later += 1
