"""The usual shortcut: whatever helps to predict the behaviour is its cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.intervention._predictors import PREDICTED, least_squares, samples
from methods.intervention._silencing import discoveries
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level


@dataclass(frozen=True)
class RegressionCauses:
    """Causes are the units with a significant slope in the regression of the behaviour on units, over all trials.

    jointly: on all units at once (ordinary least squares), so that a unit which follows a cause has no slope of its
    own; else on one at a time, a correlation. Decided at a false discovery rate `alpha`; importance is the slope times
    the unit's standard deviation. It finds the units without which the behaviour is predicted worse (its Markov
    blanket): causes, and effects, and causes of effects (Pearl 2009, Causality).
    """

    name: ClassVar[str] = "regression_causes"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = PREDICTED

    alpha: Level = 0.05
    jointly: bool = True

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give slopes and their p."""
        seen = samples(recording)
        if isinstance(seen, Finding):
            return seen
        if self.jointly:
            fitted = least_squares(seen.units, seen.behaviour)
            slope, p = fitted.slope, fitted.p
        else:
            each = [least_squares(column[:, None], seen.behaviour) for column in seen.units.T]
            slope, p = (np.array([getattr(one, name)[0] for one in each]) for name in ("slope", "p"))
        estimate = {"importance": seen.importance(slope), "decided": discoveries(p, self.alpha)}
        return Finding(estimate, notes={"slope": slope, "p": p})
