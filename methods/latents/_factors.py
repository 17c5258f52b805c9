"""Shared by the methods that find latents: binned and smoothed activity, how many factors, and the times asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import xarray as xr

from methods.population._population import significant_components, time_step, unusable, varying
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking, signals
from simlab.rules import Within

NFactors = Annotated[int, Within(0, 1000)]
"""How many factors; 0: as many as principal components exceed data whose units are shifted against each other."""

SHUFFLES = 20
"""Of parallel analysis."""

NOTHING_SHARED = "no component exceeds data whose units are shifted in time: units share nothing to estimate"


@dataclass(frozen=True, eq=False)
class Seen:
    """Activity on the analysis's own grid: `values` (trial, time, unit), active units alone, at `time` [s]."""

    values: np.ndarray
    time: np.ndarray
    step: float
    active: np.ndarray  # (unit,) bool

    @property
    def flat(self) -> np.ndarray:
        """(sample, unit), trials end to end."""
        return self.values.reshape(-1, self.values.shape[2])

    @property
    def z_scored(self) -> np.ndarray:
        """(trial, time, unit): each unit's activity with the mean 0 and the standard deviation 1 over all samples."""
        return np.asarray((self.values - self.flat.mean(axis=0)) / self.flat.std(axis=0))

    def finding(self, flat: np.ndarray, recording: xr.Dataset, **notes: object) -> Finding:
        """Factors (sample, factor) or (trial, time, factor) on this grid, as an answer at the times asked for."""
        latent = flat.reshape(*self.values.shape[:2], -1)
        return Finding({"latent": at_times(latent, self.time, asked_times(recording, self.time))}, notes=notes)


def seen(recording: xr.Dataset, bin_width: float, smoothing: float, *, root: bool = True) -> Seen:
    """Square roots of counts (root; else counts) in bins, or a signal at its own samples, smoothed within each trial.

    Bins are no wider than a trial. smoothing [s]: standard deviation of the Gaussian kernel; 0: none.
    """
    from scipy.ndimage import gaussian_filter1d

    duration = float(recording.attrs["duration"])
    trace = signals(recording, min(bin_width, duration))
    values, step = np.asarray(trace.values, dtype=float), time_step(trace, duration)
    spiking = is_spiking(recording)
    if smoothing > 0 and values.shape[1] > 1:
        values = gaussian_filter1d(values, smoothing / step, axis=1, mode="nearest")
    if spiking and root:
        values = np.sqrt(np.maximum(values, 0.0))
    active = varying(values) & ~np.isnan(values).any(axis=(0, 1))
    return Seen(values[:, :, active], trace["time"].values + (step / 2 if spiking else 0.0), step, active)


def asked_times(recording: xr.Dataset, own: np.ndarray) -> np.ndarray:
    """Times [s] at which factors are asked for: the brief's, else the recording's, else the analysis's own."""
    brief: Mapping[str, Any] = recording.attrs.get("brief", {})
    if "times" in brief:
        return np.asarray(brief["times"], dtype=float)
    return recording["time"].values if "time" in recording.coords else own


def at_times(latent: np.ndarray, own: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(trial, time, factor) interpolated from its own times to those wanted; held beyond the ends."""
    if len(own) == len(wanted) and np.allclose(own, wanted):
        return latent
    place = np.clip(np.interp(wanted, own, np.arange(len(own))), 0, len(own) - 1)
    low = np.minimum(place.astype(int), max(len(own) - 2, 0))
    share = (place - low)[None, :, None]
    return (1 - share) * latent[:, low] + share * latent[:, np.minimum(low + 1, len(own) - 1)]


def refused(recording: xr.Dataset, needs: Needs) -> Finding | None:
    """An abstention where these data are too few, units are silent, or signals have gaps; else None."""
    refusal = unusable(recording, needs)
    if refusal is not None:
        return refusal
    if "signal" in recording and not is_spiking(recording) and not np.isfinite(recording["signal"].values).all():
        return Finding.abstain("the signal has gaps (NaN): fill or cut them first")
    return None


def wanted_factors(values: np.ndarray, n_factors: int, rng: np.random.Generator) -> int | Finding:
    """How many factors to fit to values (trial, time, unit): those asked for, else those that stand out.

    An abstention where no component exceeds what units have that are shifted against each other.
    """
    limit = min(values.shape[0] * values.shape[1] - 1, values.shape[2])
    found = min(n_factors or significant_components(steady(values), SHUFFLES, rng), limit)
    if not found:
        return Finding.abstain(NOTHING_SHARED)
    return found


def steady(values: np.ndarray) -> np.ndarray:
    """(trial, time, unit) as z-scored (sample, unit), each moment of the trial at the same power over units and trials.

    Where all units vary more at some moments (as at a trial's ends, where there is less to smooth over), they correlate
    more by chance, and more than units do that are shifted against each other.
    """
    centred = values - values.mean(axis=(0, 1))
    centred = centred / centred.std(axis=(0, 1))
    power = np.sqrt(np.square(centred).mean(axis=(0, 2), keepdims=True))
    scaled = centred / np.where(power > 0, power, 1.0)
    return (scaled / scaled.std(axis=(0, 1))).reshape(-1, values.shape[2])
