"""Group lasso on a fitted coupling model: which units' filters are worth their cost, by least squares approximation."""

from __future__ import annotations

import numpy as np

from methods.wiring._poisson import Regression, State

N_PENALTIES = 20
"""Penalties tried, from one that removes all filters down to a thousandth of it."""
MAX_SWEEPS = 100


def kept(model: Regression, state: State) -> np.ndarray:
    """Which filters (pre, target) survive, those of all other units in one group each.

    Minimises (w - v)' H (w - v) / 2 + penalty sum_j |w_j| / |v_j| with v the fitted weights, H their information given
    intercept and own history, which are free, and |.| the length in H (group lasso: Yuan & Lin 2006, J R Stat Soc B
    68:49; adaptive, on the quadratic approximation at the maximum: Wang & Leng 2007, J Am Stat Assoc 102:1039). The
    penalty is the one of least extended Bayesian information (Chen & Chen 2008, Biometrika 95:759, gamma 1), which
    counts how many sets of so many units there are, with one observation per spike (Volinsky & Raftery 2000).
    """
    n, n_basis, n_targets = state.weights.shape
    result = np.zeros((n, n_targets), dtype=bool)
    for index, target in enumerate(model.targets):
        others = np.flatnonzero(np.arange(n) != target)
        columns = (1 + others[:, None] * n_basis + np.arange(n_basis)).ravel()
        information = np.linalg.inv(model.inverse(state, index)[np.ix_(columns, columns)])
        fitted = state.weights[others, :, index]
        result[others, index] = selected(information, fitted, max(float(model.design.spikes[target]), 2.0))
    return result


def selected(information: np.ndarray, fitted: np.ndarray, n_observations: float) -> np.ndarray:
    """Which groups (group,) of fitted weights (group, basis) are not zero at the penalty of the least criterion."""
    from scipy.special import gammaln

    n_groups, size = fitted.shape
    blocks = information.reshape(n_groups, size, n_groups, size)
    roots = np.linalg.cholesky(blocks[np.arange(n_groups), :, np.arange(n_groups), :])  # lower
    inverse = np.linalg.inv(roots).transpose(0, 2, 1)
    white = np.einsum("jab,jakc,kcd->jbkd", inverse, blocks, inverse)  # groups' own blocks are the identity
    target = np.einsum("jab,ja->jb", roots, fitted)
    cost = 1 / np.maximum(np.linalg.norm(target, axis=1), 1e-12)
    pull = np.einsum("jbkd,kd->jb", white, target)
    top = 1.001 * float((np.linalg.norm(pull, axis=1) / cost).max())  # at which all are zero, rounding or not
    best, choice, weights = np.inf, np.zeros(n_groups, dtype=bool), np.zeros_like(target)
    for penalty in np.geomspace(top, 1e-3 * top, N_PENALTIES):
        weights = _descend(white, pull, penalty * cost, weights)
        gap = (target - weights).ravel()
        there = (weights != 0).any(axis=1)
        n_kept = int(there.sum())
        n_sets = gammaln(n_groups + 1) - gammaln(n_kept + 1) - gammaln(n_groups - n_kept + 1)
        cost_of = np.log(n_observations) * size * n_kept + 2 * n_sets
        criterion = gap @ white.reshape(gap.size, -1) @ gap + cost_of
        if criterion < best:
            best, choice = criterion, there
    return choice


def _descend(white: np.ndarray, pull: np.ndarray, penalty: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Block coordinate descent to the weights (group, basis) of one penalty (group,), from given ones."""
    weights = weights.copy()
    slope = pull - np.einsum("jbkd,kd->jb", white, weights)
    for _ in range(MAX_SWEEPS):
        largest = 0.0
        for group in range(len(weights)):
            wanted = slope[group] + weights[group]
            length = float(np.sqrt(wanted @ wanted))
            new = wanted * max(0.0, 1 - penalty[group] / length) if length else wanted
            step = new - weights[group]
            if step.any():
                slope -= white[:, :, group, :] @ step
                weights[group] = new
                largest = max(largest, float(np.abs(step).max()))
        if largest < 1e-3:  # standard deviations of an estimate
            break
    return weights
