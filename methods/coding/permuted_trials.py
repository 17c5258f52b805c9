"""Tuning against a null in which trials are permuted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.coding._regression import NEEDS, against
from methods.coding._values import Seen
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class PermutedTrials:
    """|t| of a regression on all variables, ranked among those on variables whose trials were put in random order.

    A permutation destroys the order of trials together with the tuning, so that whatever is slow in both is
    significant: up to all of drifting signals (Harris 2020, bioRxiv 2020.11.29.402719). Cost: a fit per permutation.
    """

    name: ClassVar[str] = "permuted_trials"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05
    n_surrogates: Repeats = 400

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's variable."""
        return against(recording, self._permuted, self.level, rng)

    def _permuted(self, found: Seen, rng: np.random.Generator) -> np.ndarray:
        order = np.argsort(rng.random((self.n_surrogates, len(found.counts))), axis=1)
        return found.variables[order]
