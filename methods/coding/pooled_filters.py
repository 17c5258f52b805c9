"""Receptive fields of cells that share them: what one has of data, all have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.coding._frames import NEEDS, looked, places
from methods.coding.automatic_smoothness import AutomaticSmoothness
from methods.coding.shared_filters import SharedFilters, pictures
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields

ROUNDS = 2
"""Of shifting units' filters onto their mean."""


@dataclass(frozen=True)
class PooledFilters:
    """Each unit's filter is the mean of those of its kind, shifted to its place.

    Filters are those of `automatic_smoothness`, kinds those of `shared_filters`. The filters of a kind are shifted onto
    their mean, weighted by spikes, and the mean is shifted back; a pixel that no other unit's frame reaches is averaged
    over fewer. What weights tied over the visual field are to a network (Klindt et al. 2017, NIPS 30). A unit without a
    filter of its own is given none; where no units share one, all keep theirs. Where kinds are wrong, so are filters.
    """

    name: ClassVar[str] = "pooled_filters"
    question: ClassVar[str] = "receptive_field"
    family: ClassVar[str] = "comparison of filters"
    library: ClassVar[str] = "scipy, numpy"
    needs: ClassVar[Needs] = NEEDS

    estimate: AutomaticSmoothness = field(default_factory=AutomaticSmoothness)
    kinds: SharedFilters = field(default_factory=SharedFilters)

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's filter, or zeros."""
        own, kinds, found = self.estimate.analyse(recording, rng), self.kinds.analyse(recording, rng), looked(recording)
        if own.abstained or isinstance(found, Finding):
            return own
        filters = np.array(own.estimate["filter"])
        if kinds.abstained or len(np.unique(kinds.estimate["group"])) == 1:
            return Finding({"filter": filters})
        place = places(recording).astype(int)
        place -= place.min(axis=0)
        drawn, spikes = pictures(filters, place), found.counts.sum(axis=0)
        for kind in np.unique(kinds.estimate["group"]):
            units = np.flatnonzero((kinds.estimate["group"] == kind) & drawn.any(axis=(1, 2)))
            if len(units) > 1:
                filters[units] = pooled(drawn[units], spikes[units])[:, place[:, 0], place[:, 1]]
        return Finding({"filter": filters})


def pooled(drawn: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Pictures (unit, row, column) of unit length, each replaced by the weighted (unit,) mean of all, in its place."""
    _, rows, columns = drawn.shape
    sheet = np.zeros((len(drawn), 2 * rows, 2 * columns))
    sheet[:, :rows, :columns] = drawn
    seen = np.zeros(sheet.shape[1:])
    seen[:rows, :columns] = 1.0
    spectra, mean = np.fft.rfft2(sheet), sheet[weight.argmax()]
    shifts: list[tuple[int, int]] = []
    for _ in range(ROUNDS):
        alike = np.fft.irfft2(np.fft.rfft2(mean) * spectra.conj(), sheet.shape[1:])
        shifts = [_peak(picture) for picture in alike]
        each = list(zip(weight, sheet, shifts, strict=True))
        total = np.sum([w * np.roll(picture, by, (0, 1)) for w, picture, by in each], axis=0)
        of = np.sum([w * np.roll(seen, by, (0, 1)) for w, _, by in each], axis=0)
        mean = np.divide(total, of, out=np.zeros_like(total), where=of > 0)
    return np.stack([np.roll(mean, (-down, -right), (0, 1))[:rows, :columns] for down, right in shifts])


def _peak(alike: np.ndarray) -> tuple[int, int]:
    """(rows, columns) to shift by, where two pictures are most alike."""
    down, right = np.unravel_index(int(alike.argmax()), alike.shape)
    return int(down), int(right)
