"""What methods share that explain a behaviour by units, trial by trial: samples of both, and least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import in_window

PREDICTED = Needs(("spikes", "rate"), units=1, trials=10, behaviour=True)
"""What such a method needs of a recording."""


@dataclass(frozen=True, eq=False)
class Samples:
    """One of each trial: units (trial, unit), the behaviour (trial,), the condition (trial,), 0 where there is none."""

    units: np.ndarray
    behaviour: np.ndarray
    condition: np.ndarray

    @property
    def n_units(self) -> int:
        """How many units there are."""
        return self.units.shape[1]

    def importance(self, slope: np.ndarray) -> np.ndarray:
        """(unit,) how far a standard deviation of each unit moves the behaviour, by its slope (unit,)."""
        return np.abs(slope) * self.units.std(axis=0)


def samples(recording: xr.Dataset) -> Samples | Finding:
    """Means over each trial from the stimulus on, or over all of it; of several factors, their first component.

    An abstention where units are too many for the trials, or the behaviour does not vary.
    """
    start = _onset(recording)
    units = in_window(recording, start, float(recording.attrs["duration"]) - start)
    late = recording["time"].values >= start - 1e-9
    factors = recording["behaviour"].values[:, late].mean(axis=1)
    behaviour = _first_component(factors)
    trials, n_units = units.shape
    if trials < n_units + 10:
        return Finding.abstain(f"{trials} trials are too few to regress on {n_units} units: it takes {n_units + 10}")
    if not np.isfinite(units).all() or np.ptp(behaviour) < 1e-12:
        return Finding.abstain("the behaviour is the same in all trials, or activity is not known in some of them")
    condition = recording["condition"].values if "condition" in recording else np.zeros(trials, dtype=int)
    return Samples(units, behaviour, np.asarray(condition))


def _onset(recording: xr.Dataset) -> float:
    """When something is first shown [s]; 0 where nothing is."""
    if "stimulus" not in recording:
        return 0.0
    shown = np.isfinite(recording["stimulus"].values).any(axis=(0, 2))
    return float(recording["time"].values[np.argmax(shown)]) if shown.any() else 0.0


def _first_component(factors: np.ndarray) -> np.ndarray:
    """(trial,) the linear combination of factors (trial, factor) that varies most."""
    centred = factors - factors.mean(axis=0)
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][0]


@dataclass(frozen=True, eq=False)
class Fitted:
    """Ordinary least squares: slopes (predictor,), their two-sided p, and what is left (trial,)."""

    slope: np.ndarray
    p: np.ndarray
    residual: np.ndarray


def least_squares(predictors: np.ndarray, target: np.ndarray) -> Fitted:
    """Of a target (trial,) on predictors (trial, predictor) and a constant; p by the t test, 1 where it cannot be."""
    from scipy.stats import t

    design = np.column_stack([np.ones(len(target)), predictors])
    inverse = np.linalg.pinv(design.T @ design)
    slope = inverse @ (design.T @ target)
    residual = target - design @ slope
    freedom = max(len(target) - design.shape[1], 1)
    error = np.sqrt(np.maximum(np.diag(inverse), 0) * (residual @ residual) / freedom)
    ratio = np.divide(np.abs(slope), error, out=np.zeros_like(slope), where=error > 0)
    return Fitted(slope[1:], 2 * t.sf(ratio, freedom)[1:], residual)
