"""The general linear model of imaging: regressors of conditions, noise that follows itself, contrasts between two."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simlab.data import durations, onsets

STEP = 0.1
"""Of the time grid on which trials are convolved with the response [s]."""

RESPONSE_LENGTH = 32.0
"""s, of the canonical response."""


def canonical_response(time: np.ndarray) -> np.ndarray:
    """Difference of gamma densities of shapes 6 and 16 [s], the second a sixth of the first (Friston et al. 1998)."""
    from scipy.stats import gamma

    return (gamma.pdf(time, 6) - gamma.pdf(time, 16) / 6) / (1 - 1 / 6)


def canonical_design(recording: xr.Dataset, n_conditions: int) -> np.ndarray:
    """(trial x sample, condition): trials of each condition as boxes, convolved with the canonical response."""
    start, length = onsets(recording), durations(recording)
    first = start.min()
    grid = np.arange(int(np.ceil((start + length).max() / STEP - first / STEP)) + 1) * STEP + first + STEP / 2
    response = canonical_response((np.arange(int(RESPONSE_LENGTH / STEP)) + 0.5) * STEP) * STEP
    when = (start[:, None] + recording["sample_time"].values[None]).ravel()
    columns = []
    for k in range(n_conditions):
        box = np.zeros(len(grid))
        for trial in np.flatnonzero(recording["condition"].values == k):
            box[(grid >= start[trial]) & (grid < start[trial] + length[trial])] = 1.0
        columns.append(np.interp(when, grid, np.convolve(box, response)[: len(grid)]))
    return np.column_stack(columns)


def contrasts(values: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """t and one-sided p (unit, k, j) of beta_k > beta_j, from values (sample, unit) and regressors (sample, condition).

    Least squares after whitening by a first-order autoregression, one for each unit; a constant is added. Standard
    errors are those of noise that may differ among conditions, as the busier one is often the noisier (HC2: MacKinnon &
    White 1985, J Econom 29:305; of two groups of trials it is Welch's). Where a unit's signal never changes all are 0
    and 1.
    """
    from scipy.stats import t as student

    n_units, n = values.shape[1], design.shape[1]
    full = np.column_stack([design, np.ones(len(design))])
    found = np.zeros((n_units, n, n))
    freedom = max(len(values) - int(np.linalg.matrix_rank(full)), 1)
    for unit in range(n_units):
        y = values[:, unit]
        if np.ptp(y) <= 1e-12 * np.abs(y).max():
            continue
        rest = y - full @ (np.linalg.pinv(full) @ y)
        follow = float(np.clip((rest[1:] @ rest[:-1]) / max(rest @ rest, 1e-300), 0.0, 0.99))
        found[unit] = _t_values(_whitened(full, follow), _whitened(y[:, None], follow)[:, 0], n)
    p = np.where(found == 0, 1.0, student.sf(found, freedom))
    return found, p


def _whitened(columns: np.ndarray, follow: float) -> np.ndarray:
    """Columns (sample, column) less what follows from the sample before, at this autocorrelation."""
    ahead = columns[1:] - follow * columns[:-1]
    return np.concatenate([columns[:1] * np.sqrt(1 - follow**2), ahead])


def _t_values(design: np.ndarray, y: np.ndarray, n: int) -> np.ndarray:
    """(k, j) t of beta_k - beta_j; huge where nothing is left unexplained, 0 where the two do not differ."""
    inverse = np.linalg.pinv(design.T @ design)
    beta = inverse @ (design.T @ y)
    leverage = np.einsum("si,ij,sj->s", design, inverse, design)
    left = (y - design @ beta) / np.sqrt(np.maximum(1 - leverage, 1e-6))
    weighted = design * left[:, None]
    covariance = (inverse @ (weighted.T @ weighted) @ inverse)[:n, :n]
    spread = np.diag(covariance)[:, None] + np.diag(covariance)[None] - 2 * covariance
    apart = beta[:n, None] - beta[None, :n]
    apart[np.abs(apart) < 1e-9 * np.abs(beta[:n]).max(initial=0.0)] = 0.0
    return np.asarray(apart / np.sqrt(np.maximum(spread, 1e-300)))
