"""Grid cells by how much a map's autocorrelogram looks like itself after a turn by 60 degrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.patterns._foraged import NEEDS, Bins, Foraged, Smoothing, Surrogates, answered, period
from methods.topology._rate_maps import autocorrelogram, grid_score
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level

Null = Literal["rolled", "blocks"]

BLOCKS = 4
"""Along an edge of the floor: squares of 25 cm in a box of 1 m, about as wide as a field."""


@dataclass(frozen=True)
class Gridness:
    """Calls a unit a grid cell whose grid score exceeds `least` and the quantile 1 - `level` of the null.

    Score: autocorrelations 60 and 120 degrees on less those 30, 90 and 150 degrees on, in the annulus where that is
    largest (Sargolini et al. 2006; Langston et al. 2010). Null: `rolled`, the maps of spikes turned in time against the
    path, pooled over units, as published; they have no fields, so that maps with any fields exceed them more often than
    `level` says (Barry & Burgess 2017, bioRxiv 230250). `blocks`: each unit's own map cut into 16 squares that are laid
    in another order and turned: its fields stay, and their lattice goes. Assumes that the pattern does not drift and
    that the box holds two periods or so. Period: the six nearest peaks of the autocorrelogram. Cost: one
    autocorrelogram per unit and surrogate.
    """

    name: ClassVar[str] = "gridness"
    question: ClassVar[str] = "spatial_pattern"
    family: ClassVar[str] = "rate maps"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    null: Null = "rolled"
    level: Level = 0.05
    least: Annotated[float, Within(-2, 2)] = 0.0
    n_surrogates: Surrogates = 10  # of each unit
    n_bins: Bins = 30  # along an edge of the box
    smoothing: Smoothing = 1.5  # bins, sd of the Gaussian kernel

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Which units are grid cells; notes: all scores, and the thresholds."""
        foraged = Foraged.of(recording, self.n_bins)
        if isinstance(foraged, Finding):
            return foraged
        heard = np.flatnonzero(foraged.heard)
        if not len(heard):
            return Finding.abstain("no unit has spikes enough for a map")
        maps = foraged.maps(self.smoothing)[heard]
        seen = np.array([_score(one) for one in maps])
        if self.null == "rolled":
            others = (foraged.rolled(rng).maps(self.smoothing)[heard] for _ in range(self.n_surrogates))
            pooled = np.concatenate([[_score(one) for one in other] for other in others])
            threshold = np.full(len(maps), np.quantile(pooled, 1 - self.level))
        else:
            own = [[_score(_shuffled(one, rng)) for _ in range(self.n_surrogates)] for one in maps]
            threshold = _quantiles(np.array(own), self.level)
        score, grid, periods = (
            np.full(foraged.n_units, -2.0),
            np.zeros(foraged.n_units, bool),
            np.zeros(foraged.n_units),
        )
        score[heard], grid[heard] = seen, seen > np.maximum(threshold, self.least)
        for k in np.flatnonzero(grid[heard]):
            periods[heard[k]] = period(maps[k], foraged.edge)
        return answered(grid, periods, score, threshold=threshold.tolist())


def _score(rates: np.ndarray) -> float:
    """Of a map (x, y); -2, less than any, of a flat one."""
    return grid_score(autocorrelogram(rates)) if np.ptp(rates) > 1e-9 else -2.0


def _quantiles(own: np.ndarray, level: float) -> np.ndarray:
    """(unit,) of each unit's surrogates (unit, surrogate), which are too few for a quantile: mean and spread of each,
    and how many spreads above its mean the pooled ones reach with probability `level`."""
    mean, spread = own.mean(axis=1), np.maximum(own.std(axis=1), 1e-6)
    standard = (own - mean[:, None]) / spread[:, None]
    return np.asarray(mean + np.quantile(standard, 1 - level) * spread)


def _shuffled(rates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A map (x, y) whose squares lie in another order, each turned by some right angles; its rim is left out."""
    size = len(rates) // BLOCKS
    cut = rates[: size * BLOCKS, : size * BLOCKS].reshape(BLOCKS, size, BLOCKS, size).swapaxes(1, 2)
    laid = cut.reshape(-1, size, size)[rng.permutation(BLOCKS**2)]
    turned = np.stack([np.rot90(block, k) for block, k in zip(laid, rng.integers(4, size=len(laid)), strict=True)])
    return turned.reshape(BLOCKS, BLOCKS, size, size).swapaxes(1, 2).reshape(size * BLOCKS, size * BLOCKS)
