"""Does the code drift? Maps of one day compared with those of others, as vectors of the population or cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.tuning._moments import NEEDS, POSITION, Bins, Moments, summed
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Width

Measure = Literal["population_vector", "cell_maps"]

COARSE = Bins(position=8)

VISITED = 0.5
"""s that an animal must have been in a bin, in both halves that are compared."""


@dataclass(frozen=True)
class AcrossSessions:
    """Says `drifting` where maps of different trials (days) agree less than maps of two halves of one.

    Maps are of halves of a trial, made of alternating stretches of `stretch`, so that agreement within a day and across
    days is of equally much data; pairs of days are compared that are half of all days apart, or more. Agreement is,
    for `population_vector`, the correlation over units of their rates in each bin of the floor (of the vectors that
    decoders read: Ziv et al. 2013; Driscoll et al. 2017); for `cell_maps`, that over bins of one unit's rates, of units
    with `least_spikes` in both halves: gains and units that are lost change the first and not the second. The
    verdict is `drifting` if agreement falls by more than `least_fall`, and does so by a signed-rank test over bins or
    units at `level`; else `stable`. What units an instrument gives to other neurons from day to day is drift to both.
    Cost: a map per half day.
    """

    name: ClassVar[str] = "across_sessions"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "rate maps"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(NEEDS.modalities, units=5, trials=3, seconds=60.0, stimulus=True, equal_trials=False)

    measure: Measure = "cell_maps"
    drifting: str = "drifting code"
    stable: str = "stable code"
    level: Level = 0.05
    least_fall: Annotated[float, Within(0, 2)] = 0.1
    least_spikes: Annotated[int, Within(1, 10_000)] = 20  # in half a day
    stretch: Width = 10.0  # s
    smoothing: Annotated[float, Within(0, 20)] = 0.75  # bins, sd of the Gaussian kernel

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; notes: mean agreement within a day and across days, and p of the fall."""
        from scipy.stats import wilcoxon

        brief = recording.attrs.get("brief", {}).get("candidates", ())
        if lacking := [name for name in (self.drifting, self.stable) if name not in brief]:
            return Finding.abstain(f"{', '.join(lacking)} is none of the candidates")
        moments = Moments.of(recording, self.needs, COARSE)
        if isinstance(moments, Finding):
            return moments
        within, across = self._agreements(*self._maps(moments))
        both = np.isfinite(within) & np.isfinite(across)
        if both.sum() < 5:
            return Finding.abstain(f"{int(both.sum())} maps can be compared: too few")
        fall = (within - across)[both]
        p = float(wilcoxon(fall, alternative="greater").pvalue) if np.any(fall != 0) else 1.0
        drifts = p <= self.level and fall.mean() > self.least_fall
        notes = {"within": float(within[both].mean()), "across": float(across[both].mean()), "p": p}
        return Finding({"label": self.drifting if drifts else self.stable}, notes=notes)

    def _maps(self, moments: Moments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rates (day, half, bin, unit) per moment, spikes (day, half, unit), and visited bins (day, half, bin)."""
        from scipy.ndimage import gaussian_filter

        size, side = moments.sizes[POSITION], COARSE.position
        trial = np.unique(moments.trial, return_inverse=True)[1]
        half = (np.arange(len(trial)) * moments.step / self.stretch).astype(int) % 2
        at, n = (trial * 2 + half) * size + moments.bins[POSITION], (trial.max() + 1) * 2 * size
        shape = (trial.max() + 1, 2, side, side, -1)
        blur = (0, 0, self.smoothing, self.smoothing, 0)
        spikes = np.asarray(summed(at, n, moments.counts)).reshape(shape)
        time = np.bincount(at, minlength=n).astype(float).reshape(shape)
        rates = gaussian_filter(spikes, blur) / np.maximum(gaussian_filter(time, blur), 1e-3)
        visited = time.reshape(len(rates), 2, size) * moments.step >= VISITED
        return rates.reshape(len(rates), 2, size, -1), spikes.sum(axis=(2, 3)), visited

    def _agreements(self, rates: np.ndarray, spikes: np.ndarray, visited: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean correlation within a day and across days, of each bin or unit; NaN where there is none."""
        days = len(rates)
        pairs = [(i, j) for i in range(days) for j in range(days) if i == j or abs(i - j) >= days / 2]
        over = 1 if self.measure == "population_vector" else 0
        seen = [visited[i, 0] & visited[j, 1] for i, j in pairs]
        maps = [(rates[i, 0], rates[j, 1]) for i, j in pairs]
        if over == 0:
            found = np.stack([_correlation(a[s], b[s], 0) for (a, b), s in zip(maps, seen, strict=True)])
        else:
            found = np.where(seen, [_correlation(a, b, 1) for a, b in maps], np.nan)
        if self.measure == "cell_maps":
            enough = spikes >= self.least_spikes
            found[np.array([~(enough[i, 0] & enough[j, 1]) for i, j in pairs])] = np.nan
        same = np.array([i == j for i, j in pairs])
        return _nanmean(found[same]), _nanmean(found[~same])


def _correlation(one: np.ndarray, other: np.ndarray, over: int) -> np.ndarray:
    """Pearson's, over one of the dims of two maps (bin, unit); NaN where either does not vary."""
    if not one.size:
        return np.full(one.shape[1 - over], np.nan)
    a, b = (m - m.mean(axis=over, keepdims=True) for m in (one, other))
    size = np.sqrt((a**2).sum(axis=over) * (b**2).sum(axis=over))
    return np.where(size > 0, (a * b).sum(axis=over) / np.maximum(size, 1e-300), np.nan)


def _nanmean(values: np.ndarray) -> np.ndarray:
    """Over the first dim, of what is finite; NaN where nothing is."""
    known = np.isfinite(values)
    n = known.sum(axis=0)
    return np.where(n > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(n, 1), np.nan)
