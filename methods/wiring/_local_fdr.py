"""Local false discovery rates with an empirical null (Efron 2004)."""

from __future__ import annotations

import numpy as np

DEGREE = 7
"""Of the polynomial of the log density (Efron 2007: 7)."""
CENTRAL = 0.5
"""Share of the z-scores around the median on which the null is matched."""
WIDEST = 8.0
"""z-scores beyond this count as this: the polynomial ends there."""


def local_fdr(z: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Local rate of each z, and mean and standard deviation of the null, which is never narrower than N(0, 1).

    The density f is a Poisson regression of histogram counts on a polynomial (Lindsey's method); the null p0 N(d, s^2)
    is a parabola fitted to log f in the middle (central matching); the rate is p0 N(z; d, s^2) / f(z), and does not
    fall towards the centre.
    """
    inside = np.clip(z, -WIDEST, WIDEST)
    edges = np.linspace(inside.min() - 1e-9, inside.max() + 1e-9, int(np.clip(len(z) / 8, 20, 90)) + 1)
    middle, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    log_count = _log_density(middle, np.histogram(inside, edges)[0])
    low, high = np.quantile(inside, (0.5 - CENTRAL / 2, 0.5 + CENTRAL / 2))
    near = (middle >= low - width) & (middle <= high + width)
    centre, spread, height = _null(middle[near], log_count[near], inside)
    log_null = height - 0.5 * ((middle - centre) / spread) ** 2
    rate = np.exp(np.minimum(log_null - log_count, 0.0))
    rate = np.where(
        middle > centre, _falling(rate, middle > centre), _falling(rate[::-1], (middle <= centre)[::-1])[::-1]
    )
    return np.interp(inside, middle, rate), centre, spread


def _null(middle: np.ndarray, log_count: np.ndarray, z: np.ndarray) -> tuple[float, float, float]:
    """Mean, deviation and log height of the null, of all pairs where the middle is no peak."""
    from scipy.stats import iqr

    if len(middle) >= 4:
        curve, slope, _ = np.polyfit(middle, log_count, 2)
        if curve < 0:
            centre, spread = -slope / (2 * curve), max(1.0, float(np.sqrt(-0.5 / curve)))
        else:
            curve = 0.0
    if len(middle) < 4 or curve == 0.0:
        centre, spread = float(np.median(z)), max(1.0, float(iqr(z)) / 1.349)
    height = float(np.mean(log_count + 0.5 * ((middle - centre) / spread) ** 2))
    return float(centre), spread, height


def _log_density(middle: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Log expected counts (bin,) by Poisson regression on a polynomial."""
    x = 2 * (middle - middle[0]) / (middle[-1] - middle[0]) - 1
    design = np.polynomial.legendre.legvander(x, DEGREE)
    weights = np.linalg.lstsq(design, np.log(count + 0.5), rcond=None)[0]
    for _ in range(50):
        rate = np.exp(np.clip(design @ weights, -30, 30))
        information = (design * rate[:, None]).T @ design + 1e-6 * np.eye(DEGREE + 1)
        step = np.linalg.solve(information, design.T @ (count - rate))
        weights += step * min(1.0, 1 / np.abs(step).max())
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(design @ weights)


def _falling(rate: np.ndarray, side: np.ndarray) -> np.ndarray:
    """A rate that does not rise again away from the centre, on the bins of one side, given in outward order."""
    return np.minimum.accumulate(np.where(side, rate, 1.0))
