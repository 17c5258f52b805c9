"""Poisson regression of every unit's spikes on all units' recent spikes: the engine of the coupling GLM.

Filters are basis @ weights with one basis (lag, basis) for all, on the columns of a `LaggedDesign`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from methods.wiring._lagged_design import MAX_LOG_RATE, LaggedDesign, Moments

GROUP_ENTRIES = 8_000_000
"""Numbers in the exact part of the information of those targets that are fitted together: 64 MB."""
MAX_HALVINGS = 12
"""Of a Newton step that does not raise the likelihood."""
SMALLEST_EIGENVALUE = 1e-8
"""Of the information scaled to a unit diagonal."""


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
    """Fitted models of all units: `intercept` (post,), `weights` (pre, basis, post), what the test says of each filter,
    a chi-square statistic `wald` (pre, post), which filters a penalty keeps, `kept` (pre, post), Newton steps of the
    slowest, and whether all converged."""

    intercept: np.ndarray
    weights: np.ndarray
    wald: np.ndarray
    kept: np.ndarray
    iterations: int
    converged: bool


def fit_couplings(
    design: LaggedDesign,
    basis: np.ndarray,
    *,
    ridge: float,
    max_iterations: int,
    tolerance: float,
    test: Test | None = None,
    select: Test | None = None,
) -> Couplings:
    """Every unit that fired regressed on all units, in groups that fit in memory. Units without spikes get zeros.

    test: makes the chi-square statistics (pre, target) of a fitted group, `Regression.wald` if not given; select: which
    of its filters are kept (pre, target), all if not given.
    """
    n = design.ticks.n_units
    weights, wald, slowest, converged = np.zeros((n, basis.shape[1], n)), np.zeros((n, n)), 0, True
    intercept, kept = np.full(n, -MAX_LOG_RATE), np.ones((n, n), dtype=bool)
    fired = np.flatnonzero(design.spikes)
    size = max(1, GROUP_ENTRIES // design.n_cells)
    for start in range(0, len(fired), size):
        targets = fired[start : start + size]
        model = Regression(design, basis, ridge, targets)
        state, iterations, done = model.fit(max_iterations=max_iterations, tolerance=tolerance)
        weights[:, :, targets], intercept[targets] = state.weights, state.intercept
        wald[:, targets] = model.wald(state) if test is None else test(model, state)
        kept[:, targets] = True if select is None else select(model, state)
        slowest, converged = max(slowest, iterations), converged and done
    return Couplings(intercept, weights, wald, kept, slowest, converged)


class Regression:
    """The coupling models of `targets` on one design. `ridge` penalises ridge/2 |weights|^2; the intercept is free."""

    def __init__(self, design: LaggedDesign, basis: np.ndarray, ridge: float, targets: np.ndarray) -> None:
        self.design, self.basis, self.ridge = design, basis, ridge
        self.targets = targets
        self.n = design.ticks.n_units
        self._spikes = design.spikes[targets]
        self._events = self.on_basis(design.events[:, targets])
        self._products = self._lagged_products()

    def fit(self, *, max_iterations: int, tolerance: float) -> tuple[State, int, bool]:
        """Maximum penalised likelihood by Newton's method with step halving, all targets side by side.

        Returns the state, the steps taken, and whether every Newton decrement (twice the gain in log likelihood
        still to expect) came below `tolerance`.
        """
        intercept = np.log(np.maximum(self._spikes, 0.5) / self.design.exposure[self.targets])
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
        n, _, n_targets = state.weights.shape
        chi2 = np.zeros((n, n_targets))
        for target in range(n_targets):
            # pseudo-inverse: of a unit that never fired, the data say nothing, and its covariance is zero
            precision = np.linalg.pinv(self.spread(self.inverse(state, target)), rcond=1e-8, hermitian=True)
            own = state.weights[:, :, target]
            chi2[:, target] = np.einsum("ja,jab,jb->j", own, precision, own)
        return np.maximum(chi2, 0.0)

    def spread(self, inverse: np.ndarray) -> np.ndarray:
        """Covariance (pre, basis, basis) of each filter's weights, from the inverse of the penalised information."""
        unit, n_basis = np.arange(self.n), self.basis.shape[1]
        covariance = (inverse - self.ridge * inverse[:, 1:] @ inverse[1:, :])[1:, 1:]
        return np.asarray(covariance.reshape(self.n, n_basis, self.n, n_basis)[unit, :, unit, :])

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

    def inverse(self, state: State, target: int) -> np.ndarray:
        """Inverse of the penalised information of one target (1 + pre x basis, same)."""
        return _inverse(self._penalised(state, target))

    def _own_history(self) -> np.ndarray:
        """Weights to start from: zero, but for the history that each target's autocorrelogram shows by itself.

        A refractory unit's history is far from zero, where Newton's method gains no more than about one per step.
        """
        weights = np.zeros((self.n, self.basis.shape[1], len(self.targets)))
        if self.design.baseline is not None:  # which may know it already
            return weights
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

    def on_basis(self, columns: np.ndarray) -> np.ndarray:
        """Sums per column (pre x lag, target) as sums per weight (pre, basis, target)."""
        return np.einsum("lb,jli->jbi", self.basis, columns.reshape(self.n, len(self.basis), -1))

    def _state(self, intercept: np.ndarray, weights: np.ndarray) -> State:
        filters = np.einsum("lb,jbi->jli", self.basis, weights).reshape(-1, weights.shape[2])
        moments = self.design.moments(intercept, filters, self.targets)
        explained = (weights * self._events).sum(axis=(0, 1)) + intercept * self._spikes
        penalty = 0.5 * self.ridge * (weights**2).sum(axis=(0, 1))
        return State(intercept, weights, moments, explained - moments.total - penalty)

    def _newton_step(self, state: State) -> tuple[np.ndarray, np.ndarray]:
        """Newton step (1 + pre x basis, target) and decrement (target,)."""
        slope = self._events - self.on_basis(state.moments.columns) - self.ridge * state.weights
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


Test = Callable[[Regression, State], np.ndarray]
"""What makes a statistic (pre, target) of a group of fitted models."""


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
