"""Maps of firing over the floor, their autocorrelograms and how hexagonal these are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

AXES = (("x", "position_x"), ("y", "position_y"))
"""What the coordinates of the place are called."""


@dataclass(frozen=True, eq=False)
class Visits:
    """Where the animal was at each moment (moment,), as numbers of bins of the floor, and in which moments spikes fell.

    Moments of all trials in which the place was seen follow one another.
    """

    bins: np.ndarray
    counts: np.ndarray  # (moment, unit): spikes
    step: float
    n_bins: int
    smoothing: float

    @classmethod
    def of(cls, recording: xr.Dataset, n_bins: int, smoothing: float) -> Visits | None:
        """Those of a Recording; None where its stimulus has no two coordinates, or the place was never seen."""
        names = [str(name) for name in recording["feature"].values] if "feature" in recording.coords else []
        axes = [next((i for i, name in enumerate(names) if name in axis), -1) for axis in AXES]
        if min(axes) < 0 or recording.sizes["time"] < 2:
            return None
        place, time = recording["stimulus"].values[:, :, axes], recording["time"].values
        seen = np.isfinite(place).all(axis=2)
        if not seen.any():
            return None
        low, high = place[seen].min(axis=0), place[seen].max(axis=0)
        cell = ((place[seen] - low) / np.maximum(high - low, 1e-12) * n_bins).astype(int).clip(0, n_bins - 1)
        counts = _counts(recording, time)[seen]
        return cls(cell[:, 0] * n_bins + cell[:, 1], counts, float(time[1] - time[0]), n_bins, smoothing)

    def maps(self, roll: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rates [Hz] (unit, x, y) after each unit's spikes are rolled by this share (unit,) of all moments; seconds
        (x, y) in each bin. Both are smoothed before one is divided by the other."""
        from scipy.ndimage import gaussian_filter

        shape, n = (self.n_bins, self.n_bins), len(self.bins)
        occupancy = np.bincount(self.bins, minlength=self.n_bins**2).reshape(shape) * self.step
        smooth = np.maximum(gaussian_filter(occupancy, self.smoothing), 1e-3)
        moment, unit = np.nonzero(self.counts)
        rolled = (moment + (roll * n).astype(int)[unit]) % n
        index = unit * self.n_bins**2 + self.bins[rolled]
        size = self.counts.shape[1] * self.n_bins**2
        spikes = np.bincount(index, self.counts[moment, unit], size).reshape(-1, *shape)
        rates = gaussian_filter(spikes, (0, self.smoothing, self.smoothing)) / smooth
        return rates, occupancy


def _counts(recording: xr.Dataset, time: np.ndarray) -> np.ndarray:
    """Spikes (trial, moment, unit) from each time [s] of the stimulus on to the next."""
    shape = (recording.sizes["trial"], len(time), recording.sizes["unit"])
    at = np.searchsorted(time, recording["spike_time"].values + 1e-9, side="right") - 1
    columns = (recording["spike_trial"].values, np.maximum(at, 0), recording["spike_unit"].values)
    return np.bincount(np.ravel_multi_index(columns, shape), minlength=int(np.prod(shape))).reshape(shape)


def autocorrelogram(rates: np.ndarray) -> np.ndarray:
    """Pearson correlation (2x - 1, 2y - 1) of a map (x, y) with itself at every shift, over where they overlap."""
    from scipy.signal import fftconvolve

    one, flipped = np.ones_like(rates), rates[::-1, ::-1]
    n = np.round(fftconvolve(one, one))
    total, other = fftconvolve(rates, one), fftconvolve(one, flipped)
    squares, others = fftconvolve(rates**2, one), fftconvolve(one, flipped**2)
    covariance = fftconvolve(rates, flipped) - total * other / n
    spread = np.maximum(squares - total**2 / n, 0) * np.maximum(others - other**2 / n, 0)
    few = n < 20
    small = spread <= 1e-10 * spread.max()
    return np.where(few | small, 0.0, covariance / np.sqrt(np.where(small, 1.0, spread)))


def grid_score(correlogram: np.ndarray) -> float:
    """The largest gridness over annuli around the centre, whose inner radius is where the central peak ends."""
    from scipy.ndimage import map_coordinates

    centre = (np.array(correlogram.shape) - 1) / 2
    radii, angles = np.arange(1, int(centre.min())), np.deg2rad(np.arange(0, 360, 6))
    ray = np.stack([np.outer(radii, np.cos(angles)), np.outer(radii, np.sin(angles))]) + centre[:, None, None]
    polar = map_coordinates(correlogram, ray, order=1)
    mean = polar.mean(axis=1)
    falls = np.flatnonzero((mean[:-1] < 0.1) | (np.diff(mean) > 0))
    inner = int(falls[0]) + 1 if len(falls) else len(radii)
    return float(max(_gridness(polar[inner:])[3:], default=0.0))


def _gridness(rings: np.ndarray) -> np.ndarray:
    """(radius,): of the annuli that begin with the first of rings (radius, angle), 6 degrees apart, and end at each."""
    samples = rings.shape[1] * np.arange(1, len(rings) + 1)
    mean, square = (np.cumsum((rings**power).sum(axis=1)) / samples for power in (1, 2))
    variance = np.maximum(square - mean**2, 1e-12)
    at = {}
    for turn in (30, 60, 90, 120, 150):
        turned = np.cumsum((rings * np.roll(rings, turn // 6, axis=1)).sum(axis=1)) / samples
        at[turn] = (turned - mean**2) / variance
    return np.minimum(at[60], at[120]) - np.max([at[30], at[90], at[150]], axis=0)


def spatial_information(rates: np.ndarray, occupancy: np.ndarray) -> float:
    """Bits per spike (Skaggs et al. 1993) of a map of rates, weighted by the time spent in each bin."""
    share = occupancy / max(occupancy.sum(), 1e-12)
    mean = float((share * rates).sum())
    if mean <= 0:
        return 0.0
    ratio = rates / mean
    return float((share * ratio * np.log2(np.where(ratio > 0, ratio, 1.0))).sum())
