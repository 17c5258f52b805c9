"""An angle read from a population: tuning learnt from a cue or from the correlations alone, then decoded.

Tuning is b + a exp(k (cos(angle - preferred) - 1)): its sharpness k is shared by the population, so that a few
cues suffice. Angles in radians; values (trial, time, unit) are rates or other non-negative signals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from methods.population._population import GRID, time_step
from simlab.data import is_spiking, signals

SHARPNESS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Candidates for k: tuning curves of 150 down to 24 degrees full width at half height."""

BIN = 0.05  # s
SMOOTHING = 0.1  # s, sd of the Gaussian kernel (Chaudhuri et al. 2019)


@dataclass(frozen=True, eq=False)
class RingTuning:
    """Tuning curves to one angle.

    preferred, depth, base: (unit,) [rad], [signal], [signal]; noise: (unit,) variance left over [signal^2];
    spiking: whether signals are firing rates [Hz] of Poisson spikes.
    """

    preferred: np.ndarray
    depth: np.ndarray
    base: np.ndarray
    noise: np.ndarray
    sharpness: float
    spiking: bool

    def expected(self, angle: np.ndarray) -> np.ndarray:
        """Mean signal (..., unit) at these angles (...)."""
        bump = np.exp(self.sharpness * (np.cos(np.asarray(angle)[..., None] - self.preferred) - 1.0))
        return self.base + self.depth * bump

    def slope(self, angle: np.ndarray) -> np.ndarray:
        """Derivative of `expected` by the angle (..., unit)."""
        apart = np.asarray(angle)[..., None] - self.preferred
        bump = np.exp(self.sharpness * (np.cos(apart) - 1.0))
        return -self.depth * self.sharpness * np.sin(apart) * bump

    def decode(self, values: np.ndarray) -> np.ndarray:
        """The mean posterior angle (...) of signals (..., unit), under a flat prior and independent noise."""
        expected = self.expected(GRID)
        if self.spiking:
            drive = values @ np.log(expected).T - expected.sum(1)
        else:
            drive = (values / self.noise) @ expected.T - (expected**2 / self.noise).sum(1) / 2
        posterior = np.exp(np.clip(drive - drive.max(-1, keepdims=True), -50.0, 0.0))
        return np.angle(posterior @ np.exp(1j * GRID))


def fit_tuning(angle: np.ndarray, values: np.ndarray, spiking: bool) -> RingTuning:
    """Least-squares tuning of values (sample, unit) to angle (sample,); the sharpness that explains most is shared."""
    fits = [_fit_bumps(angle, values, sharpness) for sharpness in SHARPNESS]
    preferred, depth, base, left, sharpness = min(fits, key=lambda fit: fit[3].sum())
    variance = np.maximum(values.var(0), 1e-12)
    floor = 0.01 * np.maximum(values.mean(0), 1e-3)
    return RingTuning(preferred, depth, np.maximum(base, floor), left * variance, sharpness, spiking)


def _fit_bumps(angle: np.ndarray, values: np.ndarray, sharpness: float) -> tuple:
    """Per unit the best preferred angle on the grid, its depth and base, and the share of variance left over."""
    bumps = np.exp(sharpness * (np.cos(angle[:, None] - GRID) - 1.0))
    centred, spread = bumps - bumps.mean(0), np.maximum(bumps.var(0), 1e-6)
    covariance = np.maximum(centred.T @ (values - values.mean(0)) / len(angle), 0.0)
    explained = covariance**2 / spread[:, None]
    best = explained.argmax(0)
    units = np.arange(values.shape[1])
    depth = covariance[best, units] / spread[best]
    base = values.mean(0) - depth * bumps.mean(0)[best]
    left = np.clip(1.0 - explained[best, units] / np.maximum(values.var(0), 1e-12), 1e-3, 1.0)
    return GRID[best], depth, base, left, sharpness


def learn_tuning(values: np.ndarray, cue: np.ndarray, spiking: bool, n_rounds: int = 5) -> RingTuning:
    """Tuning of values (..., unit) from cue (...), NaN in the dark, and from the activity itself.

    A first guess comes from the moments at which the cue was shown, or, where it never was, from the plane of the
    two first principal components; then all moments are decoded and tuning is fitted to them, `n_rounds` times.
    """
    flat, shown = values.reshape(-1, values.shape[-1]), cue.reshape(-1)
    seen = np.isfinite(shown)
    tuning = fit_tuning(shown[seen], flat[seen], spiking) if seen.any() else _tuning_from_plane(flat, spiking)
    for _ in range(n_rounds):
        tuning = fit_tuning(np.where(seen, shown, tuning.decode(flat)), flat, spiking)
    return tuning


def _tuning_from_plane(flat: np.ndarray, spiking: bool) -> RingTuning:
    z = (flat - flat.mean(0)) / np.maximum(flat.std(0), 1e-12)
    vectors = np.linalg.eigh(z.T @ z)[1][:, ::-1]
    return fit_tuning(np.angle(z @ (vectors[:, 0] + 1j * vectors[:, 1])), flat, spiking)


def activity(recording: xr.Dataset, smoothing: float = SMOOTHING) -> tuple[np.ndarray, np.ndarray]:
    """Signals (trial, time, unit), smoothed within trials, and their times (time,) [s]: bin centres for spikes."""
    from scipy.ndimage import gaussian_filter1d

    trace = signals(recording, BIN)
    values, step = np.asarray(trace.values, dtype=float), time_step(trace, recording.attrs["duration"])
    times = trace["time"].values if "time" in trace.coords else np.arange(trace.sizes["time"]) * step
    if is_spiking(recording):
        values, times = values / BIN, times + BIN / 2
    else:
        values = values - values.min((0, 1))
    return (gaussian_filter1d(values, smoothing / step, axis=1, mode="nearest") if smoothing else values), times


def cue_at(recording: xr.Dataset, times: np.ndarray) -> np.ndarray:
    """The angle shown (trial, time) at these times [s]; NaN in the dark, and everywhere if none was ever shown."""
    dark = np.full((recording.sizes["trial"], len(times)), np.nan)
    if "stimulus" not in recording or "time" not in recording.coords:
        return dark
    grid = recording["time"].values
    step = np.clip(np.searchsorted(grid, times + 1e-9, side="right") - 1, 0, len(grid) - 1)
    names = [str(name) for name in recording["feature"].values] if "feature" in recording.coords else []
    return recording["stimulus"].values[:, step, angle_feature(names)]


def angle_feature(names: Sequence[str]) -> int:
    """Which feature of the stimulus is the angle: the one so named, else the first."""
    return next((i for i, name in enumerate(names) if "angle" in name or "direction" in name), 0)


def dark_from(cue: np.ndarray, times: np.ndarray) -> float:
    """When the dark begins [s]: after the last moment at which any trial showed a cue; 0 if none did."""
    shown = np.isfinite(cue).any(0)
    return float(times[shown].max()) if shown.any() else 0.0


def last_shown(cue: np.ndarray) -> np.ndarray:
    """At each moment the last angle shown so far (trial, time); NaN before the first."""
    index = np.where(np.isfinite(cue), np.arange(cue.shape[1]), 0)
    return np.take_along_axis(cue, np.maximum.accumulate(index, axis=1), axis=1)
