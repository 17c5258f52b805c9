"""What a recording is summarised by, where models are compared through what they do and not unit by unit."""

from __future__ import annotations

import numpy as np

from methods.models._candidates import correlations
from methods.models.effective_dimensionality import participation

MOST_UNITS, MOST_FEATURES = 12, 100
"""That tuning is measured of; in principal components of what was shown."""


def summaries(units: np.ndarray, trial: np.ndarray, shown: np.ndarray | None) -> np.ndarray:
    """(statistic,) of responses (sample, unit) in bins of trials (sample,), and of the stimulus (sample, feature).

    Means and standard deviations over units of: log rate; log Fano factor, in single bins and in sums of ten;
    autocorrelation at one bin; correlation of pairs; how well a filter from one half of the samples foretells the other
    half, and a quadratic form. Last the participation ratio of standardised units, per unit.
    """
    mean, variance = units.mean(axis=0), units.var(axis=0)
    told = [np.log(np.maximum(mean, 1e-6)), np.log(_fano(mean, variance))]
    tens = np.add.reduceat(units, np.arange(0, len(units), 10), axis=0)[: len(units) // 10]
    told.append(np.log(_fano(tens.mean(axis=0), tens.var(axis=0))))
    within = np.diff(trial) == 0
    told.append(correlations(units[:-1][within], units[1:][within]))
    scaled = (units - mean) / np.where(variance > 1e-12, np.sqrt(variance), np.inf)
    pairs = (scaled.T @ scaled / len(units))[np.triu_indices(units.shape[1], 1)]
    told.append(pairs if pairs.size else np.zeros(1))
    if shown is not None:
        told += tuning(units[:, :MOST_UNITS], shown)
    return np.array([part(values) for values in told for part in (np.mean, np.std)] + [_dimension(scaled)])


def _fano(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    return np.maximum(np.divide(variance, np.abs(mean), out=np.ones_like(mean), where=np.abs(mean) > 1e-12), 1e-3)


def _dimension(scaled: np.ndarray) -> float:
    return participation(scaled) / max(scaled.shape[1], 1)


def tuning(units: np.ndarray, shown: np.ndarray) -> list[np.ndarray]:
    """Of each unit (unit,), both halves of the samples in turn: the correlation with its average stimulus in the other
    half, and with the quadratic form of its average second moment there."""
    x = _components(shown)
    half = len(x) // 2
    linear, quadratic = [], []
    for train, test in ((slice(0, half), slice(half, None)), (slice(half, None), slice(0, half))):
        moved = units[train] - units[train].mean(axis=0)
        linear.append(correlations(x[test] @ (x[train].T @ moved), units[test]))
        forms = [(x[train] * unit[:, None]).T @ x[train] for unit in moved.T]
        said = np.stack([((x[test] @ form) * x[test]).sum(axis=1) for form in forms], axis=1)
        quadratic.append(correlations(said, units[test]))
    return [np.mean(linear, axis=0), np.mean(quadratic, axis=0)]


def _components(shown: np.ndarray) -> np.ndarray:
    """(sample, component): what was shown, about its mean, along its first principal axes."""
    moved = shown - shown.mean(axis=0)
    if moved.shape[1] <= MOST_FEATURES:
        return moved
    _, axes = np.linalg.eigh(moved.T @ moved)
    return np.asarray(moved @ axes[:, -MOST_FEATURES:])
