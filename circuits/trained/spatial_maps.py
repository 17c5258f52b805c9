"""How much the maps of units are grids, with what period, and in how many modules: told from maps without noise.

Written apart from the methods that look for the same in recordings, so that neither is judged by its own eyes.
"""

from __future__ import annotations

import numpy as np

INNER, OUTER = 0.2, tuple(np.linspace(0.4, 1.0, 10))
"""Radii of the rings in which an autocorrelogram is compared with itself turned, in edges of the box: what is nearer is
the field itself (mec_hpc_investigations/models/trainer.py)."""

GRID, NO_GRID = 0.8, 0.3
"""A grid score above which a unit of a trained network is called a grid cell, and below which it is none: the generous
and the usual threshold of Schaeffer et al. 2022, and of those before. Between them nobody is asked."""

ANGLES = 120
"""Around a ring; 3 degrees apart."""

MODULE_WIDTH, LEAST_SHARE = 0.1, 0.1
"""Standard deviation of the kernel that log periods are smoothed with: cells of a module differ by some 10%, modules by
a factor of 1.42 on average (Stensola et al. 2012). A module holds at least this share of the grid cells."""


def floor_maps(place: np.ndarray, values: np.ndarray, box: float, n_bins: int) -> np.ndarray:
    """Mean of values (moment, unit) in each bin (unit, x, y) of the floor, by places (moment, 2) [m].

    A bin where nobody was takes what the nearest one has where somebody was.
    """
    from scipy.ndimage import distance_transform_edt
    from scipy.sparse import csr_array

    cell = (place / box * n_bins).astype(int).clip(0, n_bins - 1)
    bins = cell[:, 0] * n_bins + cell[:, 1]
    visits = np.bincount(bins, minlength=n_bins**2)
    total = csr_array((np.ones(len(bins)), (bins, np.arange(len(bins)))), (n_bins**2, len(bins))) @ values
    mean = (total / np.maximum(visits, 1)[:, None]).T.reshape(-1, n_bins, n_bins)
    near = distance_transform_edt(visits.reshape(n_bins, n_bins) == 0, return_distances=False, return_indices=True)
    return np.asarray(mean[:, near[0], near[1]])


def autocorrelograms(maps: np.ndarray) -> np.ndarray:
    """(unit, 2x - 1, 2y - 1): Pearson's correlation of each map (unit, x, y) with itself at every shift."""
    n = maps.shape[-1]
    padded = (2 * n, 2 * n)

    def crossed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        spectrum = np.fft.rfft2(one, padded) * np.conj(np.fft.rfft2(other, padded))
        return np.fft.fftshift(np.fft.irfft2(spectrum, padded), axes=(-2, -1))[..., 1:, 1:]

    level = maps - maps.mean(axis=(-2, -1), keepdims=True)
    inside = np.ones((1, n, n))
    area = np.round(crossed(inside, inside))
    sums = crossed(level, inside), crossed(inside, level)
    squares = crossed(level**2, inside), crossed(inside, level**2)
    spread = np.sqrt(np.prod([np.maximum(q - s**2 / area, 0) for q, s in zip(squares, sums, strict=True)], axis=0))
    covered = (area >= 20) & (spread > 1e-9 * spread.max(axis=(-2, -1), keepdims=True))
    return np.where(covered, (crossed(level, level) - sums[0] * sums[1] / area) / np.where(covered, spread, 1.0), 0.0)


def grid_scores(maps: np.ndarray) -> np.ndarray:
    """(unit,): min(c60, c120) - max(c30, c90, c150) of maps (unit, x, y), in the ring where that is largest.

    c: Pearson's correlation over a ring of the autocorrelogram with itself turned by so many degrees (Sargolini et al.
    2006). Maps that are flat score -2, less than any other.
    """
    from scipy.ndimage import map_coordinates

    n = maps.shape[-1]
    angle = np.arange(ANGLES) * 2 * np.pi / ANGLES
    radius = np.arange(np.ceil(INNER * n), n)
    ray = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)])[:, None] + n - 1
    scores = np.full(len(maps), -2.0)
    for k in np.flatnonzero(np.ptp(maps, axis=(1, 2)) > 1e-9):
        rings = map_coordinates(autocorrelograms(maps[k : k + 1])[0], ray, order=1)
        scores[k] = max(_score(rings[radius <= outer * n], radius[radius <= outer * n]) for outer in OUTER)
    return scores


def _score(rings: np.ndarray, weight: np.ndarray) -> float:
    """Of rings (radius, angle), each as heavy as it is long."""
    weight = np.broadcast_to((weight / weight.sum() / ANGLES)[:, None], rings.shape)
    level = rings - (weight * rings).sum()
    power = max(float((weight * level**2).sum()), 1e-12)
    at = {turn: float((weight * level * np.roll(level, turn * ANGLES // 360, axis=1)).sum()) / power
          for turn in (30, 60, 90, 120, 150)}  # fmt: skip
    return min(at[60], at[120]) - max(at[30], at[90], at[150])


def periods(maps: np.ndarray, box: float) -> np.ndarray:
    """(unit,) [m]: median distance of the autocorrelogram's six peaks next to the middle; 0 where it has none."""
    from scipy.ndimage import gaussian_filter, maximum_filter

    n, found = maps.shape[-1], np.zeros(len(maps))
    for k in np.flatnonzero(np.ptp(maps, axis=(1, 2)) > 1e-9):
        smooth = gaussian_filter(autocorrelograms(maps[k : k + 1])[0], n / 40)
        peak = (smooth == maximum_filter(smooth, max(3, n // 10))) & (smooth > 0.05)
        apart = np.sort(np.linalg.norm(np.argwhere(peak) - (n - 1), axis=1))
        near = apart[apart > 1.5][:6]
        found[k] = np.median(near) * box / n if len(near) else 0.0
    return found


def modules(period: np.ndarray) -> np.ndarray:
    """Which module (unit,) grid cells of these periods (unit,) [m] are of, 0 first: the peaks of their distribution.

    Peaks of the density of log periods, smoothed with `MODULE_WIDTH`; one with few cells is part of its neighbour.
    """
    if len(period) == 0:
        return np.zeros(0, dtype=int)
    log = np.log(np.maximum(period, 1e-6))
    at = np.arange(log.min() - 0.3, log.max() + 0.3, 0.01)
    density = np.exp(-np.square((at[:, None] - log) / MODULE_WIDTH) / 2).sum(axis=1)
    valleys = at[1:-1][(density[1:-1] < density[:-2]) & (density[1:-1] <= density[2:])]
    label = np.searchsorted(valleys, log)
    large = [k for k in range(len(valleys) + 1) if (label == k).sum() >= LEAST_SHARE * len(log)]
    middles = np.array([np.median(log[label == k]) for k in large])
    return np.abs(log[:, None] - middles).argmin(axis=1)
