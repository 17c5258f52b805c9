"""Subspace identification: a linear dynamical system read off the covariances of counts at several lags.

After Buesing, Macke & Sahani 2012 (NIPS 25): moments of Poisson counts become those of Gaussian log rates, and the
Hankel matrix of their covariances factors into what the past tells of the state and the state of the future (Ho &
Kalman 1966; Van Overschee & De Moor 1996). Counts (trial, bin, unit).
"""

from __future__ import annotations

import numpy as np

from methods.latents._poisson_states import StateSpace

MOST_KEPT = 0.999
"""Largest singular value of a transition whose states have unit covariance: at 1 there is no noise left."""


def log_rate_covariances(counts: np.ndarray, lags: int) -> np.ndarray:
    """(lag, unit, unit) of log rates, of unit i later with unit j earlier; lags 0 to `lags`.

    For log rates that are Gaussian: E[y_i y_j] = E[y_i] E[y_j] exp(S_ij), and at lag 0 E[y_i^2] - E[y_i] in place of
    E[y_i^2]. Products that never occurred count as half of one.
    """
    _, bins, units = counts.shape
    mean = counts.mean(axis=(0, 1))
    covariance = np.empty((lags + 1, units, units))
    for lag in range(lags + 1):
        later, earlier = (part.reshape(-1, units) for part in (counts[:, lag:], counts[:, : bins - lag]))
        product = later.T @ earlier / len(later)
        product -= np.diag(mean) if lag == 0 else 0.0
        expected = np.outer(later.mean(axis=0), earlier.mean(axis=0))
        covariance[lag] = np.log(np.maximum(product, 0.5 / len(later)) / np.maximum(expected, 0.25 / len(later)))
    return covariance


def hankel(covariance: np.ndarray) -> np.ndarray:
    """Block Hankel matrix (future, past) of covariances (lag, i, j) at lags 1 to 2 k - 1; lag 0 is left out."""
    k = len(covariance) // 2
    return np.block([[covariance[i + j + 1] for j in range(k)] for i in range(k)])


def realised(blocks: np.ndarray, size: int, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Transition (state, state) and readout (size, state) of a system of this order with such a Hankel matrix."""
    left, value, _ = np.linalg.svd(blocks, full_matrices=False)
    seen = left[:, :order] * np.sqrt(value[:order])
    transition = np.linalg.lstsq(seen[:-size], seen[size:], rcond=None)[0]
    return transition, seen[:size]


def identified(counts: np.ndarray, order: int, depth: int) -> StateSpace:
    """The stationary system of so many states that has these counts' covariances; `depth` bins of past and future.

    Its states have unit covariance.
    """
    covariance = log_rate_covariances(counts, 2 * depth - 1)
    transition, loading = realised(hankel(covariance), counts.shape[2], order)
    back = np.linalg.pinv(loading)
    spread = back @ (covariance[0] + covariance[0].T) @ back.T / 2
    values, axes = np.linalg.eigh(spread)
    scale = axes * np.sqrt(np.maximum(values, 1e-3 * max(values[-1], 1e-12)))
    left, kept, right = np.linalg.svd(np.linalg.solve(scale, transition @ scale))
    transition = (left * np.minimum(kept, MOST_KEPT)) @ right
    one = np.eye(order)
    loading = loading @ scale
    offset = mean_offset(counts, loading)
    return StateSpace(transition, one - transition @ transition.T, np.zeros(order), one, loading, offset)


def mean_offset(counts: np.ndarray, loading: np.ndarray) -> np.ndarray:
    """Offsets (unit,) at which states of unit covariance have the mean counts that there are."""
    return np.log(counts.mean(axis=(0, 1))) - np.square(loading).sum(axis=1) / 2
