"""The model with most dimensions: what prediction is confused with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.models._candidates import NEEDS, beside, ranked, varying
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields


@dataclass(frozen=True)
class EffectiveDimensionality:
    """Models are ranked by the participation ratio of their own features; nothing that was recorded is looked at.

    (sum l)^2 / sum l^2 of the eigenvalues l of the features' covariance over what was shown. Networks of more
    dimensions foretell visual cortex better (Elmoznino & Bonner 2024, PLoS Comput Biol 20:e1011792), whatever their
    mechanism: a ranking by prediction that agrees with this one may be no more than it. Cost: a second.
    """

    name: ClassVar[str] = "effective_dimensionality"
    question: ClassVar[str] = "model_choice"
    family: ClassVar[str] = "dimension"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The participation ratio, for each candidate."""
        found = beside(recording, self.needs)
        return found if isinstance(found, Finding) else ranked(found, participation)


def participation(features: np.ndarray) -> float:
    """Of features (sample, feature); 0 of those that do not vary."""
    x = varying(features)
    x = x if x.shape[1] <= len(x) else x.T
    squares = float(np.square(x.T @ x).sum())
    return float(np.square(x).sum()) ** 2 / squares if squares > 0 else 0.0
