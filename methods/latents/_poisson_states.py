"""A linear dynamical system that counts are Poisson readings of: what it is, and what counts tell of its states.

    x(t + 1) = A x(t) + w,  w ~ N(0, Q),  x(0) ~ N(m, P);   counts of unit i ~ Poisson(exp(C_i x + d_i))

Arrays: counts (trial, bin, unit), states (trial, bin, state). All trials are solved at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

MOST_STEP = 1.0
"""Largest change of a log rate in one step of Newton's: beyond it a parabola says nothing of an exponential."""

MOST_LOG_RATE = 15.0
"""Of counts in a bin: more than anything fires, and far from overflow."""


@dataclass(frozen=True, eq=False)
class StateSpace:
    """Parameters: transition A, noise Q, start m, start_spread P, loading C (unit, state), offset d (unit,)."""

    transition: np.ndarray
    noise: np.ndarray
    start: np.ndarray
    start_spread: np.ndarray
    loading: np.ndarray
    offset: np.ndarray

    def rates(self, states: np.ndarray) -> np.ndarray:
        """Expected counts (trial, bin, unit)."""
        return np.exp(np.minimum(states @ self.loading.T + self.offset, MOST_LOG_RATE))

    def time_constants(self, step: float) -> list[float]:
        """Of the modes, longest first, in bins of `step` [s]: -step / log |eigenvalue|."""
        size = np.clip(np.abs(np.linalg.eigvals(self.transition)), 1e-9, 1 - 1e-9)
        return sorted((-step / np.log(size)).tolist(), reverse=True)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Means (trial, bin, state), covariances of a bin's state and of it with the next one's (.., state, state).

    evidence: log likelihood of each trial by Laplace's approximation, but for the factorials of counts.
    """

    mean: np.ndarray
    spread: np.ndarray
    with_next: np.ndarray
    evidence: np.ndarray


def banded(diagonal: np.ndarray, below: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, ...]:
    """Solves H x = right for a block tridiagonal, symmetric H.

    diagonal: its blocks (trial, bin, state, state); -below: those under them, all alike. Returns x (trial, bin, state);
    blocks of the inverse of H on the diagonal and right of it; log |H| (trial,).
    """
    inverse, pushed = np.empty_like(diagonal), np.empty_like(right)
    bins = diagonal.shape[1]
    for t in range(bins):
        block, push = diagonal[:, t], right[:, t]
        if t:
            back = below @ inverse[:, t - 1]
            block, push = block - back @ below.T, push + np.einsum("rij,rj->ri", back, pushed[:, t - 1])
        inverse[:, t], pushed[:, t] = np.linalg.inv(block), push
    log_det = -np.linalg.slogdet(inverse)[1].sum(axis=1)
    found, spread, with_next = np.empty_like(right), inverse.copy(), np.empty_like(diagonal[:, 1:])
    found[:, -1] = np.einsum("rij,rj->ri", inverse[:, -1], pushed[:, -1])
    for t in range(bins - 2, -1, -1):
        found[:, t] = np.einsum("rij,rj->ri", inverse[:, t], pushed[:, t] + found[:, t + 1] @ below)
        gain = inverse[:, t] @ below.T
        with_next[:, t] = gain @ spread[:, t + 1]
        spread[:, t] += with_next[:, t] @ gain.swapaxes(1, 2)
    return found, spread, with_next, log_det


def posterior(counts: np.ndarray, model: StateSpace, start: np.ndarray | None = None, rounds: int = 50) -> Posterior:
    """The states given counts, by Laplace's approximation: a Gaussian at the mode, which Newton's steps climb to.

    start: states to begin at. The log posterior is concave, so that the mode is the only one.
    """
    prior, precision = _prior_blocks(model, counts.shape[1])
    pairs = np.einsum("ui,uj->uij", model.loading, model.loading).reshape(len(model.loading), -1)
    below = precision @ model.transition
    x = np.broadcast_to(model.start, (*counts.shape[:2], len(model.start))).copy() if start is None else start.copy()
    for _ in range(rounds):
        rate = model.rates(x)
        curved = prior + (rate @ pairs).reshape(*x.shape, x.shape[2])
        slope = (counts - rate) @ model.loading + _prior_slope(x, model, prior, below)
        move, spread, with_next, log_det = banded(curved, below, slope)
        largest = np.abs(move @ model.loading.T).max(axis=(1, 2), initial=1e-12)
        x = x + np.minimum(1.0, MOST_STEP / largest)[:, None, None] * move
        if largest.max() < 1e-3:
            break
    return Posterior(x, spread, with_next, _log_joint(counts, x, model) - log_det / 2)


def _prior_blocks(model: StateSpace, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Blocks (bin, state, state) on the diagonal of the prior's precision, and the precision of the noise."""
    precision = np.linalg.inv(model.noise)
    blocks = np.broadcast_to(precision, (bins, *precision.shape)).copy()
    blocks[0] = np.linalg.inv(model.start_spread)
    blocks[:-1] += model.transition.T @ precision @ model.transition
    return blocks, precision


