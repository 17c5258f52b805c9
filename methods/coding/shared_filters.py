"""Which units share a receptive field, but for where it lies?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.coding._frames import NEEDS, Looked, folds, looked, places
from methods.coding.automatic_smoothness import most_probable
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share


@dataclass(frozen=True)
class SharedFilters:
    """Filters of units compared at every shift, and units put together whose filters are as alike as with themselves.

    Each unit's filter is estimated from either half of the recording (`automatic_smoothness`). The greatest cosine over
    shifts of one unit's filter with another's from the other half, over the geometric mean of what the two reach with
    themselves, is 1 up to chance where they share one: a correction for noise as of correlations (Spearman 1904). Units
    are joined by average linkage as far as `least_alike`; as convolutional models of the visual system assume, and as
    retinal types are found (Baden et al. 2016, Nature 529:345). Where there are more groups than a share `most_groups`
    of the units, filters are only as alike as chance has it: one group. Units without a filter are one group more.
    Frames must be pictures, whose features are named by row and column.
    """

    name: ClassVar[str] = "shared_filters"
    question: ClassVar[str] = "assemblies"
    family: ClassVar[str] = "comparison of filters"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = NEEDS

    least_alike: Share = 0.85
    most_groups: Share = 0.5  # half: pairs, on average
    least_sure: Annotated[float, Within(0, 1)] = 0.3  # cosine of a filter's two halves that counts as one

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The groups; abstains where frames are no pictures, or fewer than three units have filters."""
        found = looked(recording, self.needs)
        if isinstance(found, Finding):
            return found
        place = places(recording).astype(int)
        if place.shape[1] != 2:
            return Finding.abstain("needs pictures, whose features are named by row and column")
        half = folds(len(found.frames), 8) % 2
        parts = [Looked(found.frames[half == k], found.counts[half == k]) for k in (0, 1)]
        own, other = (pictures(most_probable(part, place.astype(float)).filters, place) for part in parts)
        sure = _alike(own, other, shifted=False).diagonal() > self.least_sure
        if sure.sum() < 3:
            return Finding.abstain(f"{sure.sum()} of {len(sure)} units have a filter: too few to compare")
        crossed = _alike(own[sure], other[sure])
        group = np.zeros(len(sure), dtype=int)
        group[~sure] = len(sure)
        group[sure] = self._joined((crossed + crossed.T) / 2)
        return Finding({"group": np.unique(group, return_inverse=True)[1]})

    def _joined(self, alike: np.ndarray) -> np.ndarray:
        """(unit,) groups, from 1, of units that are so alike (unit, unit); all 0 where there would be too many."""
        from scipy.cluster.hierarchy import fcluster, linkage
        from scipy.spatial.distance import squareform

        itself = np.sqrt(np.maximum(alike.diagonal(), 1e-9))
        apart = np.maximum(1 - alike / np.outer(itself, itself), 0.0)
        np.fill_diagonal(apart, 0.0)
        joined = fcluster(linkage(squareform(apart, checks=False), "average"), 1 - self.least_alike, "distance")
        return np.zeros(len(alike), dtype=int) if joined.max() > self.most_groups * len(joined) else joined


def pictures(filters: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(unit, row, column), of unit length."""
    low = place - place.min(axis=0)
    drawn = np.zeros((len(filters), *(low.max(axis=0) + 1)))
    drawn[:, low[:, 0], low[:, 1]] = filters
    length = np.sqrt((drawn**2).sum(axis=(1, 2), keepdims=True))
    return np.divide(drawn, length, out=np.zeros_like(drawn), where=length > 0)


def _alike(first: np.ndarray, second: np.ndarray, *, shifted: bool = True) -> np.ndarray:
    """(unit, unit): the cosine of each picture of one set with each of the other, the greatest over shifts."""
    if not shifted:
        return np.asarray(np.einsum("irc,jrc->ij", first, second))
    shape = tuple(2 * n for n in first.shape[1:])
    spectra = [np.fft.rfft2(part, shape) for part in (first, second)]
    products = [np.fft.irfft2(one * spectra[1].conj(), shape).max(axis=(1, 2)) for one in spectra[0]]
    return np.asarray(products)
