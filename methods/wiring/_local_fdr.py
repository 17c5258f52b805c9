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

    The density f is a Poisson regression of histogram counts on a polynomial (Lindsey's method). The null N(d, s^2) is
    matched to the middle half of the z-scores, by their quantiles, which waver less than the parabola under log f that
    Efron fits there. The rate is N(z; d, s^2) / f(z), as if all were null (p0 = 1), and does not fall towards the
    centre.
    """
    inside = np.clip(z, -WIDEST, WIDEST)
    edges = np.linspace(inside.min() - 1e-9, inside.max() + 1e-9, int(np.clip(len(z) / 8, 20, 90)) + 1)
    middle, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    log_count = _log_density(middle, np.histogram(inside, edges)[0])
    centre, spread = _null(inside)
    log_null = np.log(len(z) * width / (spread * np.sqrt(2 * np.pi))) - 0.5 * ((middle - centre) / spread) ** 2
    rate = np.exp(np.minimum(log_null - log_count, 0.0))
    rate = np.where(
        middle > centre, _falling(rate, middle > centre), _falling(rate[::-1], (middle <= centre)[::-1])[::-1]
    )
    return np.interp(inside, middle, rate), centre, spread


def _null(z: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the normal distribution with the quantiles of the middle of z."""
    from scipy.stats import norm

    share = np.linspace(0.5 - CENTRAL / 2, 0.5 + CENTRAL / 2, 51)
    slope, level = np.polyfit(norm.ppf(share), np.quantile(z, share), 1)
    return float(level), max(1.0, float(slope))


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
