"""Shared by the methods that count dimensions: z-scored activity, by trial and end to end."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from methods.latents._factors import refused, seen
from simlab.contracts import Finding, Needs
from simlab.rules import Within

Smoothing = Annotated[float, Within(0, 20, "s")]
"""s, standard deviation of a Gaussian kernel; 0: none."""

MostDimensions = Annotated[int, Within(1, 1000)]


def z_scored(recording: xr.Dataset, needs: Needs, bin_width: float, smoothing: float) -> np.ndarray | Finding:
    """(trial, time, unit): square-root counts or a signal, smoothed, each unit z-scored; or an abstention."""
    if (refusal := refused(recording, needs)) is not None:
        return refusal
    found = seen(recording, bin_width, smoothing)
    if len(found.flat) < 8:
        return Finding.abstain(f"needs 8 samples of the population, got {len(found.flat)}: record longer, or bin finer")
    return found.z_scored


def end_to_end(values: np.ndarray) -> np.ndarray:
    """(trial, time, unit) as (sample, unit)."""
    return values.reshape(-1, values.shape[2])


def trial_folds(values: np.ndarray, folds: int) -> np.ndarray:
    """(sample,) the fold of each sample: of whole trials, or of stretches of time where there are fewer trials."""
    trials, times = values.shape[:2]
    if trials >= folds:
        return np.repeat(np.arange(trials) % folds, times)
    return np.tile(np.arange(times) * folds // max(times, 1), trials)
