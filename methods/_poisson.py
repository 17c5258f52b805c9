"""Poisson regression of every unit's spikes on all units' recent spikes: the engine of the coupling GLM.

The design matrix is never formed. A row is a time bin; a column (j, l) holds the count of unit j, l bins ago; filters
are B @ weights with one basis B (lag, basis) for all. Rows in which nobody fired within the window share one rate
and are counted, not stored; the others are sparse with one entry per spike and lag, whatever the basis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from methods._pairs import Ticks, lag_counts

CHUNK_ENTRIES = 6_000_000
"""Numbers in the dense (row, unit) block of expected counts that is worked on at once: 48 MB."""
CACHE_ENTRIES = 40_000_000
"""Non-zeros of the design that are kept between passes (12 bytes each); a larger design is rebuilt chunk by chunk."""
MAX_HALVINGS = 12
"""Of a Newton step that does not raise the likelihood."""
SMALLEST_EIGENVALUE = 1e-8
"""Of the information scaled to a unit diagonal."""
MAX_LOG_RATE = 30.0
"""Where exp is cut off, so that a wild step is rejected for its likelihood rather than for overflow."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Rows with recent spikes: `design` (row, lag x unit) and `counts` (row, unit), both sparse."""

    design: Any
    counts: Any


class LaggedDesign:
    """All units' spike counts at lags 1..n_lags, in all bins whose whole window lies in the trial."""

    def __init__(self, ticks: Ticks, n_lags: int) -> None:
        self.ticks, self.n_lags = ticks, n_lags
        self.n_rows = ticks.n_trials * (ticks.n_ticks - n_lags)
        self._time = ticks.trial * ticks.n_ticks + ticks.tick
        keep = len(ticks.tick) * n_lags <= CACHE_ENTRIES
        self._cache: list[Chunk] | None = list(self._build()) if keep else None
        self._summarise()

    @property
    def chunks(self) -> Iterator[Chunk]:
        return iter(self._cache) if self._cache is not None else self._build()

    def _build(self) -> Iterator[Chunk]:
        step = max(1, CHUNK_ENTRIES // self.ticks.n_units)
        for start in range(0, self.ticks.n_bins, step):
            yield self._chunk(start, min(start + step, self.ticks.n_bins))

    def _chunk(self, start: int, stop: int) -> Chunk:
        from scipy.sparse import csr_array

        n, lags = self.ticks.n_units, np.arange(1, self.n_lags + 1)
        first, last = np.searchsorted(self._time, (start - self.n_lags, stop))
        time, unit = self._time[first:last], self.ticks.unit[first:last]
        row = (time[:, None] + lags).ravel()
        column = (unit[:, None] * self.n_lags + lags - 1).ravel()
        # a window that reaches over a trial's end lands in the next trial's first bins, which are no rows
        valid = (row >= start) & (row < stop) & (row % self.ticks.n_ticks >= self.n_lags)
        row, column = row[valid] - start, column[valid]
        busy = np.zeros(stop - start, dtype=bool)
        busy[row] = True
        rank = np.cumsum(busy) - 1
        shape = (int(busy.sum()), n * self.n_lags)
        design = csr_array((np.ones(len(row)), (rank[row], column)), shape)
        inside = (time >= start) & (time < stop)
        inside[inside] = busy[time[inside] - start]
        now = rank[time[inside] - start]
        return Chunk(design, csr_array((np.ones(len(now)), (now, unit[inside])), (shape[0], n)))

    def _summarise(self) -> None:
        n, n_columns = self.ticks.n_units, self.ticks.n_units * self.n_lags
        self.events = np.zeros((n_columns, n))  # sum of x y
        self.sums = np.zeros(n_columns)  # sum of x
        self.squares = np.zeros(n_columns)  # sum of x^2
        self.n_busy = 0
        for chunk in self.chunks:
            self.events += (chunk.design.T @ chunk.counts).toarray()
            self.sums += chunk.design.sum(axis=0)
            self.squares += chunk.design.power(2).sum(axis=0)
            self.n_busy += chunk.design.shape[0]
        in_row = self.ticks.tick >= self.n_lags
        self.spikes = np.bincount(self.ticks.unit[in_row], minlength=n).astype(float)

    def moments(self, intercept: np.ndarray, filters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums of x mu (column, target) and of mu (target,), for mu = exp(intercept + x @ filters)."""
        moments = np.zeros(filters.shape)
        total = (self.n_rows - self.n_busy) * np.exp(np.minimum(intercept, MAX_LOG_RATE))
        for chunk in self.chunks:
            rate = chunk.design @ filters
            rate += intercept
            np.minimum(rate, MAX_LOG_RATE, out=rate)
            np.exp(rate, out=rate)
            moments += chunk.design.T @ rate
            total += rate.sum(axis=0)
        return moments, total

    def coincidences(self) -> np.ndarray:
        """Sums of x x' as (unit', unit, lag, lag'): the correlograms, spread over pairs of lags."""
        n, n_lags = self.ticks.n_units, self.n_lags
        counts = lag_counts(self.ticks, n_lags - 1) * (self.n_rows / self.ticks.n_bins)
        lag = np.arange(n_lags)
        # x is l bins ago and x' is m bins ago: x' comes l - m bins after x
        spread = counts[:, :, n_lags - 1 + lag[:, None] - lag[None, :]].transpose(1, 0, 2, 3).copy()
        unit = np.arange(n)
        for delay in lag:
            spread[unit, unit, delay, delay] = self.squares.reshape(n, n_lags)[:, delay]
        return spread


@dataclass(frozen=True, eq=False)
class State:
    """Parameters of all targets and what they imply: `intercept` (target,), `weights` (pre, basis, target), the sums
    of x mu (column, target) and of mu (target,), and the penalised log likelihood (target,) but for a constant."""

    intercept: np.ndarray
    weights: np.ndarray
    moments: np.ndarray
    total: np.ndarray
    objective: np.ndarray


class Regression:
    """All targets' coupling models on one design. `basis`: (lag, basis). `ridge` penalises ridge/2 |weights|^2."""

    def __init__(self, design: LaggedDesign, basis: np.ndarray, ridge: float) -> None:
        self.design, self.basis, self.ridge = design, basis, ridge
        self.n = design.ticks.n_units
        self._coincidences = design.coincidences()
        self._events = self._on_basis(design.events)

    def fit(self, *, max_iterations: int, tolerance: float) -> tuple[State, int, bool]:
        """Maximum penalised likelihood by Newton's method with step halving, all targets side by side.

        Returns the state, the steps taken, and whether every Newton decrement (twice the gain in log likelihood
        still to expect) came below `tolerance`.
        """
        intercept = np.log(np.maximum(self.design.spikes, 0.5) / self.design.n_rows)
        state = self._state(intercept, np.zeros((self.n, self.basis.shape[1], self.n)))
        for iteration in range(max_iterations):
            step, decrement = self._newton_step(state)
            open_targets = decrement >= tolerance
            if not open_targets.any():
                return state, iteration, True
            state = self._improve(state, step * open_targets)
        return state, max_iterations, False

    def wald(self, state: State) -> np.ndarray:
        """Wald statistic (pre, target) of each filter: its weights in units of their covariance.

        The covariance of a penalised estimate is C I C, C the inverse of the penalised information I + ridge: the prior
        pulls the estimate in, and its spread with it, so the test keeps its level at any ridge.
        """
        n, n_basis = self.n, self.basis.shape[1]
        chi2, unit = np.zeros((n, n)), np.arange(n)
        for target in np.flatnonzero(self.design.spikes):
            inverse = self._inverse(state, target)
            prior = self.ridge * inverse[:, 1:] @ inverse[1:, :]
            covariance = (inverse - prior)[1:, 1:].reshape(n, n_basis, n, n_basis)
            own = state.weights[:, :, target]
            whitened = np.linalg.solve(covariance[unit, :, unit, :], own[:, :, None])[:, :, 0]
            chi2[:, target] = (own * whitened).sum(axis=1)
        return chi2

    def information(self, state: State, target: int) -> np.ndarray:
        """Fisher information (1 + pre x basis, same) of one target, its intercept first, without the penalty.

        Sums of x mu are exact. A cross term is the number of coincidences of x and x' times the rate that goes with
        each of them: sum(x x' mu) ~ sum(x x') g(x) g(x') mean(mu), g(x) = sum(x mu) / (sum(x) mean(mu)). Under a log
        link effects multiply, so this is exact where all other influences average out; and it costs no pass over
        all rows and pairs of columns, which is what makes the fit fast.
        """
        n_lags, n_basis = self.basis.shape
        sums, squares = self.design.sums.reshape(self.n, n_lags), self.design.squares.reshape(self.n, n_lags)
        moments = state.moments[:, target].reshape(self.n, n_lags)
        mean = state.total[target] / self.design.n_rows
        gain = moments / (np.maximum(sums, 1e-12) * mean)
        shaped = gain[:, :, None] * self.basis  # (unit, lag, basis)
        half = np.matmul(self._coincidences, shaped[:, None])  # (unit', unit, lag, basis')
        cross = np.einsum("jla,kjlb->jakb", shaped, half, optimize=True) * mean
        alone = mean * squares * (gain - gain**2)  # a column with itself goes with its rate once, not twice
        unit = np.arange(self.n)
        cross[unit, :, unit, :] += np.einsum("la,jl,lb->jab", self.basis, alone, self.basis)
        result = np.empty((1 + self.n * n_basis,) * 2)
        result[0, 0] = state.total[target]
        result[0, 1:] = result[1:, 0] = (moments @ self.basis).ravel()
        result[1:, 1:] = cross.reshape(self.n * n_basis, -1)
        return (result + result.T) / 2

    def filters(self, weights: np.ndarray) -> np.ndarray:
        """Weights (pre, basis, target) as filters (pre x lag, target)."""
        return np.einsum("lb,jbi->jli", self.basis, weights).reshape(-1, weights.shape[2])

    def _on_basis(self, columns: np.ndarray) -> np.ndarray:
        """Sums per column (pre x lag, target) as sums per weight (pre, basis, target)."""
        return np.einsum("lb,jli->jbi", self.basis, columns.reshape(self.n, -1, self.n))

    def _state(self, intercept: np.ndarray, weights: np.ndarray) -> State:
        moments, total = self.design.moments(intercept, self.filters(weights))
        explained = (weights * self._events).sum(axis=(0, 1)) + intercept * self.design.spikes
        penalty = 0.5 * self.ridge * (weights**2).sum(axis=(0, 1))
        return State(intercept, weights, moments, total, explained - total - penalty)

    def _newton_step(self, state: State) -> tuple[np.ndarray, np.ndarray]:
        """Newton step (1 + pre x basis, target) and decrement (target,); zero for targets without spikes."""
        slope = self._events - self._on_basis(state.moments) - self.ridge * state.weights
        gradient = np.vstack([self.design.spikes - state.total, slope.reshape(-1, self.n)])
        step = np.zeros_like(gradient)
        for target in np.flatnonzero(self.design.spikes):
            step[:, target] = self._inverse(state, target) @ gradient[:, target]
        return step, (step * gradient).sum(axis=0)

    def _improve(self, state: State, step: np.ndarray) -> State:
        for _ in range(MAX_HALVINGS):
            moved = self._state(state.intercept + step[0], state.weights + step[1:].reshape(state.weights.shape))
            worse = moved.objective < state.objective - 1e-9 * np.abs(state.objective)
            if not worse.any():
                break
            step = np.where(worse, 0.5 * step, step)
        return moved

    def _inverse(self, state: State, target: int) -> np.ndarray:
        """Inverse of the penalised information; a unit that never fired, or another's twin, gets a wide variance."""
        from scipy.linalg import eigh

        information = self.information(state, target)
        slope = np.arange(1, len(information))
        information[slope, slope] += self.ridge
        scale = np.sqrt(np.maximum(np.diag(information), 1e-12))
        values, vectors = eigh(information / np.outer(scale, scale), check_finite=False)
        return (vectors / np.maximum(values, SMALLEST_EIGENVALUE)) @ vectors.T / np.outer(scale, scale)