def _prior_slope(x: np.ndarray, model: StateSpace, prior: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Gradient of the log prior at states x."""
    slope = -np.einsum("tij,rtj->rti", prior, x)
    slope[:, 1:] += x[:, :-1] @ below.T
    slope[:, :-1] += x[:, 1:] @ below
    slope[:, 0] += np.linalg.solve(model.start_spread, model.start)
    return slope


def _log_joint(counts: np.ndarray, x: np.ndarray, model: StateSpace) -> np.ndarray:
    """Log joint density (trial,) of counts and states, without factorials and the 2 pi that Laplace's cancels."""
    read = (counts * (x @ model.loading.T + model.offset) - model.rates(x)).sum(axis=(1, 2))
    first, moved = x[:, 0] - model.start, x[:, 1:] - x[:, :-1] @ model.transition.T
    far = (first * np.linalg.solve(model.start_spread, first.T).T).sum(axis=1)
    far += (moved * (moved @ np.linalg.inv(model.noise))).sum(axis=(1, 2))
    volume = np.linalg.slogdet(model.start_spread)[1] + moved.shape[1] * np.linalg.slogdet(model.noise)[1]
    return np.asarray(read - far / 2 - volume / 2)


def refitted(counts: np.ndarray, model: StateSpace, found: Posterior, ridge: float) -> StateSpace:
    """The parameters that the expected log likelihood under a posterior is highest at: the M step.

    ridge: on loadings, as from a Gaussian prior of that precision: a unit with a handful of spikes stays finite.
    """
    x, spread = found.mean, found.spread
    second = np.einsum("rti,rtj->ij", x[:, :-1], x[:, :-1]) + spread[:, :-1].sum(axis=(0, 1))
    later = np.einsum("rti,rtj->ij", x[:, 1:], x[:, 1:]) + spread[:, 1:].sum(axis=(0, 1))
    cross = np.einsum("rti,rtj->ij", x[:, 1:], x[:, :-1]) + found.with_next.sum(axis=(0, 1)).T
    transition = np.linalg.solve(second.T, cross.T).T
    noise = (later - transition @ cross.T) / (len(x) * (x.shape[1] - 1))
    start = x[:, 0].mean(axis=0)
    start_spread = np.einsum("ri,rj->ij", x[:, 0] - start, x[:, 0] - start) / len(x) + spread[:, 0].mean(axis=0)
    moved = replace(model, transition=transition, noise=_proper(noise), start=start, start_spread=_proper(start_spread))
    return _reloaded(counts, moved, found, ridge)


def _proper(matrix: np.ndarray, least: float = 1e-6) -> np.ndarray:
    """The symmetric part, with eigenvalues of `least` of the largest at least."""
    values, axes = np.linalg.eigh((matrix + matrix.T) / 2)
    return (axes * np.maximum(values, least * max(values[-1], 1e-12))) @ axes.T


def _reloaded(counts: np.ndarray, model: StateSpace, found: Posterior, ridge: float) -> StateSpace:
    """Loadings and offsets at which the expected log likelihood is highest, unit by unit."""
    states = found.mean.shape[2]
    x, spread = found.mean.reshape(-1, states), found.spread.reshape(-1, states, states)
    y = counts.reshape(len(x), -1)
    each = [
        _readout(y[:, unit], x, spread, np.append(model.loading[unit], model.offset[unit]), ridge)
        for unit in range(y.shape[1])
    ]
    return replace(model, loading=np.array(each)[:, :-1], offset=np.array(each)[:, -1])


def _readout(
    y: np.ndarray, x: np.ndarray, spread: np.ndarray, start: np.ndarray, ridge: float, rounds: int = 3
) -> np.ndarray:
    """(state + 1,): C, then d, of counts y (sample,) by Newton's steps from `start`.

    Over the posterior N(x, V) of the state the expected rate is exp(C x + d + C V C' / 2).
    """
    penalty, found = np.diag([ridge] * x.shape[1] + [0.0]), start
    for _ in range(rounds):
        wide = spread @ found[:-1]
        rate = np.exp(np.minimum(x @ found[:-1] + found[-1] + wide @ found[:-1] / 2, MOST_LOG_RATE))
        moved = np.column_stack([x + wide, np.ones(len(x))])
        slope = np.append(x.T @ y, y.sum()) - moved.T @ rate - penalty @ found
        curved = (moved * rate[:, None]).T @ moved + penalty
        curved[:-1, :-1] += np.tensordot(rate, spread, axes=1)
        move = np.linalg.solve(curved, slope)
        found = found + move * min(1.0, MOST_STEP / max(float(np.abs(moved @ move).max()), 1e-12))
    return found
