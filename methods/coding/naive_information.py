"""Linear Fisher information as the formula has it, with means and covariances as they were measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.coding._discrimination import NEEDS, TOO_FEW, distance, seen, sums
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields


@dataclass(frozen=True)
class NaiveInformation:
    """(m1 - m2)^T S^-1 (m1 - m2) / ds^2 of two stimuli, S pooled.

    Too large, the more so the fewer the trials: errors of the means look like signal, and S^-1 is larger than it should
    be. Of N units and T trials of either stimulus, it is expected to be (2T - 2) / (2T - N - 3) times the sum of the
    truth and 2N / (T ds^2) (Kanitscheider et al. 2015, PLoS Comput Biol 11:e1004218). Cost: one eigendecomposition.
    """

    name: ClassVar[str] = "naive_information"
    question: ClassVar[str] = "information"
    family: ClassVar[str] = "Fisher information"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The information; abstains where the covariance has no inverse."""
        found = seen(recording, self.needs)
        if isinstance(found, Finding):
            return found
        told = sums(found)
        square, units = distance(told)
        if told.freedom < found.activity.shape[1]:
            return Finding.abstain(TOO_FEW.format(trials=len(found.larger), units=found.activity.shape[1]))
        return Finding({"information": square / found.step**2}, notes={"units": units})
