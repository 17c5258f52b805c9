"""Linear Fisher information with its bias removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.coding._discrimination import NEEDS, TOO_FEW, distance, interval, seen, sums, unbiased
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level


@dataclass(frozen=True)
class CorrectedInformation:
    """The naive estimate less what few trials add to it.

    Right on average for Gaussian noise, and may fall below zero (Kanitscheider et al. 2015, PLoS Comput Biol
    11:e1004218). The interval is exact for such noise, by Hotelling's T^2, where the paper has an approximate variance.
    Needs some more trials than units; takes trials for independent. Cost: one eigendecomposition.
    """

    name: ClassVar[str] = "corrected_information"
    question: ClassVar[str] = "information"
    family: ClassVar[str] = "Fisher information"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05  # that the truth lies outside the interval

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The information and its interval; abstains where trials are too few for the correction."""
        found = seen(recording, self.needs)
        if isinstance(found, Finding):
            return found
        told = sums(found)
        square, units = distance(told)
        if told.freedom < found.activity.shape[1] + 2:
            return Finding.abstain(TOO_FEW.format(trials=len(found.larger), units=found.activity.shape[1]))
        low, high = interval(square, units, told.freedom, told.spread, self.level)
        estimate = unbiased(square, units, told.freedom, told.spread)
        per = found.step**2
        return Finding({"information": float(estimate) / per, "low": low / per, "high": high / per})
