"""Grid cells by a model: how much of what the place tells of a unit does one triangular lattice tell?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.patterns._foraged import NEEDS, Bins, Foraged, Surrogates, answered
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Share

DIRECTIONS, LENGTHS = 20, 24
"""Orientations (3 degrees apart) and periods of the lattices that are tried."""

SHORTEST, LONGEST = 0.12, 0.62
"""Periods that are tried, in edges of the box: what is longer has fewer than three fields in it, sqrt(3)/2 period^2
each, and is hardly told from one field."""

RIDGE = 1.0
"""s of mean rate that each bin is given beforehand."""


@dataclass(frozen=True)
class LatticeModel:
    """Fits a triangular lattice to every other stretch of the recording and tests it on the rest.

        rate(x) = c + sum_{j=0,1,2} a_j cos(k_j . x) + b_j sin(k_j . x),   |k_j| = 4 pi / (sqrt(3) period), 60 degrees
        apart

    by weighted least squares over bins of the floor, for 480 periods and orientations, of which the best on the first
    half is taken. Its explained variance of the other half's rates is compared with that of a model of any map: the
    first half's own smoothed map, scaled. A unit is a grid cell if the lattice explains at least `share` of what the
    map explains, more than the quantile 1 - `level` of rolled spikes, and if the smallest of its three waves has
    `weakest` of the amplitude of the largest, for a band is a lattice with two waves missing. No autocorrelogram is
    taken, and fields may be cut by walls. The comparison is our own. Assumes that the lattice is undistorted. Cost: a
    product of matrices per surrogate.
    """

    name: ClassVar[str] = "lattice_model"
    question: ClassVar[str] = "spatial_pattern"
    family: ClassVar[str] = "model comparison"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    share: Share = 0.6
    level: Level = 0.05
    weakest: Annotated[float, Within(0, 1)] = 0.3
    n_surrogates: Surrogates = 10  # of each unit; those of all units are pooled
    stretch: Annotated[float, Within(0.1, 1000, "s")] = 20.0  # that is fitted to, or tested on
    n_bins: Bins = 24
    smoothing: Annotated[float, Within(0.1, 20)] = 1.0  # bins, of the map

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Which units are grid cells; notes: the share of the map's explained variance that the lattice explains."""
        foraged = Foraged.of(recording, self.n_bins)
        if isinstance(foraged, Finding):
            return foraged
        heard = np.flatnonzero(foraged.heard)
        if not len(heard):
            return Finding.abstain("no unit has spikes enough for a map")
        stretches = (np.arange(len(foraged.bins)) * foraged.step / self.stretch).astype(int)
        if stretches[-1] < 3:
            return Finding.abstain(f"the place was seen for less than four stretches of {self.stretch:g} s")
        first = stretches % 2 == 0
        halves = [Lattices.over(foraged, half) for half in (first, ~first)]
        lattice, map_, period, weakest = self._explained(foraged, first, halves)
        null = [self._explained(foraged.rolled(rng), first, halves)[0][heard] for _ in range(self.n_surrogates)]
        told = np.divide(lattice, map_, out=np.zeros_like(lattice), where=map_ > 0)
        grid = (lattice > np.quantile(null, 1 - self.level)) & (told >= self.share) & (weakest >= self.weakest)
        silent = np.isin(np.arange(foraged.n_units), heard, invert=True)
        return answered(grid & ~silent, period, told, explained=lattice.tolist())

    def _explained(
        self, foraged: Foraged, first: np.ndarray, halves: list[Lattices]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(unit,) each: variance of one half's rates that the other's lattice explains, that its map does, the period
        [m] of the lattice, and the smallest of its amplitudes as a share of the largest; means over both ways."""
        from scipy.ndimage import gaussian_filter

        n = self.n_bins
        counted = [foraged.counted(half) for half in (first, ~first)]
        rates = [_rates(*each) for each in counted]
        ways = []
        for k in (0, 1):
            fit, (spikes, seconds) = halves[k].fitted(rates[k]), counted[k]
            blurred = [
                gaussian_filter(each.reshape(-1, n, n), (0, *[self.smoothing] * 2)) for each in (spikes, seconds)
            ]
            smooth = (blurred[0] / np.maximum(blurred[1], 1e-3)).reshape(-1, n**2)
            there = rates[1 - k], counted[1 - k][1]
            ways.append((explained(fit.rates, *there), explained(smooth, *there), fit.period, fit.weakest))
        return tuple(np.mean(each, axis=0) for each in zip(*ways, strict=True))  # type: ignore[return-value]


def _rates(spikes: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """(unit, bin) [Hz], drawn to the mean where there were few seconds."""
    mean = spikes.sum(axis=1, keepdims=True) / max(seconds.sum(), 1e-9)
    return np.asarray((spikes + RIDGE * mean) / (seconds + RIDGE))


def explained(predicted: np.ndarray, rates: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """(unit,): share of the variance of rates (unit, bin), weighted by seconds (bin,), that a prediction explains; the
    prediction is about the mean there, as a level is no pattern. 0 of a unit that is flat."""
    weight = seconds / max(seconds.sum(), 1e-9)
    about = rates - (rates @ weight)[:, None]
    guess = predicted - (predicted @ weight)[:, None]
    total = (about**2) @ weight
    left = ((about - guess) ** 2) @ weight
    return 1 - np.divide(left, total, out=np.ones_like(total), where=total > 1e-12)


@dataclass(frozen=True, eq=False)
class Fit:
    """rates (unit, bin) [Hz]; period (unit,) [m]; weakest (unit,): of three amplitudes, as a share of the largest."""

    rates: np.ndarray
    period: np.ndarray
    weakest: np.ndarray


@dataclass(frozen=True, eq=False)
class Lattices:
    """All lattices over a floor, and the least-squares solutions for these seconds in its bins.

    basis (lattice, bin, 7); solution (lattice, 7, bin); period (lattice,) [m].
    """

    basis: np.ndarray
    solution: np.ndarray
    period: np.ndarray
    weight: np.ndarray

    @classmethod
    def over(cls, foraged: Foraged, among: np.ndarray) -> Lattices:
        """Those that the animal's path in these moments (moment,) can tell."""
        n, edge = foraged.n_bins, float(foraged.edge.mean())
        place = (np.indices((n, n)).reshape(2, -1).T + 0.5) / n * foraged.edge
        periods = edge * np.geomspace(SHORTEST, LONGEST, LENGTHS)
        seconds = foraged.counted(among)[1]
        weight = seconds / max(seconds.sum(), 1e-9)
        basis, solution = [], []
        for period in periods:
            for turn in np.arange(DIRECTIONS) * np.pi / 3 / DIRECTIONS:
                angle = turn + np.arange(3) * np.pi / 3
                phase = place @ np.stack([np.cos(angle), np.sin(angle)]) * 4 * np.pi / np.sqrt(3) / period
                waves = np.concatenate([np.ones((n**2, 1)), np.cos(phase), np.sin(phase)], axis=1)
                gram = waves.T @ (weight[:, None] * waves) + 1e-4 * np.eye(7)
                basis.append(waves)
                solution.append(np.linalg.solve(gram, waves.T * weight))
        return cls(np.array(basis), np.array(solution), np.repeat(periods, DIRECTIONS), weight)

    def fitted(self, rates: np.ndarray) -> Fit:
        """The lattice that explains rates (unit, bin) best."""
        level = (rates @ self.weight)[:, None]
        about = rates - level
        pulled = np.einsum("lcb,ub->luc", self.solution, about, optimize=True)
        target = np.einsum("lbc,ub->luc", self.basis, about * self.weight, optimize=True)
        best = (pulled * target).sum(axis=2).argmax(axis=0)
        chosen = pulled[best, np.arange(len(rates))]
        amplitude = np.hypot(chosen[:, 1:4], chosen[:, 4:7])
        weakest = amplitude.min(axis=1) / np.maximum(amplitude.max(axis=1), 1e-12)
        shape = np.einsum("ubc,uc->ub", self.basis[best], chosen)
        return Fit(level + shape, self.period[best], weakest)
