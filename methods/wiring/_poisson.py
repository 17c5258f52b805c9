"""Poisson regression of every unit's spikes on all units' recent spikes: the engine of the coupling GLM.

The design matrix is never formed. A row is a time bin; a column (j, l) holds the count of unit j, l bins ago; filters
are basis @ weights with one basis (lag, basis) for all. Rows in which nobody fired within the window share one rate
and are counted, not stored; the others are sparse with one entry per spike and lag, whatever the basis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from methods.wiring._pairs import Ticks, close_pairs, lag_counts

CHUNK_ENTRIES = 6_000_000
"""Numbers in the dense (row, unit) block of expected counts that is worked on at once: 48 MB."""
CACHE_ENTRIES = 40_000_000
"""Non-zeros of the design that are kept between passes (12 bytes each); a larger design is rebuilt chunk by chunk."""
EXACT_WORK = 1_000_000_000
"""Multiplications per pass that the exact part of the information may cost: seconds."""
GROUP_ENTRIES = 8_000_000
"""Numbers in the exact part of the information of those targets that are fitted together: 64 MB."""
MAX_HALVINGS = 12
"""Of a Newton step that does not raise the likelihood."""
SMALLEST_EIGENVALUE = 1e-8
"""Of the information scaled to a unit diagonal."""
MAX_LOG_RATE = 30.0
"""Where exp is cut off, so that a wild step is rejected for its likelihood rather than for overflow."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Rows with recent spikes, all sparse: `design` (row, unit x lag), `counts` (row, unit), and `pairs` (cell, row),
    1 where two spikes at most `reach` bins apart are both in the row's window; see `LaggedDesign.cell`."""

    design: Any
    counts: Any
    pairs: Any


