"""Tuning to the place by how much a map looks like a grid, or like a border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.topology._rate_maps import Visits, autocorrelogram, grid_score
from methods.tuning._moments import NEEDS, NONE, POSITION
from simlab.contracts import Finding, Needs
from simlab.data import missing
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level

Score = Literal["grid", "border"]

FIELD, SMALLEST = 0.3, 0.02
"""A field is where the rate exceeds this share of its maximum, over this share of the floor at least: 200 cm^2 of a box
of 1 m (Solstad et al. 2008, Science 322:1865)."""


@dataclass(frozen=True)
class MapScore:
    """Says position where a unit's map scores above those of spikes turned in time; knows nothing else.

    `grid`: the largest gridness over annuli of the map's autocorrelogram (Sargolini et al. 2006; Langston et al. 2010).
    `border`: (c - d) / (c + d), with c the largest share of a wall that one field covers and d the mean distance of
    the firing from the nearest wall, in halves of the box (Solstad et al. 2008). Surrogates of all units are pooled,
    and the threshold is their quantile at 1 - `level`, as these papers did. Any cell with a map of its own, a
    place cell as well, may exceed what shuffled, structureless maps score (Barry & Burgess 2017, bioRxiv 230250). Cost:
    a map and its autocorrelogram per unit and surrogate.
    """

    name: ClassVar[str] = "map_score"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "rate maps"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    score: Score = "grid"
    level: Level = 0.05
    n_surrogates: Annotated[int, Within(1, 10_000)] = 10  # of each unit; those of all units are pooled
    n_bins: Annotated[int, Within(8, 200)] = 30  # along an edge of the box
    smoothing: Annotated[float, Within(0, 20)] = 1.5  # bins, sd of the Gaussian kernel

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Which units' maps score; notes: the scores, and the threshold."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        if POSITION not in recording.attrs.get("brief", {}).get("variables", (POSITION,)):
            return Finding.abstain("the brief does not ask about the place")
        visits = Visits.of(recording, self.n_bins, self.smoothing)
        if visits is None:
            return Finding.abstain("needs two coordinates of a place: the stimulus has fewer, or they were never seen")
        n = recording.sizes["unit"]
        seen = self._scores(visits.maps(np.zeros(n))[0])
        null = [self._scores(visits.maps(rng.uniform(0.1, 0.9, n))[0]) for _ in range(self.n_surrogates)]
        threshold = float(np.quantile(np.concatenate(null), 1 - self.level))
        named = np.where(seen > threshold, POSITION, NONE).astype(object)
        return Finding({"variable": named}, notes={"score": seen.tolist(), "threshold": threshold})

    def _scores(self, maps: np.ndarray) -> np.ndarray:
        """(unit,) of maps (unit, x, y)."""
        if self.score == "border":
            return np.array([border_score(one) for one in maps])
        return np.array([grid_score(autocorrelogram(one)) for one in maps])


def border_score(rates: np.ndarray) -> float:
    """Of a square map (x, y), from -1 to 1; -1 where there is no field."""
    from scipy.ndimage import label

    fields, n = label(rates > FIELD * rates.max())
    large = [k for k in range(1, n + 1) if (fields == k).mean() >= SMALLEST]
    if not large or rates.max() <= 0:
        return -1.0
    walls = (fields[0], fields[-1], fields[:, 0], fields[:, -1])
    covered = max(float((wall == k).mean()) for wall in walls for k in large)
    side = (np.arange(len(rates)) + 0.5) / len(rates)
    near = 2 * np.minimum(side, 1 - side)
    distance = np.minimum(near[:, None], near)
    weight = np.where(np.isin(fields, large), rates, 0.0)
    far = float((weight * distance).sum() / weight.sum())
    return (covered - far) / (covered + far)
