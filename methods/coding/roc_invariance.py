"""Invariance as the area under an ROC curve, against random sets of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.coding._pictures import NEEDS, averaged, named, responses, viewed
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats


@dataclass(frozen=True)
class RocInvariance:
    """A unit is called by its best concept if responses tell the pictures of that one from all others.

    How well is the area under the ROC curve of the medians of pictures, which must be larger than those of all
    `n_surrogates` random sets of as many pictures (Quian Quiroga et al. 2005, Nature 435:1102: 99, so p < .01). Only
    units that respond to some picture, by the criterion of `five_sigma_response`, are asked, as there. The null takes
    pictures for exchangeable and the concept for chosen beforehand, and it is chosen as the best; nor does a large area
    exclude a second concept. Cost: sorting pictures, once for each unit.
    """

    name: ClassVar[str] = "roc_invariance"
    question: ClassVar[str] = "selectivity"
    family: ClassVar[str] = "signal detection"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = NEEDS

    n_surrogates: Repeats = 99
    n_sigma: Annotated[float, Within(0, 100)] = 5.0  # 0: whoever fires more for some picture than before
    least_spikes: Annotated[float, Within(0, 1000)] = 2.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's concept."""
        found = viewed(recording, self.needs)
        if isinstance(found, Finding):
            return found
        responded = responses(found, self.n_sigma, self.least_spikes)
        if isinstance(responded, Finding):
            return responded
        if np.bincount(found.concept).min() < 2:
            return Finding.abstain("one picture of a concept cannot show invariance: show two or more of each")
        median = found.medians()
        best = averaged(median, found.concept).argmax(axis=0)
        area, null = self._areas(median, found.concept[:, None] == best, rng)
        sure = responded.any(axis=0) & (area > null.max(axis=0))
        return Finding({"concept": named(best, sure, found.names)}, notes={"area": area.tolist()})

    def _areas(self, values: np.ndarray, mine: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(unit,) area of the pictures that are `mine` (picture, unit), and (surrogate, unit) of random sets."""
        from scipy.stats import rankdata

        rank, n = rankdata(values, axis=0), mine.sum(axis=0)
        others = len(values) - n

        def area(chosen: np.ndarray) -> np.ndarray:
            return np.asarray(((rank * chosen).sum(axis=0) - n * (n + 1) / 2) / np.maximum(n * others, 1))

        order = (rng.permutation(len(values)) for _ in range(self.n_surrogates))
        return area(mine), np.stack([area(mine[shuffled]) for shuffled in order])
