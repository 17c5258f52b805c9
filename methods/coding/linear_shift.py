"""Tuning against a null in which a window of one series slides along the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.coding._regression import NEEDS, named, t_values
from methods.coding._values import seen
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level


@dataclass(frozen=True)
class LinearShift:
    """|t| in the session's middle against those with the variables shifted by up to N trials either way.

    The middle is what is left when `margin` of the session is cut off at both ends, N trials each; shifted variables
    stay within the session. With m of the 2N + 1 shifts, the unshifted one included, at |t| as large as the unshifted
    one's, p <= m / (N + 1) if one of the two series is stationary (Harris 2020, bioRxiv 2020.11.29.402719). So it takes
    a large N and costs power. Cost: a fit per shift.
    """

    name: ClassVar[str] = "linear_shift"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05
    margin: Annotated[float, Within(0.01, 0.45)] = 0.25  # of the session's trials, at each end

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's variable; abstains where N is too small to reach the level."""
        found = seen(recording, self.needs)
        if isinstance(found, Finding):
            return found
        n = len(found.counts)
        most = int(self.margin * n)
        if (most + 1) * self.level < 1:
            return Finding.abstain(f"shifts of up to {most} trials cannot reach the level {self.level}")
        middle = np.arange(most, n - most)
        shifts = np.arange(-most, most + 1)
        size = np.abs(t_values(found.counts[middle], found.variables[middle + shifts[:, None]]))
        p = (size >= size[most] - 1e-12).sum(axis=0) / (most + 1)
        return Finding({"variable": named(p <= self.level, found.names)}, notes={"p": p.tolist()})
