"""Three passive facts about a remembered state: that it lasts, that all units share its errors, and that these grow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from methods.dynamics._delay import Delay, beyond_the_cue, halves, permutation_p, read_out

SPLITS = 10
"""Random halvings of the units over which errors are averaged."""


@dataclass(frozen=True)
class Fluctuations:
    """persistence: correlation of the cue with what is read from late activity, and its p. shared: correlation over
    trials of the errors read late from one half of the units with those of the other, and its p. growth: how much more
    these covary late than early in the dark, per second, and its p."""

    persistence: float
    p_persistence: float
    shared: float
    p_shared: float
    growth: float
    p_growth: float


def fluctuations(delay: Delay, n_resamples: int, rng: np.random.Generator) -> Fluctuations:
    """Reads early (first third) and late (last third) activity out. Needs a delay with a cue.

    Given the cue, independent units have errors that the halves do not share; the covariance between the halves is the
    variance of what they share, without the noise of either (Wimmer et al. 2014, Nat Neurosci 17:431: a bump that
    diffuses makes the units' errors one error, which grows linearly).
    """
    assert delay.shown is not None
    early, late = delay.window(0, 1 / 3), delay.window(2 / 3, 1)
    lasting, p_lasting = _persistence(late, delay.shown, n_resamples, rng)
    products = np.zeros((2, len(late)))
    correlations, nulls = [], np.zeros(n_resamples)
    orders = [rng.permutation(len(late)) for _ in range(n_resamples)]
    for one, other in (halves(late.shape[1], rng) for _ in range(SPLITS)):
        first, second = (_errors(early, delay, part) for part in (one, other))
        a, b = (_errors(late, delay, part) for part in (one, other))
        products += np.stack([(first * second).sum(1), (a * b).sum(1)]) / SPLITS
        correlations.append(_correlation(a, b))
        nulls += np.array([_correlation(a, b[order]) for order in orders]) / SPLITS
    shared = float(np.mean(correlations))
    span = (delay.times[-1] - delay.times[0]) * 2 / 3
    picks = rng.integers(len(late), size=(n_resamples, len(late)))
    change = products[1] - products[0]
    p_growth = float((1 + (change[picks].mean(1) <= 0).sum()) / (1 + n_resamples))
    return Fluctuations(
        lasting, p_lasting, shared, permutation_p(shared, nulls), float(change.mean() / max(span, 1e-9)), p_growth
    )


def _errors(activity: np.ndarray, delay: Delay, units: np.ndarray) -> np.ndarray:
    assert delay.shown is not None
    return beyond_the_cue(read_out(activity[:, units], delay.shown), delay.shown, delay.circular)


def _persistence(
    late: np.ndarray, shown: np.ndarray, n_resamples: int, rng: np.random.Generator
) -> tuple[float, float]:
    told = read_out(late, shown)
    observed = _correlation(told, shown)
    null = np.array([_correlation(told, shown[rng.permutation(len(shown))]) for _ in range(n_resamples)])
    return observed, permutation_p(observed, null)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Of two (trial, factor) arrays, over all entries."""
    a, b = a - a.mean(0), b - b.mean(0)
    spread = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / spread) if spread > 0 else 0.0
