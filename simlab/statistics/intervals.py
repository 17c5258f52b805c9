"""Intervals for what was measured on few subjects: Wilson's for rates, the bootstrap for everything else."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from scipy.special import ndtri

from simlab.contracts import SimlabError
from simlab.streams import stream

FEWEST = 3
"""A bootstrap over fewer subjects than this is no interval."""


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise SimlabError(f"a confidence level must lie between 0 and 1, got {level}: 0.95 is usual")


def wilson(successes: Any, n: Any, level: float = 0.95) -> tuple[Any, Any]:
    """Wilson's score interval (low, high) of a rate; scalars or arrays, `n` may be an effective number.

    NaN where n is 0. Raises SimlabError unless 0 <= successes <= n. (Wilson 1927; Brown, Cai & DasGupta 2001.)
    """
    _check_level(level)
    k, m = np.broadcast_arrays(np.asarray(successes, dtype=float), np.asarray(n, dtype=float))
    if np.any((k < 0) | (k > m)):
        raise SimlabError(f"successes must lie in 0..n, got successes={successes}, n={n}")
    z = float(ndtri(0.5 + level / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = k / m
        middle = (rate + z**2 / (2 * m)) / (1 + z**2 / m)
        half = z / (1 + z**2 / m) * np.sqrt(rate * (1 - rate) / m + z**2 / (4 * m**2))
    low = np.where(k == 0, 0.0, np.clip(middle - half, 0, 1))  # exact ends, where rounding would miss them
    high = np.where(k == m, 1.0, np.clip(middle + half, 0, 1))
    low, high = (np.where(m == 0, np.nan, end) for end in (low, high))
    return (float(low), float(high)) if low.ndim == 0 else (low, high)


def bootstrap(
    values: Any,
    statistic: Callable[..., Any] = np.mean,
    rng: np.random.Generator | None = None,
    n: int = 2000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Bias-corrected and accelerated bootstrap interval (low, high) of a statistic of `values` (subject,).

    NaNs are left out. (NaN, NaN) with fewer than three values, which say next to nothing of their spread (two equal
    ones would make an interval of no width). Three or more that all agree give that value twice: right for a quantity
    that is the same in every subject by its nature; for a rate it is not, and belongs to `clustered_wilson`.
    `rng`: by default a fixed stream, so that the same table gives the same interval. (Efron 1987.)
    """
    from scipy import stats

    _check_level(level)
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    if values.size < FEWEST:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        same = float(statistic(values))
        return same, same
    rng = stream("simlab", "bootstrap") if rng is None else rng
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a degenerate bootstrap distribution, which the percentiles cover
        found = stats.bootstrap((values,), statistic, n_resamples=n, confidence_level=level, rng=rng)
    low, high = found.confidence_interval
    if not (np.isfinite(low) and np.isfinite(high)):
        low, high = np.quantile(found.bootstrap_distribution, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def effective_number(outcomes: np.ndarray, groups: np.ndarray | list[Hashable]) -> float:
    """How many independent outcomes those of clustered cells are worth: between the number of subjects and of cells.

    `outcomes` (cell,) in {0, 1}, `groups` (cell,) the subject of each. Cells of one subject resemble one another,
    so that an interval that counts each would be too narrow; the number of cells is divided by the design effect,
    the between-subject variance of the rate over its binomial variance (Kish 1965; Rao & Scott 1992). Where all
    outcomes agree, or one subject gave them all, nothing tells the design effect, and subjects are counted.
    """
    outcomes = np.asarray(outcomes, dtype=float)
    if outcomes.size == 0:
        return 0.0
    labels, subject = np.unique(np.asarray(groups), return_inverse=True)
    n, m = outcomes.size, len(labels)
    rate = outcomes.mean()
    if m == n:
        return float(n)
    if m == 1 or rate in (0.0, 1.0):
        return float(m)
    residual = np.bincount(subject, weights=outcomes - rate)
    between = m / (m - 1) * np.sum(residual**2) / n**2
    return float(np.clip(rate * (1 - rate) / between if between > 0 else n, m, n))


def clustered_wilson(outcomes: np.ndarray, groups: Any, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of the rate of `outcomes` (cell,), for cells that share subjects; see `effective_number`."""
    outcomes = np.asarray(outcomes, dtype=float)
    if outcomes.size == 0:
        return float("nan"), float("nan")
    number = effective_number(outcomes, groups)
    return wilson(min(outcomes.mean() * number, number), number, level)


def means_by_subject(values: np.ndarray, groups: Any) -> np.ndarray:
    """(subject,) the mean of the `values` (cell,) of each subject in `groups` (cell,), in the order of their names."""
    _, subject = np.unique(np.asarray(groups), return_inverse=True)
    return np.asarray(np.bincount(subject, weights=np.asarray(values, dtype=float)) / np.bincount(subject))


def mean_interval(values: np.ndarray, groups: Any, level: float = 0.95) -> tuple[float, float]:
    """Interval of the mean of `values` (cell,) over the subjects `groups` (cell,) that gave them.

    The bootstrap of the subjects' means; where every value is 0 or 1, which is a rate, `clustered_wilson`.
    """
    values = np.asarray(values, dtype=float)
    if np.isin(values, (0.0, 1.0)).all():
        return clustered_wilson(values, groups, level)
    return bootstrap(means_by_subject(values, groups), level=level)
