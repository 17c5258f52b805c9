"""Poisson regression of every unit's spikes on all units' recent spikes: the engine of the coupling GLM.

The design matrix is never formed. A row is a time bin; a column (j, l) holds the count of unit j, l bins ago; filters
are B @ weights with one basis B (lag, basis) for all. Rows in which nobody fired within the window share one rate
and are counted, not stored; the others are sparse with one entry per spike and lag, whatever the basis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from methods._pairs import Ticks, lag_counts

CHUNK_ENTRIES = 6_000_000
"""Numbers in the dense (row, unit) block of expected counts that is worked on at once: 48 MB."""
CACHE_ENTRIES = 40_000_000
"""Non-zeros of the design that are kept between passes (12 bytes each); a larger design is rebuilt chunk by chunk."""
MAX_LOG_RATE = 30.0
"""Where exp is cut off, so that a wild step is rejected for its likelihood rather than for overflow."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Rows with recent spikes: `design` (row, lag x unit) and `counts` (row, unit), both sparse."""

    design: object
    counts: object


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
            self.events += (chunk.design.T @ chunk.counts).toarray()  # type: ignore[attr-defined]
            self.sums += chunk.design.sum(axis=0)  # type: ignore[attr-defined]
            self.squares += chunk.design.power(2).sum(axis=0)  # type: ignore[attr-defined]
            self.n_busy += chunk.design.shape[0]  # type: ignore[attr-defined]
        in_row = self.ticks.tick >= self.n_lags
        self.spikes = np.bincount(self.ticks.unit[in_row], minlength=n).astype(float)

    def moments(self, intercept: np.ndarray, filters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums of x mu (column, target) and of mu (target,), for mu = exp(intercept + x @ filters)."""
        moments = np.zeros(filters.shape)
        total = (self.n_rows - self.n_busy) * np.exp(np.minimum(intercept, MAX_LOG_RATE))
        for chunk in self.chunks:
            rate = chunk.design @ filters  # type: ignore[operator]
            rate += intercept
            np.minimum(rate, MAX_LOG_RATE, out=rate)
            np.exp(rate, out=rate)
            moments += chunk.design.T @ rate  # type: ignore[attr-defined]
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
class Fit:
    """A fitted coupling model, per target: `intercept` (target,), `weights` (pre, basis, target), Wald `chi2` (pre, target)."""

    intercept: np.ndarray
    weights: np.ndarray
    chi2: np.ndarray
    iterations: int
    converged: bool


def fit(
    design: LaggedDesign, basis: np.ndarray, *, ridge: float, max_iterations: int, tolerance: float
) -> Fit:
    """Maximum penalised likelihood of all targets at once, by Newton's method with step halving.

    The information matrix of target i takes its own sums of x mu exactly, and its cross terms as the number of
    coincidences of x and x' times the rate that each goes with, sum(x x' mu) ~ sum(x x') g(x) g(x') mean(mu) with
    g(x) = sum(x mu) / (sum(x) mean(mu)): exact where the effects multiply, as they do under a log link, and all other
    influences average out. It costs one pass over the spikes instead of one over all pairs of columns and rows.
    `ridge` penalises ridge/2 |weights|^2; the intercept is free. Stops when every Newton decrement is below `tolerance`.
    """
    n, n_basis = design.ticks.n_units, basis.shape[1]
    coincidences = design.coincidences()
    intercept = np.log(np.maximum(design.spikes, 0.5) / design.n_rows)
    weights = np.zeros((n, n_basis, n))
    events = _on_basis(design.events, basis)
    moments, total = design.moments(intercept, _filters(weights, basis))
    objective = _objective(design, events, intercept, weights, total, ridge)
    converged = False
    iterations = 0
    while iterations < max_iterations and not converged:
        iterations += 1
        step, decrement = _newton_steps(design, basis, coincidences, events, weights, moments, total, ridge)
        step[:, decrement < tolerance] = 0.0
        converged = bool((decrement < tolerance).all())
        if converged:
            break
        for _ in range(12):
            new_intercept = intercept + step[0]
            new_weights = weights + step[1:].reshape(weights.shape)
            new_moments, new_total = design.moments(new_intercept, _filters(new_weights, basis))
            new_objective = _objective(design, events, new_intercept, new_weights, new_total, ridge)
            worse = new_objective < objective - 1e-9 * np.abs(objective)
            if not worse.any():
                break
            step[:, worse] *= 0.5
        intercept, weights, moments, total, objective = (
            new_intercept, new_weights, new_moments, new_total, new_objective)  # fmt: skip
    chi2 = _wald(design, basis, coincidences, weights, moments, total, ridge)
    return Fit(intercept, weights, chi2, iterations, converged)


def _filters(weights: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Weights (pre, basis, target) as filters (pre x lag, target)."""
    return np.einsum("lb,jbi->jli", basis, weights).reshape(-1, weights.shape[2])


