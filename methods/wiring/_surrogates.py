"""Recordings in which units have nothing to do with one another, each being what it was; and tests against them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from methods.wiring._correlations import rolled
from simlab.contracts import SimlabError
from simlab.data import durations, is_spiking

Null = Literal["shift", "trials", "jitter"]
"""`shift`: each unit rotated in each trial by up to `reach` either way; keeps its intervals but for one per trial, and
its rate beyond `reach` (Pipa et al. 2008, J Comput Neurosci 25:64). `trials`: each unit's trials in an order of its
own; keeps its intervals and what all trials have in common, not what neighbouring trials do (Grun 2009, J Neurophysiol
101:1126). `jitter`: each spike anywhere in its interval of length `reach`; keeps rates beyond it, and no interval
(Amarasingham et al. 2012, J Neurophysiol 107:517)."""


def impossible(recording: xr.Dataset, null: Null) -> str:
    """Why this null cannot be made of the recording; empty if it can."""
    if null == "jitter" and not is_spiking(recording):
        return "jitter moves spikes, and this recording holds a signal: take the null shift"
    if null == "trials" and (recording.sizes["trial"] < 2 or np.ptp(durations(recording)) > 0):
        return "exchanging trials needs two at least, of one length: take the null shift"
    return ""


def surrogate(recording: xr.Dataset, null: Null, reach: float, rng: np.random.Generator) -> xr.Dataset:
    """One such recording, spikes or signal; `reach` [s]. Raises SimlabError where this null cannot be made of it."""
    if reason := impossible(recording, null):
        raise SimlabError(reason)
    return _of_spikes(recording, null, reach, rng) if is_spiking(recording) else _of_signal(recording, null, reach, rng)


def _of_spikes(recording: xr.Dataset, null: Null, reach: float, rng: np.random.Generator) -> xr.Dataset:
    trial, unit = recording["spike_trial"].values, recording["spike_unit"].values
    time, length = recording["spike_time"].values, durations(recording)[trial]
    n_trials, n_units = recording.sizes["trial"], recording.sizes["unit"]
    if null == "shift":
        time = np.mod(time + rng.uniform(-reach, reach, (n_trials, n_units))[trial, unit], length)
    elif null == "trials":
        order = np.stack([rng.permutation(n_trials) for _ in range(n_units)])
        trial = order[unit, trial].astype(trial.dtype)
    else:
        start = np.floor(time / reach) * reach
        time = start + rng.random(len(time)) * (np.minimum(start + reach, length) - start)
    order = np.lexsort((unit, time, trial))
    columns = {"spike_trial": trial, "spike_time": np.minimum(time, length * (1 - 1e-12)), "spike_unit": unit}
    changed = {name: ("spike", values[order], recording[name].attrs) for name, values in columns.items()}
    return recording.assign(changed)


def _of_signal(recording: xr.Dataset, null: Null, reach: float, rng: np.random.Generator) -> xr.Dataset:
    signal = recording["signal"]
    values = signal.values
    n_trials, n_samples, n_units = values.shape
    if null == "trials":
        order = np.stack([rng.permutation(n_trials) for _ in range(n_units)], axis=1)
        values = np.take_along_axis(values, order[:, None, :], axis=0)
    else:
        most = max(1, min(n_samples - 1, round(reach * n_samples / float(recording.attrs["duration"]))))
        values = rolled(values, rng.integers(-most, most + 1, (n_trials, 1, n_units)))
    return recording.assign({"signal": (signal.dims, values, signal.attrs)})


def studentised_p(observed: np.ndarray, surrogates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Deviation of each pair (pre, post) from its own surrogates (surrogate, pre, post), and its one-sided p.

    The deviation is from the mean of the pair's surrogates in their standard deviation; the null distribution is that
    of each surrogate's deviation from the others of its pair, of all pairs together, so that pairs may differ in mean
    and spread, and p reaches below 1 / surrogates. A pair's spread counts as at least a tenth of the median one.
    """
    n_surrogates = len(surrogates)
    if n_surrogates < 3:
        raise SimlabError(f"surrogates must be >= 3, got {n_surrogates}: each needs a spread of the others")
    off = ~np.eye(len(observed), dtype=bool)
    total, squares = surrogates.sum(axis=0), (surrogates**2).sum(axis=0)
    spread = np.sqrt(np.maximum(squares / n_surrogates - (total / n_surrogates) ** 2, 0.0))
    floor = max(0.1 * float(np.median(spread[off])), 1e-12)
    z = _deviation(observed, total, squares, n_surrogates, floor)
    null = np.stack([_deviation(one, total - one, squares - one**2, n_surrogates - 1, floor) for one in surrogates])
    pooled = np.sort(null[:, off].ravel())
    above = pooled.size - np.searchsorted(pooled, z, side="left")
    return z, (above + 1) / (pooled.size + 1)


def _deviation(value: np.ndarray, total: np.ndarray, squares: np.ndarray, count: int, floor: float) -> np.ndarray:
    """(value - mean) / (deviation x sqrt(1 + 1 / count)), of `count` others with these sums."""
    mean = total / count
    spread = np.sqrt(np.maximum((squares - count * mean**2) / (count - 1), 0.0))
    return np.asarray((value - mean) / (np.maximum(spread, floor) * np.sqrt(1 + 1 / count)))
