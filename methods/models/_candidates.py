"""What candidate models do beside what was recorded, bin by bin of the models' steps, and rankings of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import bin_spikes, continuous, is_spiking, missing

NEEDS = Needs(units=2, seconds=5.0, models=True)
"""What a choice among models cannot do without."""

LEAST_SAMPLES = 50
"""Bins, over all trials."""


class Beside(NamedTuple):
    """Activity and what every candidate did in the same bins."""

    units: np.ndarray  # (sample, unit), those that vary alone
    models: tuple[np.ndarray | None, ...]  # (sample, unit of the model) of each candidate; None: it did not see this
    trial: np.ndarray  # (sample,) that each bin is of


def beside(recording: xr.Dataset, needs: Needs = NEEDS) -> Beside | Finding:
    """Both in the models' bins, trials laid end to end; an abstention where there is too little of either."""
    if reason := missing(recording, needs):
        return Finding.abstain(reason)
    response, owner = recording["model_response"].values, recording["model"].values
    activity = _in_bins(recording)
    bins = min(response.shape[1], activity.shape[1])
    units, theirs = (part[:, :bins].reshape(-1, part.shape[2]).astype(float) for part in (activity, response))
    trial = np.repeat(np.arange(len(response)), bins)
    seen = np.isfinite(units).all(axis=1) & np.isfinite(theirs).all(axis=1)
    if seen.sum() < LEAST_SAMPLES:
        return Finding.abstain(f"{int(seen.sum())} bins are too few to hold models against: it takes {LEAST_SAMPLES}")
    units = units[seen]
    varying = np.ptp(units, axis=0) > 0
    if varying.sum() < needs.units:
        return Finding.abstain(f"{int(varying.sum())} units vary at all, and it takes {needs.units}")
    n = max(len(recording.attrs.get("brief", {}).get("candidates", ())), int(owner.max(initial=-1)) + 1)
    models = tuple(theirs[seen][:, owner == k] if (owner == k).any() else None for k in range(n))
    return Beside(units[:, varying], models, trial[seen])


def _in_bins(recording: xr.Dataset) -> np.ndarray:
    """(trial, bin, unit): spike counts, or means of a signal, in the bins of the models."""
    time = recording["model_time"].values
    step = float(np.diff(time).mean()) if len(time) > 1 else float(recording.attrs["duration"])
    if is_spiking(recording):
        return np.asarray(bin_spikes(recording, step).values)
    signal = continuous(recording).transpose("trial", "time", "unit")
    place = np.floor(signal["time"].values / step + 1e-9).astype(int)
    begins = np.flatnonzero(np.diff(place, prepend=-1))
    mean = np.full((signal.sizes["trial"], len(time), signal.sizes["unit"]), np.nan)
    held = np.add.reduceat(signal.values, begins, axis=1) / np.diff(np.append(begins, len(place)))[None, :, None]
    inside = place[begins] < len(time)
    mean[:, place[begins][inside]] = held[:, inside]
    return mean


def ranked(found: Beside, score: Callable[[np.ndarray], float | None]) -> Finding:
    """Every candidate's score; one that did not see what was shown, or has none, is last. Abstains without any."""
    scores = [None if model is None else score(model) for model in found.models]
    known = [value for value in scores if value is not None and np.isfinite(value)]
    if not known:
        return Finding.abstain("no candidate that saw what was shown could be scored")
    last = min(known) - 1.0
    told = [last if value is None or not np.isfinite(value) else value for value in scores]
    return Finding({"score": np.array(told, dtype=float)}, notes={"unscored": len(scores) - len(known)})


def folds(trial: np.ndarray, number: int) -> np.ndarray:
    """(sample,) the fold of each: whole trials where there are enough, else blocks of neighbours."""
    names, place = np.unique(trial, return_inverse=True)
    n, place = (len(names), place) if len(names) >= number else (len(trial), np.arange(len(trial)))
    return np.minimum(place * number // n, number - 1)
