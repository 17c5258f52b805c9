"""The shape of the code from single cells' maps alone: grids make a torus, single fields a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.topology._rate_maps import Visits, autocorrelogram, grid_score, spatial_information
from simlab.contracts import Finding, Needs
from simlab.data import missing
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Share


@dataclass(frozen=True)
class GridScore:
    """Says torus if most units are grid cells, a sheet without holes if most have some other field.

    Each unit's map gets a grid score: autocorrelations 60 and 120 degrees on less those 30, 90 and 150 degrees on, in
    the annulus where that is largest (Sargolini et al. 2006; Langston et al. 2010), and spatial information in bits per
    spike (Skaggs et al. 1993). A unit counts if it exceeds, at `level`, those of maps whose spikes are rolled in time.
    Grid cells of one module tile a torus with their phases (Fuhs & Touretzky 2006): that they are of one module, and
    fire as their maps say at each moment, is taken for granted and not looked at.

    Abstains where no position was seen, or most units have no field of either kind.
    """

    name: ClassVar[str] = "grid_score"
    question: ClassVar[str] = "topology"
    family: ClassVar[str] = "tuning"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=5, seconds=60.0, stimulus=True, equal_trials=False)

    n_bins: Annotated[int, Within(8, 200)] = 30  # along an edge of the box; 3 cm if it is 1 m long
    smoothing: Annotated[float, Within(0, 20)] = 1.5  # bins, sd of the Gaussian kernel
    n_shuffles: Annotated[int, Within(1, 10_000)] = 2  # of each unit; those of all units are pooled
    level: Level = 0.05
    majority: Share = 0.5  # share of units that must be of a kind

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The Betti numbers; notes: median grid score and spatial information, and shares of units of either kind."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        visits = Visits.of(recording, self.n_bins, self.smoothing)
        if visits is None:
            return Finding.abstain("needs two coordinates of a place: the stimulus has fewer, or they were never seen")
        seen = self._measures(visits.maps(np.zeros(recording.sizes["unit"])))
        rolls = (rng.uniform(0.1, 0.9, recording.sizes["unit"]) for _ in range(self.n_shuffles))
        null = np.concatenate([self._measures(visits.maps(roll)) for roll in rolls])
        beyond = seen > np.quantile(null, 1 - self.level, axis=0)
        grids, fields = beyond.mean(axis=0)
        notes = {
            "grid_score": float(np.median(seen[:, 0])), "information": float(np.median(seen[:, 1])),
            "grid_share": float(grids), "field_share": float(fields),
        }  # fmt: skip
        if max(grids, fields) <= self.majority:
            return Finding.abstain(
                f"{grids:.0%} of the units are grid cells and {fields:.0%} have a field: no majority"
            )
        loops = 2 if grids > self.majority else 0
        return Finding({"b0": 1, "b1": loops, "b2": loops // 2}, confidence=float(max(grids, fields)), notes=notes)

    @staticmethod
    def _measures(maps: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """(unit, 2): grid score and spatial information of maps (unit, x, y), given the occupancy (x, y)."""
        rates, occupancy = maps
        return np.array([(grid_score(autocorrelogram(m)), spatial_information(m, occupancy)) for m in rates])
