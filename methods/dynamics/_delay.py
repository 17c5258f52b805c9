"""Shared by the dynamics methods: activity after the cue, what was shown, and the state read from either half of units.

Values are (trial, time, unit); a state is (..., factor): the cosine and sine of an angle, or the value itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from methods.population._population import time_step
from methods.population._ring_readout import angle_feature
from simlab.contracts import Finding
from simlab.data import is_spiking, signals

RIDGE = 1.0
"""Strength of the readout's ridge penalty, in z-scored activity, per trial."""

FOLDS = 5


@dataclass(frozen=True, eq=False)
class Delay:
    """Activity in the dark.

    values (trial, time, unit): square roots of rates [sqrt(Hz)] or signals, in bins. times (time,) [s], from the dark's
    onset on. shown (trial, factor): the last stimulus; None where there was none. circular: whether it is an angle.
    """

    values: np.ndarray
    times: np.ndarray
    shown: np.ndarray | None
    circular: bool

    def window(self, start: float, stop: float) -> np.ndarray:
        """Mean activity (trial, unit) in a part of the dark, from 0 to 1."""
        first, last = (round(share * len(self.times)) for share in (start, stop))
        return self.values[:, first : max(last, first + 1)].mean(axis=1)


def in_the_dark(recording: xr.Dataset, width: float, least: float, wait: float = 0.0) -> Delay | Finding:
    """What follows the last stimulus of any trial and `wait` [s]; an abstention where that is less than `least` [s]."""
    trace = signals(recording, width)
    step = time_step(trace, recording.attrs["duration"])
    values = np.asarray(trace.values, dtype=float)
    if is_spiking(recording):
        values = np.sqrt(values / width)
    shown, circular, end = _stimulus(recording)
    times = np.arange(values.shape[1]) * step
    dark = times >= end + wait - 1e-9
    if dark.sum() * step < least:
        return Finding.abstain(f"the dark lasts {dark.sum() * step:.2g} s, and this needs {least:g} s of it")
    return Delay(values[:, dark], times[dark] - end, shown, circular)


def _stimulus(recording: xr.Dataset) -> tuple[np.ndarray | None, bool, float]:
    """The last one shown (trial, factor) or None, whether it is an angle, and when the dark begins [s]."""
    if "stimulus" not in recording or "time" not in recording.coords:
        return None, False, 0.0
    names = [str(name) for name in recording["feature"].values] if "feature" in recording.coords else []
    which = angle_feature(names)
    values, grid = recording["stimulus"].values[:, :, which], recording["time"].values
    seen = np.isfinite(values)
    if not seen.any(axis=1).all() or seen.all():
        return None, False, 0.0
    last = values[np.arange(len(values)), seen.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)]
    step = float(np.median(np.diff(grid))) if len(grid) > 1 else float(recording.attrs["duration"])
    end = float(grid[seen.any(axis=0)].max()) + step
    named = names[which] if names else ""
    if "angle" in named or "direction" in named:
        return np.stack([np.cos(last), np.sin(last)], axis=1), True, end
    return last[:, None], False, end


def read_out(activity: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """What a ridge regression, fitted on other trials, says was shown (trial, factor), from activity (trial, unit)."""
    told = np.empty(shown.shape)
    fold = np.arange(len(shown)) % min(FOLDS, len(shown))
    for k in np.unique(fold):
        train, test = fold != k, fold == k
        centre, spread = activity[train].mean(0), np.maximum(activity[train].std(0), 1e-9)
        x, mean = (activity[train] - centre) / spread, shown[train].mean(0)
        gram = x @ x.T + RIDGE * x.shape[1] * np.eye(len(x))
        told[test] = mean + (activity[test] - centre) / spread @ x.T @ np.linalg.solve(gram, shown[train] - mean)
    return told


def beyond_the_cue(told: np.ndarray, shown: np.ndarray, circular: bool) -> np.ndarray:
    """What of a readout (trial, factor) no function of the cue explains, up to its third harmonic or power.

    For an angle, only its part at a right angle to the cue's direction: (trial, 1).
    """
    if circular:
        angle = np.arctan2(shown[:, 1], shown[:, 0])
        told = (told * np.stack([-np.sin(angle), np.cos(angle)], axis=1)).sum(axis=1, keepdims=True)
        columns = [f(k * angle) for k in (1, 2) for f in (np.cos, np.sin)]
    else:
        columns = [shown[:, 0] ** k for k in (1, 2, 3)]
    if len(told) < 3 * (len(columns) + 1):  # too few trials for so many functions
        columns = columns[:2]
    design = np.stack([np.ones(len(told)), *columns], axis=1)
    return told - design @ np.linalg.lstsq(design, told, rcond=None)[0]


def halves(n_units: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint random halves of the units."""
    order = rng.permutation(n_units)
    return order[::2], order[1::2]


def permutation_p(observed: float, null: np.ndarray) -> float:
    """Share of a null distribution that is as large."""
    return float((1 + (null >= observed).sum()) / (1 + len(null)))
