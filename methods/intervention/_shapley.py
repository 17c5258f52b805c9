"""Shapley values as weighted sums of what sets of units achieve, and which of them are beyond what is negligible."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

MOST_UNITS = 16
"""Whose sets are all tried: 65,536 of them."""


@dataclass(frozen=True, eq=False)
class Design:
    """Sets of intact units (set, unit) bool, and the weights (unit, set) with which they make one unbiased estimate."""

    intact: np.ndarray
    weights: np.ndarray


def all_sets(n_units: int) -> Design:
    """Every set; the estimate is exact: phi_i = sum over S without i of s! (n-s-1)! / n! [v(S + i) - v(S)]."""
    intact = (np.arange(2**n_units)[:, None] >> np.arange(n_units)) & 1 == 1
    size = intact.sum(axis=1)
    # s!(n-s-1)!/n! = 1 / (n comb(n-1, s)), for a set with i of its s - 1 other members
    with_it = np.array([1 / (n_units * comb(n_units - 1, max(s - 1, 0))) for s in range(n_units + 1)])
    without = np.array([1 / (n_units * comb(n_units - 1, min(s, n_units - 1))) for s in range(n_units + 1)])
    return Design(intact, np.where(intact, with_it[size][:, None], -without[size][:, None]).T)


def one_order(n_units: int, rng: np.random.Generator) -> Design:
    """Units join in a random order: each adds the difference between the set with it and the one before."""
    rank = rng.permutation(n_units)
    place = np.arange(n_units + 1)
    return Design(rank < place[:, None], (place == rank[:, None] + 1) * 1.0 - (place == rank[:, None]) * 1.0)


def one_round(n_units: int, rng: np.random.Generator) -> Design:
    """n random sets of each size, in which every unit is equally often.

    phi_i = 1/n sum over s < n of [mean v of sets of s + 1 with i - mean v of sets of s without i]
    """
    n, size = n_units, np.repeat(np.arange(n_units + 1), n_units)
    shift = np.tile(np.arange(n), n + 1)
    rank = np.array([rng.permutation(n) for _ in range(n + 1)])[size]
    intact = (rank + shift[:, None]) % n < size[:, None]
    with_it = intact / (n * np.maximum(size, 1)[:, None])  # each unit is in `size` of the n sets
    without = ~intact / (n * np.maximum(n - size, 1)[:, None])
    return Design(intact, (with_it - without).T)


def p_beyond(value: np.ndarray, error: np.ndarray, least: float, freedom: float = np.inf) -> np.ndarray:
    """(unit,) p of each magnitude under the hypothesis that it is at most `least`: two-sided if that is 0."""
    from scipy.stats import t

    return np.minimum(2 * t.sf((np.abs(value) - max(least, 0.0)) / np.maximum(error, 1e-12), freedom), 1.0)


def error_of_mean(samples: np.ndarray) -> np.ndarray:
    """The standard error (unit,) of means of samples (sample, unit), never that of samples which all agree.

    Samples of -1, 0 and 1 that agree so far may not do so next time, with a chance of some 1 in n + 2.
    """
    n = len(samples)
    rare = 1 / (n + 2)
    return np.maximum(samples.std(axis=0, ddof=1) / np.sqrt(n), 0.5 * np.sqrt(rare * (1 - rare) / (n + 2)))
