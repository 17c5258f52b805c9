"""Where a foraging animal was when spikes fell; periods of maps, modules of periods, and answers made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr

from methods.topology._rate_maps import AXES, autocorrelogram
from simlab.contracts import Finding, Needs
from simlab.data import missing
from simlab.rules import Within

NEEDS = Needs(("spikes",), seconds=120.0, stimulus=True, equal_trials=False)
"""What a map cannot do without."""

Bins = Annotated[int, Within(8, 200)]
Smoothing = Annotated[float, Within(0, 20)]
Surrogates = Annotated[int, Within(1, 1000)]

FEWEST = 30
"""Spikes of a unit below which nothing is said of its map, and it is called no grid cell."""

KERNEL, LEAST = 0.1, 0.1
"""Standard deviation of the kernel that log periods are smoothed with, and the share of grid cells that a module has at
least: modules are a factor of 1.42 apart on average (Stensola et al. 2012), cells of one differ by a tenth."""


@dataclass(frozen=True, eq=False)
class Foraged:
    """All moments in which the place was seen, trials one after another, and the spikes that fell in them.

    bins: (moment,) which of n_bins^2 squares of the floor the animal was in. moment, unit: (spike,). edge: of the floor
    that was visited [m], of both axes (2,).
    """

    bins: np.ndarray
    moment: np.ndarray
    unit: np.ndarray
    n_units: int
    n_bins: int
    step: float
    edge: np.ndarray

    @classmethod
    def of(cls, recording: xr.Dataset, n_bins: int) -> Foraged | Finding:
        """Those of a Recording; an abstention where it has no two coordinates, or the animal stayed where it was."""
        if reason := missing(recording, NEEDS):
            return Finding.abstain(reason)
        names = [str(name) for name in recording["feature"].values] if "feature" in recording.coords else []
        axes = [next((i for i, name in enumerate(names) if name in axis), -1) for axis in AXES]
        if min(axes) < 0 or recording.sizes["time"] < 2:
            return Finding.abstain("needs two coordinates of a place through time, and the stimulus has fewer")
        place, time = recording["stimulus"].values[:, :, axes], recording["time"].values
        seen = np.isfinite(place).all(axis=2)
        if seen.sum() < 2:
            return Finding.abstain("the place was never seen")
        low, edge = place[seen].min(axis=0), np.ptp(place[seen], axis=0)
        if edge.min() <= 1e-9:
            return Finding.abstain("the animal never left its place, or a line: there is no floor to map")
        cell = ((place[seen] - low) / edge * n_bins).astype(int).clip(0, n_bins - 1)
        number = np.full(seen.shape, -1)
        number[seen] = np.arange(len(cell))
        at = np.searchsorted(time, recording["spike_time"].values + 1e-9, side="right") - 1
        moment = number[recording["spike_trial"].values, np.maximum(at, 0)]
        kept = moment >= 0
        bins, unit = cell[:, 0] * n_bins + cell[:, 1], recording["spike_unit"].values[kept]
        step = float(time[1] - time[0])
        return cls(bins, moment[kept], unit, recording.sizes["unit"], n_bins, step, edge)

    @property
    def heard(self) -> np.ndarray:
        """(unit,) bool: who has spikes enough for a map."""
        return np.bincount(self.unit, minlength=self.n_units) >= FEWEST

    def rolled(self, rng: np.random.Generator) -> Foraged:
        """The spikes of each unit turned in a circle against the path, by a tenth of it or more from either end."""
        n = len(self.bins)
        roll = rng.integers(n // 10, n - n // 10, self.n_units)
        moment = (self.moment + roll[self.unit]) % n
        return Foraged(self.bins, moment, self.unit, self.n_units, self.n_bins, self.step, self.edge)

    def counted(self, among: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Spikes (unit, bin) and seconds (bin,) in each bin of the floor, in these moments (moment,) or in all."""
        size = self.n_bins**2
        chosen = np.ones(len(self.bins), bool) if among is None else among
        seconds = np.bincount(self.bins[chosen], minlength=size) * self.step
        kept = chosen[self.moment]
        index = self.unit[kept] * size + self.bins[self.moment[kept]]
        return np.bincount(index, minlength=self.n_units * size).reshape(-1, size).astype(float), seconds

    def maps(self, smoothing: float) -> np.ndarray:
        """Rates [Hz] (unit, x, y); spikes and seconds are smoothed by a Gaussian [bins] before they are divided."""
        from scipy.ndimage import gaussian_filter

        spikes, seconds = self.counted()
        shape = (self.n_bins, self.n_bins)
        smooth = np.maximum(gaussian_filter(seconds.reshape(shape), smoothing), 1e-3)
        return np.asarray(gaussian_filter(spikes.reshape(-1, *shape), (0, smoothing, smoothing)) / smooth)


def period(rates: np.ndarray, edge: np.ndarray) -> float:
    """[m]: median distance of the six peaks of a map's autocorrelogram nearest to its middle; 0 where it has none."""
    from scipy.ndimage import gaussian_filter, maximum_filter

    n = len(rates)
    smooth = gaussian_filter(autocorrelogram(rates), 1.0)
    peak = (smooth == maximum_filter(smooth, max(3, n // 8))) & (smooth > 0.05)
    apart = np.sort(np.linalg.norm((np.argwhere(peak) - (n - 1)) * edge / n, axis=1))
    near = apart[apart > 1.5 * edge.max() / n][:6]
    return float(np.median(near)) if len(near) else 0.0


def n_modules(periods: np.ndarray) -> int:
    """How many peaks the density of log periods (unit,) has, not counting those of few units."""
    if len(periods) == 0:
        return 0
    log = np.sort(np.log(periods))
    at = np.arange(log[0] - 3 * KERNEL, log[-1] + 3 * KERNEL, KERNEL / 10)
    density = np.exp(-np.square((at[:, None] - log) / KERNEL) / 2).sum(axis=1)
    falls = np.flatnonzero((density[1:-1] < density[:-2]) & (density[1:-1] <= density[2:])) + 1
    sizes = np.diff(np.r_[0, np.searchsorted(log, at[falls]), len(log)])
    return max(1, int((sizes >= LEAST * len(log)).sum()))


def answered(grid: np.ndarray, periods: np.ndarray, score: np.ndarray, **notes: object) -> Finding:
    """The finding: who is a grid cell (unit,), with a period (unit,) [m]; one without a period is none."""
    called = grid & (periods > 0)
    stated = {"grid": called, "period": np.where(called, periods, 0.0), "modules": n_modules(periods[called])}
    return Finding(stated, notes={"score": score.tolist()} | notes)
