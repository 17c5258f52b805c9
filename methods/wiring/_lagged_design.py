"""The design matrix of a regression on everybody's recent spikes, which is never formed.

A row is a time bin; a column (j, l) holds the count of unit j, l bins ago. Rows in which nobody fired within the window
share one rate and are counted, not stored; the others are sparse with one entry per spike and lag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from methods.wiring._baseline import LOWEST, STEP, Baseline, total_gains
from methods.wiring._pairs import Ticks, close_pairs, lag_counts

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
    """Rows with recent spikes, all sparse: `design` (row, unit x lag), `counts` (row, unit), and `pairs` (cell, row),
    1 where two spikes at most `reach` bins apart are both in the row's window; see `LaggedDesign.cell`. `time` (row,)
    is the row's bin, trials laid end to end, and `codes` (time, unit) those of the baseline in all bins."""

    design: Any
    counts: Any
    pairs: Any
    time: np.ndarray
    codes: np.ndarray | None


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
        small = len(ticks.tick) * n_lags + work[self.reach] <= CACHE_ENTRIES
        self._cache: list[Chunk] | None = list(self._build()) if small else None
        self._summarise()

    @property
    def chunks(self) -> Iterator[Chunk]:
        """The design a piece at a time, from memory where it fits there."""
        return iter(self._cache) if self._cache is not None else self._build()

    def moments(self, intercept: np.ndarray, filters: np.ndarray, targets: np.ndarray | None = None) -> Moments:
        """Sums of mu, x mu and x x' mu over all rows, for mu = exp(intercept + x @ filters) x baseline of `targets`."""
        columns = np.zeros(filters.shape)
        pairs = np.zeros((self.n_cells, filters.shape[1]))
        targets = np.arange(self.ticks.n_units)[: filters.shape[1]] if targets is None else targets
        total = self.silent[targets] * np.exp(np.minimum(intercept, MAX_LOG_RATE))
        for chunk in self.chunks:
            rate = rates(chunk, intercept, filters, targets)
            columns += chunk.design.T @ rate
            pairs += chunk.pairs @ rate
            total += rate.sum(axis=0)
        return Moments(total, columns, pairs)

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
        return Chunk(design, counts, self._pairs(time, unit, rank, start, stop, n_busy), when.astype(np.int32), codes)

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

    def _pairs(self, time: np.ndarray, unit: np.ndarray, rank: np.ndarray, start: int, stop: int, n_busy: int) -> Any:
        from scipy.sparse import csr_array

        trial = time // self.ticks.n_ticks
        early, late, delay = close_pairs(
            trial * (self.ticks.n_ticks + self.n_lags) + time % self.ticks.n_ticks, self.reach
        )
        rows, cells = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for apart in range(self.reach + 1):
            chosen = delay == apart
            a, b = unit[early[chosen]], unit[late[chosen]]
            offset = ((a * self.ticks.n_units + b) * (self.reach + 1) + apart) * self.n_lags
            lags = np.arange(apart + 1, self.n_lags + 1)
            row, cell = self._entries(time[early[chosen]], offset, lags, start, stop)
            rows.append(rank[row])
            cells.append(cell)
        row, cell = np.concatenate(rows), np.concatenate(cells)
        return csr_array((np.ones(len(row)), (cell, row)), (self.n_cells, n_busy))

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
