"""Diffusion to two bounds, in steps: paths, who wins, and the mean path of the trials that end at one side.

    x_0 = 0,   x_(t+1) = x_t + drift h + noise sqrt(h) N(0, 1),   kept at -1 or 1 once there

(Ratcliff & Rouder 1998; Latimer et al. 2015, Science 349:184, with a second bound in the place of none.) Bounds are at
+-1, times in steps of `STEP`, drift in bounds per second and noise in bounds per root second.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.stats import norm

STEP = 5e-3
"""s; rates stand still within it."""

GRID = 161
"""Places between the bounds on which densities are kept: a fraction of a step's noise apart."""


def paths(drift: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """x (trial, step) after each step with drift (trial, step) [1/s]; a NaN of drift is a step without motion."""
    moves = drift * STEP + noise * np.sqrt(STEP) * rng.standard_normal(drift.shape)
    moves = np.where(np.isnan(drift), 0.0, moves)
    found, x = np.empty_like(moves), np.zeros(len(moves))
    for step in range(moves.shape[1]):
        x = np.where(np.abs(x) >= 1, x, np.clip(x + moves[:, step], -1.0, 1.0))
        found[:, step] = x
    return found


@lru_cache(maxsize=64)
def _chain(drift: float, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Transitions (from, to) of one step among the places, the bounds first and last, and the places (place,)."""
    places = np.linspace(-1.0, 1.0, GRID)
    edges = (places[1:] + places[:-1]) / 2
    edges[0], edges[-1] = -1.0, 1.0  # what lies beyond a bound is at the bound
    below = norm.cdf((edges - places[:, None] - drift * STEP) / (noise * np.sqrt(STEP)))
    moves = np.diff(np.concatenate([np.zeros((GRID, 1)), below, np.ones((GRID, 1))], axis=1), axis=1)
    moves[0], moves[-1] = np.eye(GRID)[0], np.eye(GRID)[-1]
    return moves, places


def right_from(x: np.ndarray, drift: np.ndarray | float, noise: float) -> np.ndarray:
    """The chance that a path at x with this drift (both (trial,)) ends at the right bound, however late."""
    k = 2 * np.asarray(drift) / noise**2
    small = np.abs(k) < 1e-6
    safe = np.where(small, 1.0, k)
    return np.where(small, (1 + x) / 2, np.expm1(-safe * (1 + x)) / np.expm1(-2 * safe))


@lru_cache(maxsize=256)
def mean_to_bound(drift: float, noise: float, steps: int) -> tuple[float, np.ndarray]:
    """The chance of ending right, and the mean of x (step,) after each step over the paths that do, from 0 to 1 at
    most.

    Exact for the chain but for its grid: the mean of x weighted by the chance of ending right from there.
    """
    moves, places = _chain(drift, noise)
    inner = slice(1, -1)
    ends = np.zeros(GRID)
    ends[-1] = 1.0
    ends[inner] = np.linalg.solve(np.eye(GRID - 2) - moves[inner, inner], moves[inner, -1])
    density, mean = np.zeros(GRID), np.empty(steps)
    density[GRID // 2] = 1.0
    for step in range(steps):
        density = density @ moves
        mean[step] = density @ (places * ends)
    chance = float(ends[GRID // 2])
    return chance, np.clip(np.maximum.accumulate(mean / chance), 0.0, 1.0)
