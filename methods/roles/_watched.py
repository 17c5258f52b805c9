"""Shared by methods that read roles off a recording: activity per trial and over time, the outcome, the behaviour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import in_window, missing, signals


def of_trials(recording: xr.Dataset) -> np.ndarray:
    """(trial, unit) spikes in each trial, or the mean of the signal over it."""
    return in_window(recording, 0.0, float(recording.attrs["duration"]))


def within_conditions(values: np.ndarray, recording: xr.Dataset) -> np.ndarray:
    """Values (trial, unit) less their means over the trials of the same condition, where there are conditions."""
    if "condition" not in recording:
        return values - values.mean(axis=0)
    _, which = np.unique(recording["condition"].values, return_inverse=True)
    size = np.bincount(which)[:, None]
    total = np.zeros((len(size), values.shape[1]))
    np.add.at(total, which, values)
    return values - (total / size)[which]


def outcome_of(recording: xr.Dataset, needs: Needs, fewest: int) -> np.ndarray | Finding:
    """(trial,) the outcomes, or the reason why there is nothing to go with: at least `fewest` trials must be better
    than the mean, and as many no better."""
    if reason := missing(recording, replace(needs, outcome=True)):
        return Finding.abstain(reason)
    outcome = recording["outcome"].values.astype(float)
    good = int((outcome > outcome.mean()).sum())
    if min(good, len(outcome) - good) < fewest:
        return Finding.abstain(
            f"the outcome hardly varies: {good} of {len(outcome)} trials are better than the mean, and {fewest} of "
            "either kind are needed"
        )
    return outcome


def over_time(recording: xr.Dataset, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Activity (trial, bin, unit) in bins of `width` [s], or of all of a shorter trial, and their centres [s].

    A signal that is sampled more slowly keeps its own samples; one that is faster is averaged.
    """
    duration = float(recording.attrs["duration"])
    width = min(width, duration)
    trace = signals(recording, width)
    values, time = np.asarray(trace.values, dtype=float), trace["time"].values
    if "spike_time" in recording:
        return values, time + width / 2
    step = np.floor(time / width + 1e-9).astype(int)
    bins = np.unique(step)
    return np.stack([values[:, step == b].mean(axis=1) for b in bins], axis=1), np.array(
        [time[step == b].mean() for b in bins]
    )


def behaviour_at(recording: xr.Dataset, centres: np.ndarray) -> np.ndarray | Finding:
    """(trial, bin, factor) the behaviour's mean around each time, or the reason why there is none to explain.

    centres: (bin,) [s], equally far apart; a bin without a sample of the behaviour gets the one before it.
    """
    if "behaviour" not in recording:
        return Finding.abstain("needs behaviour, and this recording has none")
    trace, time = recording["behaviour"].values.astype(float), recording["time"].values
    half = float(np.diff(centres).mean()) / 2 if len(centres) > 1 else float(recording.attrs["duration"])
    from_, to = np.searchsorted(time, centres - half - 1e-9), np.searchsorted(time, centres + half - 1e-9)
    last = np.maximum(np.searchsorted(time, centres + 1e-9) - 1, 0)
    each = [trace[:, a:b].mean(axis=1) if b > a else trace[:, k] for a, b, k in zip(from_, to, last, strict=True)]
    values = np.stack(each, axis=1)
    values = values[:, :, np.isfinite(values).all(axis=(0, 1))]
    values = values[:, :, np.ptp(values.reshape(-1, values.shape[2]), axis=0) > 1e-12]
    return values if values.shape[2] else Finding.abstain("the behaviour never changes: there is nothing to explain")


def correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(unit, factor) Pearson's between columns of x (sample, unit) and y (sample, factor); 0 where one is constant."""
    x, y = (v - v.mean(axis=0) for v in (x, y))
    scale = np.outer(np.linalg.norm(x, axis=0), np.linalg.norm(y, axis=0))
    return np.divide(x.T @ y, scale, out=np.zeros_like(scale), where=scale > 1e-12)
