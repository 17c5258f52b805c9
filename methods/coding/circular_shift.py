"""Tuning against a null in which one series is turned in a circle against the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.coding._regression import NEEDS, against
from methods.coding._values import Seen
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Share


@dataclass(frozen=True)
class CircularShift:
    """|t| of a regression on all variables, ranked among those on the variables shifted in a circle by every lag.

    Shifts keep what is slow, and put a break where the session's end meets its start: with drifting signals they err
    less than permutations and still too often (Harris 2020, bioRxiv 2020.11.29.402719). Lags below `least` of the
    session, at which the variables still resemble themselves, are left out. Cost: a fit per lag.
    """

    name: ClassVar[str] = "circular_shift"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05
    least: Share = 0.05  # of the session's trials

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's variable."""
        return against(recording, self._shifted, self.level, rng)

    def _shifted(self, found: Seen, rng: np.random.Generator) -> np.ndarray | Finding:
        n = len(found.counts)
        first = max(round(self.least * n), 1)
        lags = np.arange(first, n - first + 1)
        if (len(lags) + 1) * self.level < 1:
            return Finding.abstain(f"{len(lags)} lags cannot reach the level {self.level}")
        return found.variables[(np.arange(n) - lags[:, None]) % n]
