"""Trials of two stimuli, how far apart they lie in units of the noise, and what chance makes of that distance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import in_window, missing

NEEDS = Needs(trials=6, stimulus=True)
"""What a discrimination cannot do without."""

TOO_FEW = "{trials} trials are too few for the covariance of {units} units: record more trials, or fewer units"


class Seen(NamedTuple):
    """Activity in the trials of two stimuli."""

    activity: np.ndarray  # (trial, unit), of units that vary: spikes in the trial, or the signal's mean
    larger: np.ndarray  # (trial,) bool: which trials showed the larger of the two
    step: float  # their difference, in the stimulus' own unit

    def only(self, trials: np.ndarray) -> Seen:
        """The same in some of the trials (trial,) bool or int."""
        return self._replace(activity=self.activity[trials], larger=self.larger[trials])


class Sums(NamedTuple):
    """What linear estimates are made of."""

    slope: np.ndarray  # (unit,) difference of the two means
    covariance: np.ndarray  # (unit, unit) pooled within the stimuli
    freedom: int  # degrees of freedom of the covariance
    spread: float  # 1/n + 1/n: variance of a difference of means, for unit variance


def seen(recording: xr.Dataset, needs: Needs = NEEDS) -> Seen | Finding:
    """The trials of both stimuli; an abstention where there are not just two, or nobody varies."""
    if reason := missing(recording, needs):
        return Finding.abstain(reason)
    names = [str(name) for name in recording["feature"].values] if "feature" in recording.coords else [""]
    feature = recording.attrs.get("brief", {}).get("feature", names[0])
    if feature not in names:
        return Finding.abstain(f"the stimulus has {', '.join(names)}, and {feature} is asked about")
    course = recording["stimulus"].values[:, :, names.index(feature)]
    shown, changes = _shown(course)
    values = np.unique(shown)
    if len(values) != 2 or not np.isfinite(values).all() or changes:
        return Finding.abstain(f"needs two stimuli, each shown throughout its trials, got {len(np.unique(course))}")
    activity = in_window(recording, 0.0, float(recording.attrs["duration"]))
    larger = shown == values[1]
    if min(larger.sum(), (~larger).sum()) < 3:
        return Finding.abstain(f"needs three trials of either stimulus, got {larger.sum()} and {(~larger).sum()}")
    whole = np.isfinite(activity).all(axis=0)
    if not whole.any():
        return Finding.abstain("the signal of every unit has gaps (NaN): fill or cut them first")
    # a constant may have a standard deviation by rounding, but no range
    varies = whole & (np.ptp(activity[larger], axis=0) + np.ptp(activity[~larger], axis=0) > 0)
    if not varies.any():
        return Finding.abstain("no unit's activity varies over trials")
    if varies.sum() < needs.units:
        return Finding.abstain(f"needs at least {needs.units} units whose activity varies, got {varies.sum()}")
    return Seen(activity[:, varies], larger, float(values[1] - values[0]))


def _shown(course: np.ndarray) -> tuple[np.ndarray, bool]:
    """(trial,) the stimulus of each trial, from its course (trial, time); and whether any changes within its trial."""
    known = np.isfinite(course)
    highest, lowest = np.where(known, course, -np.inf).max(axis=1), np.where(known, course, np.inf).min(axis=1)
    return highest, bool((lowest < highest).any())


def sums(found: Seen) -> Sums:
    """Of the trials of both stimuli."""
    sides = [found.activity[found.larger], found.activity[~found.larger]]
    residual = np.concatenate([side - side.mean(axis=0) for side in sides])
    freedom = len(residual) - 2
    slope = sides[0].mean(axis=0) - sides[1].mean(axis=0)
    return Sums(slope, residual.T @ residual / freedom, freedom, sum(1 / len(side) for side in sides))


def distance(told: Sums) -> tuple[float, int]:
    """d^2 = slope^T covariance^-1 slope, and in how many dimensions: units that copy others add none."""
    spread = np.sqrt(np.diag(told.covariance))
    value, direction = np.linalg.eigh(told.covariance / np.outer(spread, spread))
    kept = value > 1e-9 * value[-1]
    along = (told.slope / spread) @ direction[:, kept]
    return float((along**2 / value[kept]).sum()), int(kept.sum())


def unbiased(square: float | np.ndarray, units: int, freedom: int, spread: float) -> float | np.ndarray:
    """What is expected of d^2 of so many units is the true one: square (freedom - units - 1) / freedom - units spread.

    Exact for Gaussian noise; Kanitscheider et al. (2015, PLoS Comput Biol 11:e1004218), there for equal numbers of
    trials.
    """
    return square * (freedom - units - 1) / freedom - units * spread


def interval(square: float, units: int, freedom: int, spread: float, level: float) -> tuple[float, float]:
    """The true d^2 at which the measured one would be as extreme as `level` allows, to either side; exact for Gaussian
    noise: d^2 / spread is Hotelling's T^2, a noncentral F."""
    from scipy.optimize import brentq
    from scipy.stats import ncf

    rest = freedom - units + 1
    f = square / spread * rest / (freedom * units)

    def at(share: float) -> float:
        def excess(noncentral: float) -> float:
            return float(ncf.cdf(f, units, rest, noncentral)) - share

        if excess(1e-9) <= 0:
            return 0.0
        high = max(units * f, 1.0)
        while excess(high) > 0:
            high *= 2
        return float(brentq(excess, 1e-9, high, rtol=1e-6)) * spread

    return at(1 - level / 2), at(level / 2)


def separate(found: Seen) -> np.ndarray:
    """(unit,) each unit's own d^2, its bias removed."""
    told = sums(found)
    return np.asarray(unbiased(told.slope**2 / np.diag(told.covariance), 1, told.freedom, told.spread))