class LaggedDesign:
    """All units' spike counts at lags 1..n_lags, in all bins whose whole window lies in the trial.

    `events`: sums of x y (column, unit); `sums`, `squares`: of x and x^2 (column,); `spikes`: of y (unit,);
    `coincidences` (unit, unit, delay): pairs of spikes, the second 0..n_lags - 1 bins after the first.
    """

    def __init__(self, ticks: Ticks, n_lags: int) -> None:
        self.ticks, self.n_lags = ticks, n_lags
        self.n_rows = ticks.n_trials * (ticks.n_ticks - n_lags)
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
        return iter(self._cache) if self._cache is not None else self._build()

    def moments(self, intercept: np.ndarray, filters: np.ndarray) -> Moments:
        """Sums of mu, x mu and x x' mu over all rows, for mu = exp(intercept + x @ filters) of some targets."""
        columns = np.zeros(filters.shape)
        pairs = np.zeros((self.n_cells, filters.shape[1]))
        total = (self.n_rows - self.n_busy) * np.exp(np.minimum(intercept, MAX_LOG_RATE))
        for chunk in self.chunks:
            rate = chunk.design @ filters
            rate += intercept
            np.minimum(rate, MAX_LOG_RATE, out=rate)
            np.exp(rate, out=rate)
            columns += chunk.design.T @ rate
            pairs += chunk.pairs @ rate
            total += rate.sum(axis=0)
        return Moments(total, columns, pairs)

    def _build(self) -> Iterator[Chunk]:
        step = max(1, CHUNK_ENTRIES // self.ticks.n_units)
        for start in range(0, self.ticks.n_bins, step):
            yield self._chunk(start, min(start + step, self.ticks.n_bins))

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
        return Chunk(design, counts, self._pairs(time, unit, rank, start, stop, n_busy))

    def _entries(
        self, time: np.ndarray, offset: np.ndarray, lags: np.ndarray, start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows (counted from `start`) and indices offset + lag - 1 of events at `time`, seen `lags` later."""
        row = (time[:, None] + lags).ravel()
        index = (offset[:, None] + lags - 1).ravel()
        # a window that reaches over a trial's end lands in the next trial's first bins, which are no rows
        valid = (row >= start) & (row < stop) & (row % self.ticks.n_ticks >= self.n_lags)
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
        in_row = self.ticks.tick >= self.n_lags
        self.spikes = np.bincount(self.ticks.unit[in_row], minlength=n).astype(float)


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums of mu (target,), of x mu (column, target) and, over pairs of spikes at most `reach` bins apart, of mu
    (cell, target): cell (a, b, d, l) has a spike of unit a, l bins ago, and one of unit b, d bins after it."""

    total: np.ndarray
    columns: np.ndarray
    pairs: np.ndarray


@dataclass(frozen=True, eq=False)
class State:
    """Parameters of some targets, `intercept` (target,) and `weights` (pre, basis, target), what they imply, and their
    penalised log likelihood (target,) but for a constant."""

    intercept: np.ndarray
    weights: np.ndarray
    moments: Moments
    objective: np.ndarray


@dataclass(frozen=True, eq=False)
class Couplings:
    """Fitted models of all units: `weights` (pre, basis, post), Wald statistics `wald` (pre, post), Newton steps of the
    slowest, and whether all converged."""

    weights: np.ndarray
    wald: np.ndarray
    iterations: int
    converged: bool


def fit_couplings(
    design: LaggedDesign, basis: np.ndarray, *, ridge: float, max_iterations: int, tolerance: float
) -> Couplings:
    """Every unit that fired regressed on all units, in groups that fit in memory. Units without spikes get zeros."""
    n = design.ticks.n_units
    weights, wald, slowest, converged = np.zeros((n, basis.shape[1], n)), np.zeros((n, n)), 0, True
    fired = np.flatnonzero(design.spikes)
    size = max(1, GROUP_ENTRIES // design.n_cells)
    for start in range(0, len(fired), size):
        targets = fired[start : start + size]
        model = Regression(design, basis, ridge, targets)
        state, iterations, done = model.fit(max_iterations=max_iterations, tolerance=tolerance)
        weights[:, :, targets], wald[:, targets] = state.weights, model.wald(state)
        slowest, converged = max(slowest, iterations), converged and done
    return Couplings(weights, wald, slowest, converged)


class Regression:
    """The coupling models of `targets` on one design. `ridge` penalises ridge/2 |weights|^2; the intercept is free."""

    def __init__(self, design: LaggedDesign, basis: np.ndarray, ridge: float, targets: np.ndarray) -> None:
        self.design, self.basis, self.ridge = design, basis, ridge
        self.targets = targets
        self.n = design.ticks.n_units
        self._spikes = design.spikes[targets]
        self._events = self._on_basis(design.events[:, targets])
        self._products = self._lagged_products()

    def fit(self, *, max_iterations: int, tolerance: float) -> tuple[State, int, bool]:
        """Maximum penalised likelihood by Newton's method with step halving, all targets side by side.

        Returns the state, the steps taken, and whether every Newton decrement (twice the gain in log likelihood
        still to expect) came below `tolerance`.
        """
        intercept = np.log(np.maximum(self._spikes, 0.5) / self.design.n_rows)
        state = self._state(intercept, self._own_history())
        for iteration in range(max_iterations):
            step, decrement = self._newton_step(state)
            unfinished = decrement >= tolerance
            if not unfinished.any():
                return state, iteration, True
            state = self._improve(state, step * unfinished)
        return state, max_iterations, False

    def wald(self, state: State) -> np.ndarray:
        """Wald statistic (pre, target) of each filter: its weights in units of their covariance.

        The covariance of a penalised estimate is C I C, C the inverse of the penalised information I + ridge: the prior
        pulls the estimate in, and its spread with it, so the test keeps its level at any ridge.
        """
        n, n_basis, n_targets = state.weights.shape
        chi2, unit = np.zeros((n, n_targets)), np.arange(n)
        for target in range(n_targets):
            inverse = _inverse(self._penalised(state, target))
            covariance = (inverse - self.ridge * inverse[:, 1:] @ inverse[1:, :])[1:, 1:]
            block = covariance.reshape(n, n_basis, n, n_basis)[unit, :, unit, :]
            # pseudo-inverse: of a unit that never fired, the data say nothing, and its covariance is zero
            precision = np.linalg.pinv(block, rcond=1e-8, hermitian=True)
            own = state.weights[:, :, target]
            chi2[:, target] = np.einsum("ja,jab,jb->j", own, precision, own)
        return np.maximum(chi2, 0.0)

    def information(self, state: State, target: int) -> np.ndarray:
        """Fisher information (1 + pre x basis, same) of one target, its intercept first, without the penalty.

        It is exact over pairs of spikes at most `reach` bins apart, which is all pairs unless there are too many. A
        pair further apart counts with the rate that goes with each of its spikes, g(x) g(x') mean(mu), where
        g(x) = sum(x mu) / (sum(x) mean(mu)): under a log link effects multiply, so this is right on average over
        whatever else goes on, except for spikes of one origin, and those are close in time.
        """
        n, (n_lags, n_basis) = self.n, self.basis.shape
        reach = self.design.reach
        moments = state.moments.columns[:, target].reshape(n, n_lags)
        pairs = state.moments.pairs[:, target].reshape(n * n, (reach + 1) * n_lags)
        cross = (pairs @ self._products).reshape(n, n, n_basis, n_basis).transpose(0, 2, 1, 3).copy()
        mean = state.moments.total[target] / self.design.n_rows
        gain = moments / (np.maximum(self.design.sums.reshape(n, n_lags), 1e-12) * mean)
        shaped = gain[:, :, None] * self.basis  # (unit, lag, basis)
        for apart in range(reach + 1, n_lags):
            early = shaped[:, apart:].transpose(0, 2, 1).reshape(n * n_basis, -1)
            late = shaped[:, : n_lags - apart].transpose(1, 0, 2).reshape(-1, n * n_basis)
            both = (early @ late).reshape(n, n_basis, n, n_basis)
            cross += mean * self.design.coincidences[:, None, :, None, apart] * both
        cross += cross.transpose(2, 3, 0, 1).copy()
        unit = np.arange(n)
        cross[unit, :, unit, :] += np.einsum("la,jl,lb->jab", self.basis, moments, self.basis)
        result = np.empty((1 + n * n_basis,) * 2)
        result[0, 0] = state.moments.total[target]
        result[0, 1:] = result[1:, 0] = (moments @ self.basis).ravel()
        result[1:, 1:] = cross.reshape(n * n_basis, -1)
        return result

    def _own_history(self) -> np.ndarray:
        """Weights to start from: zero, but for the history that each target's autocorrelogram shows by itself.

        A refractory unit's history is far from zero, where Newton's method gains no more than about one per step.
        """
        weights = np.zeros((self.n, self.basis.shape[1], len(self.targets)))
        sums = self.design.sums.reshape(self.n, -1)
        for index, target in enumerate(self.targets):
            seen = self.design.events[:, target].reshape(self.n, -1)[target]
            expected = sums[target] * self.design.spikes[target] / self.design.n_rows
            weights[target, :, index] = np.linalg.pinv(self.basis) @ np.log((seen + 1) / (expected + 1))
        return weights

    def _lagged_products(self) -> np.ndarray:
        """basis(l, a) basis(l - d, b) as ((d, l), (a, b)), zero where l - d is no lag."""
        n_lags, n_basis = self.basis.shape
        products = np.zeros((self.design.reach + 1, n_lags, n_basis, n_basis))
        for apart in range(self.design.reach + 1):
            products[apart, apart:] = self.basis[apart:, :, None] * self.basis[: n_lags - apart, None, :]
        return products.reshape(-1, n_basis**2)

    def _on_basis(self, columns: np.ndarray) -> np.ndarray:
        """Sums per column (pre x lag, target) as sums per weight (pre, basis, target)."""
        return np.einsum("lb,jli->jbi", self.basis, columns.reshape(self.n, len(self.basis), -1))

    def _state(self, intercept: np.ndarray, weights: np.ndarray) -> State:
        filters = np.einsum("lb,jbi->jli", self.basis, weights).reshape(-1, weights.shape[2])
        moments = self.design.moments(intercept, filters)
        explained = (weights * self._events).sum(axis=(0, 1)) + intercept * self._spikes
        penalty = 0.5 * self.ridge * (weights**2).sum(axis=(0, 1))
        return State(intercept, weights, moments, explained - moments.total - penalty)

    def _newton_step(self, state: State) -> tuple[np.ndarray, np.ndarray]:
        """Newton step (1 + pre x basis, target) and decrement (target,)."""
        slope = self._events - self._on_basis(state.moments.columns) - self.ridge * state.weights
        gradient = np.vstack([self._spikes - state.moments.total, slope.reshape(-1, len(self._spikes))])
        steps = [_solve(self._penalised(state, target), gradient[:, target]) for target in range(gradient.shape[1])]
        step = np.stack(steps, axis=1)
        return step, (step * gradient).sum(axis=0)

    def _improve(self, state: State, step: np.ndarray) -> State:
        for _ in range(MAX_HALVINGS):
            moved = self._state(state.intercept + step[0], state.weights + step[1:].reshape(state.weights.shape))
            worse = moved.objective < state.objective - 1e-9 * np.abs(state.objective)
            if not worse.any():
                break
            step = np.where(worse, 0.5 * step, step)
        return moved

    def _penalised(self, state: State, target: int) -> np.ndarray:
        result = self.information(state, target)
        slope = np.arange(1, len(result))
        result[slope, slope] += self.ridge
        return result


def _solve(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Solution of a symmetric system; of a singular one, the solution of `_inverse`."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    try:
        return cho_solve(cho_factor(matrix, check_finite=False), vector, check_finite=False)
    except LinAlgError:
        return _inverse(matrix) @ vector


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Inverse of an information matrix; a direction of which it holds nothing gets a wide, finite variance."""
    from scipy.linalg import eigh

    scale = np.sqrt(np.maximum(np.diag(matrix), 1e-12))
    values, vectors = eigh(matrix / np.outer(scale, scale), check_finite=False)
    return (vectors / np.maximum(values, SMALLEST_EIGENVALUE)) @ vectors.T / np.outer(scale, scale)
