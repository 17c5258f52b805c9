"""Receptive fields by a Poisson generalised linear model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from methods.coding._frames import NEEDS, folds, foretold, looked
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class PoissonFilter:
    """A linear-nonlinear-Poisson model with an exponential nonlinearity, by maximum penalised likelihood.

    The likelihood estimate of a filter (Paninski 2004, Network 15:243; Pillow et al. 2008), here scikit-learn's
    `PoissonRegressor` for each unit. Undoes correlations of the frames; its nonlinearity is not that of the cells of
    this lab. A unit has a filter if counts of a held-out quarter correlate with their prediction by more than `least_z`
    standard errors. Cost: a fit per unit, and one more for the held-out part: some 10 s for 24 units and 144 features.
    """

    name: ClassVar[str] = "poisson_filter"
    question: ClassVar[str] = "receptive_field"
    family: ClassVar[str] = "generalised linear model"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = NEEDS

    penalty: Annotated[float, Within(0, 100)] = 1e-3  # of the squared length, per frame
    least_z: Annotated[float, Within(0, 100)] = 3.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's filter, or zeros."""
        found = looked(recording, self.needs)
        if isinstance(found, Finding):
            return found
        held = folds(len(found.frames), 4) == 3
        filters, said = np.zeros((found.counts.shape[1], found.frames.shape[1])), np.zeros_like(found.counts)
        for unit, count in enumerate(found.counts.T):
            if count[~held].any() and count[held].any():
                said[:, unit] = self._fit(found.frames[~held], count[~held]).predict(found.frames)
                filters[unit] = self._fit(found.frames, count).coef_
        sure = foretold(found._replace(counts=found.counts[held]), said[held], self.least_z)
        return Finding({"filter": np.where(sure[:, None], filters, 0.0)})

    def _fit(self, frames: np.ndarray, count: np.ndarray) -> Any:
        from sklearn.linear_model import PoissonRegressor

        return PoissonRegressor(alpha=self.penalty, solver="newton-cholesky").fit(frames, count)
