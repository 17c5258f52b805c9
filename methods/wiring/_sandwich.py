"""Tests of coupling filters that do not trust the model's own spread: cluster-robust covariance.

Spikes in one block of time may hang together in ways that the model does not know; blocks are taken as independent.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from methods.wiring._lagged_design import MAX_LOG_RATE, LaggedDesign, rates
from methods.wiring._poisson import Regression, State

MAX_BLOCKS = 200
"""More blocks add little to the degrees of freedom, and scores are kept for each."""
FEWEST_BLOCKS = 20
"""Below which a covariance of scores is no estimate."""


def blocks(design: LaggedDesign, ticks: int) -> tuple[np.ndarray, int]:
    """Block (time,) of each bin, trials laid end to end, -1 where it is no row; and how many blocks there are.

    Each trial is cut into equal parts no longer than `ticks`; neighbours join where there would be over MAX_BLOCKS.
    """
    ends, n_ticks = design.ticks.ends, design.ticks.n_ticks
    parts = np.maximum(1, -(-ends // max(1, ticks)))
    first = np.concatenate([[0], np.cumsum(parts)[:-1]])
    part = np.minimum(np.arange(n_ticks) * parts[:, None] // np.maximum(ends, 1)[:, None], parts[:, None] - 1)
    total = int(parts.sum())
    label = (first[:, None] + part).ravel()
    if total > MAX_BLOCKS:
        label, total = label * MAX_BLOCKS // total, MAX_BLOCKS
    return np.where(design.rows, label, -1).astype(np.int32), total


def scores(model: Regression, state: State, block: np.ndarray, n_blocks: int) -> np.ndarray:
    """Slope of the log likelihood (block, 1 + pre x basis, target) that each block contributes."""
    design, targets = model.design, model.targets
    filters = np.einsum("lb,jbi->jli", model.basis, state.weights).reshape(-1, len(targets))
    result = np.zeros((n_blocks, 1 + model.n * model.basis.shape[1], len(targets)))
    base = np.exp(np.minimum(state.intercept, MAX_LOG_RATE))
    result[:, 0] = (
        spikes_in(design, block, n_blocks)[:, targets] - base * exposure_in(design, block, n_blocks)[:, targets]
    )
    for chunk in design.chunks:
        rate = rates(chunk, state.intercept, filters, targets)
        residual = chunk.counts[:, targets].toarray() - rate
        alone = rates(chunk, state.intercept, 0 * filters, targets)
        of_row = block[chunk.time]
        edges = np.concatenate([[0], np.flatnonzero(np.diff(of_row)) + 1, [len(of_row)]])
        for start, stop in pairwise(edges):
            if stop > start:
                where = of_row[start]
                columns = chunk.design[start:stop].T @ residual[start:stop]
                result[where, 1:] += model.on_basis(columns).reshape(-1, len(targets))
                result[where, 0] -= (rate[start:stop] - alone[start:stop]).sum(axis=0)
    return result


def spikes_in(design: LaggedDesign, block: np.ndarray, n_blocks: int) -> np.ndarray:
    """Spikes (block, unit) in rows."""
    ticks = design.ticks
    where = block[ticks.trial * ticks.n_ticks + ticks.tick]
    inside = where >= 0
    flat = np.bincount(where[inside] * ticks.n_units + ticks.unit[inside], minlength=n_blocks * ticks.n_units)
    return flat.reshape(n_blocks, ticks.n_units).astype(float)


def exposure_in(design: LaggedDesign, block: np.ndarray, n_blocks: int) -> np.ndarray:
    """Rows (block, unit), each as long as the baseline says."""
    if design.baseline is not None:
        return design.baseline.exposure(block, n_blocks)
    rows = np.bincount(block[block >= 0], minlength=n_blocks).astype(float)
    return np.repeat(rows[:, None], design.ticks.n_units, axis=1)


def robust_wald(model: Regression, state: State, block: np.ndarray, n_blocks: int) -> np.ndarray:
    """Chi-square statistic (pre, target) of each filter in the larger of the model's and the data's covariance.

    The data's is C (sum_g s_g s_g') C, C the inverse penalised information and s_g the slope of block g less the mean
    one (Huber 1967; Liang & Zeger 1986, Biometrika 73:13). Alone it finds edges where there are too few coincidences
    for a spread: none at all has none. So along each axis in which the two differ, the larger variance counts.
    """
    n, n_basis, n_targets = state.weights.shape
    slope = scores(model, state, block, n_blocks)
    slope -= slope.mean(axis=0)
    slope *= np.sqrt(n_blocks / (n_blocks - 1))
    result = np.zeros((n, n_targets))
    for target in range(n_targets):
        inverse = model.inverse(state, target)
        moved = (slope[:, :, target] @ inverse[:, 1:]).reshape(n_blocks, n, n_basis)
        data = np.einsum("gja,gjb->jab", moved, moved)
        result[:, target] = _lifted(state.weights[:, :, target], model.spread(inverse), data)
    return result


def _lifted(weights: np.ndarray, covariance: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Squared length (pre,) of weights (pre, basis) in the larger of two covariances (pre, basis, same)."""
    values, vectors = np.linalg.eigh(covariance)
    known = values > 1e-8 * np.maximum(values.max(axis=1, keepdims=True), 1e-300)
    whitening = vectors * np.where(known, 1 / np.sqrt(np.where(known, values, 1.0)), 0.0)[:, None, :]
    ratio, axes = np.linalg.eigh(whitening.transpose(0, 2, 1) @ data @ whitening)
    along = np.einsum("jb,jbc,jca->ja", weights, whitening, axes)
    return np.asarray((along**2 / np.maximum(ratio, 1.0)).sum(axis=1))
