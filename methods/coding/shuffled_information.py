"""The information that units would hold were their trials shuffled: what separate recordings amount to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.coding._discrimination import NEEDS, seen, separate
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields


@dataclass(frozen=True)
class ShuffledInformation:
    """The sum of each unit's own information, bias removed: I of the population if units were independent.

    What shuffling each unit's trials of a stimulus gives on average (Kanitscheider et al. 2015), and what pooling units
    of many sessions takes for granted. It grows with every unit, whatever the population does: differential
    correlations are too small to be seen in a pair (Moreno-Bote et al. 2014, Nat Neurosci 17:1410). Cost: none.
    """

    name: ClassVar[str] = "shuffled_information"
    question: ClassVar[str] = "information"
    family: ClassVar[str] = "independent units"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The information; it states no limit, as independent units have none."""
        found = seen(recording, self.needs)
        if isinstance(found, Finding):
            return found
        return Finding({"information": float(separate(found).sum()) / found.step**2, "saturates": False})
