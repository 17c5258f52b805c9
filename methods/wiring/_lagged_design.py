"""The design matrix of a regression on everybody's recent spikes, which is never formed.

A row is a time bin; a column (j, l) holds the count of unit j, l bins ago. Rows in which nobody fired within the window
share one rate and are counted, not stored. The sums that a fit needs at every step are made by `_lagged_kernel`; what
else needs the others gets them as sparse matrices with one entry per spike and lag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from methods.wiring._baseline import LOG_GAINS, LOWEST, STEP, Baseline, total_gains
from methods.wiring._pairs import Ticks, lag_counts

CHUNK_ENTRIES = 2_000_000
"""Numbers in the dense (row, unit) block of expected counts that is worked on at once: 16 MB."""
CACHE_ENTRIES = 40_000_000
"""Non-zeros of the design that are kept between passes (12 bytes each); a larger design is rebuilt chunk by chunk."""
EXACT_WORK = 1_000_000_000
"""Multiplications per pass that the exact part of the information may cost: seconds."""
MAX_LOG_RATE = 30.0
"""Where exp is cut off, so that a wild step is rejected for its likelihood rather than for overflow."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums of mu (target,), of x mu (column, target) and, over pairs of spikes at most `reach` bins apart, of mu
    (cell, target): cell (a, b, d, l) has a spike of unit a, l bins ago, and one of unit b, d bins after it."""

    total: np.ndarray
    columns: np.ndarray
    pairs: np.ndarray


@dataclass(frozen=True, eq=False)
class Chunk:
    """Rows with recent spikes, sparse: `design` (row, unit x lag) and `counts` (row, unit). `time` (row,) is the row's
    bin, trials laid end to end, and `codes` (time, unit) those of the baseline in all bins."""

    design: Any
    counts: Any
    time: np.ndarray
    codes: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Seen:
    """Spikes (spike,) that fall into any row's window, in order of time: bin, unit, the first row that sees them (its
    place among rows with recent spikes), at the lag `low`, the lag at which the last one does, `high`, and trial.
    `when` (row,): the bins of those rows, trials laid end to end."""

    time: np.ndarray
    unit: np.ndarray
    row: np.ndarray
    low: np.ndarray
    high: np.ndarray
    trial: np.ndarray
    when: np.ndarray


class LaggedDesign:
    """All units' spike counts at lags 1..n_lags, in all bins whose whole window lies in the trial.

    `events`: sums of x y (column, unit); `sums`, `squares`: of x and x^2 (column,); `spikes`: of y (unit,);
    `coincidences` (unit, unit, delay): pairs of spikes, the second 0..n_lags - 1 bins after the first; `exposure`
    (unit,): rows, each as long as the `baseline` says, that is, by what it multiplies the unit's rate there.
    """

    def __init__(self, ticks: Ticks, n_lags: int, baseline: Baseline | None = None) -> None:
        self.ticks, self.n_lags, self.baseline = ticks, n_lags, baseline
        self.n_rows = int(np.maximum(ticks.ends - n_lags, 0).sum())
        self._time = ticks.trial * ticks.n_ticks + ticks.tick
        self.coincidences = lag_counts(ticks, n_lags - 1)[:, :, n_lags - 1 :] * (self.n_rows / ticks.n_bins)
        work = np.cumsum(self.coincidences.sum(axis=(0, 1)) * np.arange(n_lags, 0, -1))
        self.reach = max(0, int(np.searchsorted(work * ticks.n_units, EXACT_WORK)) - 1)
        self.n_cells = ticks.n_units**2 * (self.reach + 1) * n_lags
        small = len(ticks.tick) * n_lags <= CACHE_ENTRIES
        self._seen = self._windows()
        self._cache: list[Chunk] | None = list(self._build()) if small else None
        self._summarise()

    @property
    def chunks(self) -> Iterator[Chunk]:
        """The design a piece at a time, from memory where it fits there."""
        return iter(self._cache) if self._cache is not None else self._build()

    def moments(self, intercept: np.ndarray, filters: np.ndarray, targets: np.ndarray | None = None) -> Moments:
        """Sums of mu, x mu and x x' mu over all rows, for mu = exp(intercept + x @ filters) x baseline of `targets`."""
        targets = np.arange(self.ticks.n_units)[: filters.shape[1]] if targets is None else targets
        columns, pairs = np.zeros(filters.shape), np.zeros((self.n_cells, filters.shape[1]))
        return Moments(self._collect(intercept, filters, targets, columns, pairs), columns, pairs)

    def expected(self, intercept: np.ndarray, filters: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Sum of mu (model,) over all rows, for filters (column, model) of models of these targets (model,)."""
        nothing = np.zeros((0, filters.shape[1]))
        return self._collect(intercept, filters, targets, nothing, nothing)

    def _collect(
        self, intercept: np.ndarray, filters: np.ndarray, targets: np.ndarray, columns: np.ndarray, pairs: np.ndarray
    ) -> np.ndarray:
        from methods.wiring._lagged_kernel import collect

        total = np.asarray(self.silent[targets] * np.exp(np.minimum(intercept, MAX_LOG_RATE)))
        codes = np.zeros((0, 0), dtype=np.uint8) if self.baseline is None else self.baseline.codes.T
        seen, filters = self._seen, np.ascontiguousarray(filters, dtype=float)
        collect(
            seen.time, seen.unit, seen.row, seen.low, seen.high, seen.trial, seen.when, codes, LOG_GAINS,
            self.ticks.n_units, self.n_lags, self.reach, np.asarray(intercept, dtype=float), filters.ravel(),
            np.asarray(targets, dtype=np.int64), MAX_LOG_RATE, total, columns.ravel(), pairs.ravel(),
        )  # fmt: skip
        return total

    def _windows(self) -> Seen:
        """The spikes that are seen in any row, and those rows."""
        ticks, time = self.ticks, self._time
        low = np.maximum(1, self.n_lags - ticks.tick)
        high = np.minimum(self.n_lags, ticks.ends[ticks.trial] - 1 - ticks.tick)
        chosen = low <= high
        low, high, time, unit, trial = (each[chosen] for each in (low, high, time, ticks.unit, ticks.trial))
        # +1 where a spike's window begins and -1 past its end: rows within any are above zero
        change = np.zeros(ticks.n_trials * ticks.n_ticks + 1, dtype=np.int32)
        np.add.at(change, time + low, 1)
        np.add.at(change, time + high + 1, -1)
        busy = np.cumsum(change[:-1]) > 0
        rank = np.cumsum(busy) - 1
        return Seen(
            time=time.astype(np.int64),
            unit=unit.astype(np.int64),
            row=rank[time + low].astype(np.int64),
            low=low.astype(np.int64),
            high=high.astype(np.int64),
            trial=trial.astype(np.int64),
            when=np.flatnonzero(busy),
        )

    def _build(self) -> Iterator[Chunk]:
        step = max(1, CHUNK_ENTRIES // self.ticks.n_units)
        span = self.ticks.n_trials * self.ticks.n_ticks  # trials take up as many bins as the longest
        for start in range(0, span, step):
            yield self._chunk(start, min(start + step, span))

    def _chunk(self, start: int, stop: int) -> Chunk:
        from scipy.sparse import csr_array

        n, lags = self.ticks.n_units, np.arange(1, self.n_lags + 1)
        first, last = np.searchsorted(self._time, (start - self.n_lags, stop))
        time, unit = self._time[first:last], self.ticks.unit[first:last]
        row, column = self._entries(time, unit * self.n_lags, lags, start, stop)
        busy = np.zeros(stop - start, dtype=bool)
        busy[row] = True
        rank = np.cumsum(busy) - 1
        n_busy = int(busy.sum())
        design = csr_array((np.ones(len(row)), (rank[row], column)), (n_busy, n * self.n_lags))
        inside = (time >= start) & (time < stop)
        inside[inside] = busy[time[inside] - start]
        now = rank[time[inside] - start]
        counts = csr_array((np.ones(len(now)), (now, unit[inside])), (n_busy, n))
        when = np.flatnonzero(busy) + start
        codes = None if self.baseline is None else self.baseline.codes
        return Chunk(design, counts, when.astype(np.int32), codes)

    def _entries(
        self, time: np.ndarray, offset: np.ndarray, lags: np.ndarray, start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows (counted from `start`) and indices offset + lag - 1 of events at `time`, seen `lags` later."""
        row = (time[:, None] + lags).ravel()
        index = (offset[:, None] + lags - 1).ravel()
        # a window that reaches over a trial's end lands behind it or in the next trial's first bins: no rows of ours
        inside = (row >= start) & (row < stop)
        row, index = row[inside], index[inside]
        trial, tick = np.divmod(row, self.ticks.n_ticks)
        valid = (tick >= self.n_lags) & (tick < self.ticks.ends[trial])
        return row[valid] - start, index[valid]

    def _summarise(self) -> None:
        n, n_columns = self.ticks.n_units, self.ticks.n_units * self.n_lags
        self.events, self.sums, self.squares, self.n_busy = (
            np.zeros((n_columns, n)),
            np.zeros(n_columns),
            np.zeros(n_columns),
            0,
        )
        for chunk in self.chunks:
            self.events += (chunk.design.T @ chunk.counts).toarray()
            self.sums += chunk.design.sum(axis=0)
            self.squares += chunk.design.power(2).sum(axis=0)
            self.n_busy += chunk.design.shape[0]
        self._expose()
        in_row = self.ticks.tick >= self.n_lags
        self.spikes = np.bincount(self.ticks.unit[in_row], minlength=n).astype(float)

    def _expose(self) -> None:
        """Rows, and those without a recent spike, as long as the baseline says."""
        self.exposure = np.full(self.ticks.n_units, float(self.n_rows))
        self.silent = self.exposure - self.n_busy
        if self.baseline is None:
            return
        codes = self.baseline.codes
        self.exposure = total_gains(codes) - total_gains(codes[~self.rows])  # rows are nearly all
        every = (total_gains(chunk.codes[chunk.time]) for chunk in self.chunks if chunk.codes is not None)
        self.silent = self.exposure - sum(every, np.zeros(self.ticks.n_units))

    @property
    def rows(self) -> np.ndarray:
        """Which bins, trials laid end to end, are rows: those whose whole window lies in their trial."""
        tick = np.arange(self.ticks.n_ticks)
        return ((tick >= self.n_lags) & (tick < self.ticks.ends[:, None])).ravel()


def rates(chunk: Chunk, intercept: np.ndarray, filters: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Expected counts (row, target) of a chunk's rows."""
    rate = chunk.design @ filters
    rate += intercept if chunk.codes is None else intercept + LOWEST
    if chunk.codes is not None and len(chunk.time):
        first, last = chunk.time[0], chunk.time[-1]
        within = chunk.codes.T[targets, first : last + 1]
        rate += STEP * np.take(within, chunk.time - first, axis=1).T
    np.minimum(rate, MAX_LOG_RATE, out=rate)
    return np.exp(rate, out=rate)
