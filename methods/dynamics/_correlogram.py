"""Inhibitory to excitatory correlograms at short lags, between units whose types are guessed from how they fire."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from simlab.data import bin_spikes, spike_trains

WINDOW = 0.5
"""s of the counts whose Fano factors are compared: long enough for a tuned unit to be on in some and off in others."""


@dataclass(frozen=True, eq=False)
class Asymmetry:
    """z: of the spikes of others that follow an inhibitory unit's within the lags, less those before, per trial;
    negative where it inhibits. pairs: of units that were looked at. spikes: pairs of spikes within the lags."""

    z: float
    pairs: int
    spikes: int


def putative_inhibitory(recording: xr.Dataset, share: float) -> np.ndarray:
    """The units (index) that fire most and most evenly over trials: high rate, low Fano factor, by their ranks."""
    counts = bin_spikes(recording, WINDOW).values.reshape(-1, recording.sizes["unit"])
    mean = counts.mean(axis=0)
    fano = np.divide(counts.var(axis=0), mean, out=np.full(mean.shape, np.inf), where=mean > 0)
    even = _rank(-fano) + _rank(mean)
    chosen = np.argsort(-even, kind="stable")[: max(2, round(share * len(mean)))]
    return np.sort(chosen[mean[chosen] > 0])


def _rank(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable")


def asymmetry(recording: xr.Dataset, sources: np.ndarray, lags: tuple[float, float]) -> Asymmetry:
    """Over all pairs of a source with another unit; z by the scatter over trials (Perkel et al. 1967)."""
    n_trials, trains = recording.sizes["trial"], spike_trains(recording)
    trial = np.asarray(recording["spike_trial"].values)
    unit, time = np.asarray(recording["spike_unit"].values), np.asarray(recording["spike_time"].values)
    others = np.setdiff1d(np.arange(len(trains)), sources)
    span = float(np.max(recording.attrs["duration"])) + 1.0  # trials laid end to end, further apart than any lag
    sent = np.sort((time + trial * span)[np.isin(unit, sources)])
    heard = np.sort((time + trial * span)[np.isin(unit, others)])
    after = np.searchsorted(heard, sent + lags[1], "right") - np.searchsorted(heard, sent + lags[0], "right")
    before = np.searchsorted(heard, sent - lags[0], "left") - np.searchsorted(heard, sent - lags[1], "left")
    each = np.bincount((sent // span).astype(int), after - before, n_trials)
    error = each.std(ddof=1) * np.sqrt(n_trials)
    z = float(each.sum() / error) if error > 0 else 0.0
    return Asymmetry(z, len(sources) * len(others), int((after + before).sum()))
