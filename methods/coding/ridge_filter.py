"""Receptive fields by regularised regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.coding._frames import NEEDS, Looked, folds, foretold, looked
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields

PENALTIES = np.logspace(-4, 3, 15)
"""Of the mean variance of a feature times the number of frames."""


@dataclass(frozen=True)
class RidgeFilter:
    """Counts regressed on frames with a penalty on the filter's length, chosen for each unit by held-out frames.

    Undoes correlations of the frames, as far as the penalty lets it (Theunissen et al. 2001, Network 12:289). A unit
    has a filter if the counts of held-out frames correlate with their prediction by more than `least_z` standard
    errors. As linear as the average: blind to what is even. Cost: an eigendecomposition per fold.
    """

    name: ClassVar[str] = "ridge_filter"
    question: ClassVar[str] = "receptive_field"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    least_z: Annotated[float, Within(0, 100)] = 3.0
    n_folds: Annotated[int, Within(2, 20)] = 4

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's filter, or zeros."""
        found = looked(recording, self.needs)
        if isinstance(found, Finding):
            return found
        fold = folds(len(found.frames), self.n_folds)
        said = np.empty((len(PENALTIES), *found.counts.shape))
        for held in range(self.n_folds):
            rest = Looked(found.frames[fold != held], found.counts[fold != held])
            said[:, fold == held] = found.frames[fold == held] @ _fits(rest)
        errors = ((said - found.counts) ** 2).sum(axis=1)
        best = errors.argmin(axis=0)
        every = np.arange(found.counts.shape[1])
        sure = foretold(found, said[best, :, every].T, self.least_z)
        return Finding({"filter": np.where(sure, _fits(found)[best, :, every].T, 0.0).T})


def _fits(found: Looked) -> np.ndarray:
    """(penalty, feature, unit)."""
    x, y = found.frames, found.counts - found.counts.mean(axis=0)
    value, direction = np.linalg.eigh(x.T @ x)
    scale = PENALTIES * value.mean()
    along = direction.T @ (x.T @ y)
    return np.asarray(direction @ (along / (value[:, None] + scale[:, None, None])))