def _on_basis(columns: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Sums per column (pre x lag, target) as sums per weight (pre, basis, target)."""
    return np.einsum("lb,jli->jbi", basis, columns.reshape(-1, basis.shape[0], columns.shape[1]))


def _objective(
    design: LaggedDesign,
    events: np.ndarray,
    intercept: np.ndarray,
    weights: np.ndarray,
    total: np.ndarray,
    ridge: float,
) -> np.ndarray:
    """Penalised log likelihood (target,), but for a constant."""
    return (
        (weights * events).sum(axis=(0, 1))
        + intercept * design.spikes
        - total
        - 0.5 * ridge * (weights**2).sum(axis=(0, 1))
    )


def _information(
    design: LaggedDesign, basis: np.ndarray, coincidences: np.ndarray, moments: np.ndarray, total: float
) -> np.ndarray:
    """Fisher information (1 + pre x basis, same) of one target; its intercept comes first."""
    n_lags, n_basis = basis.shape
    n = design.ticks.n_units
    mean = total / design.n_rows
    gain = (moments / (np.maximum(design.sums, 1e-12) * mean)).reshape(n, n_lags)
    shaped = gain[:, :, None] * basis  # (unit, lag, basis)
    half = np.matmul(coincidences, shaped[:, None])  # (unit', unit, lag, basis')
    cross = np.einsum("jla,kjlb->jakb", shaped, half, optimize=True) * mean
    own = mean * design.squares.reshape(n, n_lags) * (gain - gain**2)
    unit = np.arange(n)
    cross[unit, :, unit, :] += np.einsum("la,jl,lb->jab", basis, own, basis)
    result = np.empty((1 + n * n_basis, 1 + n * n_basis))
    result[0, 0] = total
    result[0, 1:] = result[1:, 0] = np.einsum("lb,jl->jb", basis, moments.reshape(n, n_lags)).ravel()
    result[1:, 1:] = cross.reshape(n * n_basis, n * n_basis)
    return (result + result.T) / 2


def _inverse(information: np.ndarray, ridge: float) -> np.ndarray:
    """Inverse of the penalised information; a unit that never fired, or a twin of another, only gets a wide variance."""
    from scipy.linalg import eigh

    penalised = information.copy()
    slopes = np.arange(1, len(information))
    penalised[slopes, slopes] += ridge
    scale = np.sqrt(np.maximum(np.diag(penalised), 1e-12))
    values, vectors = eigh(penalised / np.outer(scale, scale), check_finite=False)
    values = np.maximum(values, 1e-8)
    return (vectors / values) @ vectors.T / np.outer(scale, scale)


def _newton_steps(
    design: LaggedDesign,
    basis: np.ndarray,
    coincidences: np.ndarray,
    events: np.ndarray,
    weights: np.ndarray,
    moments: np.ndarray,
    total: np.ndarray,
    ridge: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Newton step (1 + pre x basis, target) and its decrement (target,), twice the gain in log likelihood to expect."""
    n = design.ticks.n_units
    slope = events - _on_basis(moments, basis) - ridge * weights
    gradient = np.vstack([design.spikes - total, slope.reshape(-1, n)])
    step = np.zeros_like(gradient)
    for target in np.flatnonzero(design.spikes):
        information = _information(design, basis, coincidences, moments[:, target], total[target])
        step[:, target] = _inverse(information, ridge) @ gradient[:, target]
    return step, (step * gradient).sum(axis=0)


def _wald(
    design: LaggedDesign,
    basis: np.ndarray,
    coincidences: np.ndarray,
    weights: np.ndarray,
    moments: np.ndarray,
    total: np.ndarray,
    ridge: float,
) -> np.ndarray:
    """Wald statistic (pre, target) of each filter: its weights in units of their covariance."""
    n, n_basis, _ = weights.shape
    chi2 = np.zeros((n, n))
    unit = np.arange(n)
    for target in np.flatnonzero(design.spikes):
        information = _information(design, basis, coincidences, moments[:, target], total[target])
        covariance = _inverse(information, ridge)[1:, 1:].reshape(n, n_basis, n, n_basis)
        block = covariance[unit, :, unit, :]
        own = weights[:, :, target]
        chi2[:, target] = (own * np.linalg.solve(block, own[:, :, None])[:, :, 0]).sum(axis=1)
    return chi2
