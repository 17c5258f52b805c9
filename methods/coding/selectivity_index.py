"""Selectivity as an index of the responses to all concepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import xarray as xr

from methods.coding._pictures import NEEDS, named, viewed
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Share

Index = Literal["lifetime sparseness", "depth of selectivity", "next best"]


@dataclass(frozen=True)
class SelectivityIndex:
    """A unit is called by its best concept if an index of its mean responses r_c to n concepts exceeds `threshold`.

        lifetime sparseness    (1 - (sum r / n)^2 / (sum r^2 / n)) / (1 - 1/n)   (Rolls & Tovee 1995, J Neurophysiol
                               73:713; in this form Vinje & Gallant 2000, Science 287:1273)
        depth of selectivity   (n - sum r / max r) / (n - 1)                     (Rainer & Miller 2000, Neuron 27:179)
        next best              (r_1 - r_2) / (r_1 + r_2) of the two largest

    All are 1 for a unit that responds to one concept. None knows how few spikes it is computed from: of a unit that
    fired once they are 1 too. With `above_baseline`, r is what exceeds the mean count before pictures. Population
    sparseness, the same over units for each concept, is noted. Cost: none.
    """

    name: ClassVar[str] = "selectivity_index"
    question: ClassVar[str] = "selectivity"
    family: ClassVar[str] = "selectivity index"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    index: Index = "lifetime sparseness"
    threshold: Share = 0.9
    above_baseline: bool = False

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's concept."""
        found = viewed(recording, self.needs)
        if isinstance(found, Finding):
            return found
        if self.above_baseline and not len(found.before):
            return Finding.abstain("without a pause before pictures there is no baseline to exceed")
        floor = found.before.mean(axis=0) if self.above_baseline else 0.0
        above = found.per_concept() - floor
        rate = np.where(above > 1e-9, above, 0.0)  # of means of counts that are alike, rounding leaves some 1e-17
        value = INDICES[self.index](rate)
        sure = (value > self.threshold) & (rate.max(axis=0) > 0)
        notes = {"index": value.tolist(), "population sparseness": lifetime(rate.T).tolist()}
        return Finding({"concept": named(rate.argmax(axis=0), sure, found.names)}, notes=notes)


def lifetime(rate: np.ndarray) -> np.ndarray:
    """(unit,) lifetime sparseness of rates (concept, unit); of their transpose, population sparseness."""
    n = len(rate)
    square = (rate**2).mean(axis=0)
    activity = np.divide(rate.mean(axis=0) ** 2, square, out=np.ones_like(square), where=square > 0)
    return np.asarray((1 - activity) / (1 - 1 / n)) if n > 1 else np.zeros(rate.shape[1])


def depth(rate: np.ndarray) -> np.ndarray:
    """(unit,) depth of selectivity."""
    n, most = len(rate), rate.max(axis=0)
    filled = np.divide(rate.sum(axis=0), most, out=np.full_like(most, n), where=most > 0)
    return np.asarray((n - filled) / (n - 1))


def next_best(rate: np.ndarray) -> np.ndarray:
    """(unit,) how far the largest is above the next."""
    second, first = np.sort(rate, axis=0)[-2:]
    return np.divide(first - second, first + second, out=np.zeros_like(first), where=first > 0)


INDICES = {"lifetime sparseness": lifetime, "depth of selectivity": depth, "next best": next_best}
