"""How well an answer agrees with its truth, as the drawings state it: plain numbers, no figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def stated(value: float) -> str:
    """A coefficient as a drawing shows it: two digits behind the point, `–` for none."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−") if np.isfinite(value) else "–"


def counts(truth: Sequence[Any], answered: Sequence[Any], rows: Sequence[Any], columns: Sequence[Any]) -> np.ndarray:
    """How often each of `columns` was answered where each of `rows` was true: whole numbers (row, column)."""
    table = np.zeros((len(rows), len(columns)), dtype=int)
    row, column = ({name: i for i, name in enumerate(names)} for names in (rows, columns))
    for true, said in zip(truth, answered, strict=True):
        table[row[true], column[said]] += 1
    return table


def adjusted_rand(truth: npt.ArrayLike, answered: npt.ArrayLike) -> float:
    """Adjusted Rand index of two partitions (item,): 1 where they are the same, 0 on average by chance.

    Hubert & Arabie 1985, equation 5. Two partitions that leave nothing to disagree on (all apart, all together) give 1.
    """
    rows, row = np.unique(np.asarray(truth), return_inverse=True)
    columns, column = np.unique(np.asarray(answered), return_inverse=True)
    table = counts(row.tolist(), column.tolist(), range(len(rows)), range(len(columns)))
    together = _pairs(table).sum()
    true, said = _pairs(table.sum(axis=1)).sum(), _pairs(table.sum(axis=0)).sum()
    expected = true * said / max(float(_pairs(table.sum())), 1.0)
    most = (true + said) / 2
    return 1.0 if most == expected else float((together - expected) / (most - expected))


def _pairs(n: Any) -> Any:
    return n * (n - 1) / 2


def rank_correlation(truth: np.ndarray, answered: np.ndarray) -> float:
    """Spearman's rank correlation of two (item,), over items where both are finite; NaN where one is constant."""
    from scipy.stats import rankdata

    known = np.isfinite(truth) & np.isfinite(answered)
    ranks = rankdata(truth[known]), rankdata(answered[known])
    if any(rank.size < 2 or np.ptp(rank) == 0 for rank in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def affine_fit(truth: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """The answer after the best affine map onto the truth, by least squares, shaped as the truth.

    truth: (..., factor). answered: (..., other), of other factors, finite. Samples of unknown (NaN) truth fit nothing.
    """
    n = int(np.prod(truth.shape[:-1]))
    flat, design = truth.reshape(n, -1), np.column_stack([answered.reshape(n, -1), np.ones(n)])
    known = np.isfinite(flat).all(axis=1) & np.isfinite(design).all(axis=1)
    weights = np.linalg.lstsq(design[known], flat[known], rcond=None)[0]
    return np.asarray((design @ weights).reshape(truth.shape))


def variance_explained(truth: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """R² (factor,) of fitted (..., factor); NaN for a factor that never varies."""
    axes = tuple(range(truth.ndim - 1))
    residual = np.nansum((truth - fitted) ** 2, axis=axes)
    total = np.nansum((truth - np.nanmean(truth, axis=axes)) ** 2, axis=axes)
    varies = total > 1e-12 * np.nansum(truth**2, axis=axes)
    return np.where(varies, 1 - residual / np.where(varies, total, 1.0), np.nan)


def unit_norm(filters: np.ndarray) -> np.ndarray:
    """Filters (unit, ...), each scaled to unit Euclidean norm, sign as it is; one that is zero stays zero."""
    norms = np.sqrt((filters**2).sum(axis=tuple(range(1, filters.ndim)), keepdims=True))
    return np.asarray(filters / np.where(norms > 0, norms, 1.0))


def cosines(truth: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """Cosine (unit,) of the angle between true and answered filters (unit, ...); NaN where one is zero."""
    axes = tuple(range(1, truth.ndim))
    known = (truth != 0).any(axis=axes) & (answered != 0).any(axis=axes)
    return np.where(known, (unit_norm(truth) * unit_norm(answered)).sum(axis=axes), np.nan)
