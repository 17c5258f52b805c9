"""Receptive fields as the average frame before a spike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.coding._frames import NEEDS, Looked, looked, shifts, triggered
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Repeats


@dataclass(frozen=True)
class SpikeTriggeredAverage:
    """Reverse correlation: the mean frame in which a unit fired (de Boer & Kuyper 1968; Chichilnisky 2001).

    Right, up to its length, for one filter and white frames (Bussgang); blind to a unit that fires alike to a frame and
    its negative; blurred by the frames' own correlations. A unit has a filter if its average is longer than all those
    after circular shifts of its spikes. Cost: a matrix product per shift.
    """

    name: ClassVar[str] = "spike_triggered_average"
    question: ClassVar[str] = "receptive_field"
    family: ClassVar[str] = "reverse correlation"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    n_shifts: Repeats = 40  # above all of 40: p < .025

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's filter, or zeros."""
        found = looked(recording, self.needs)
        if isinstance(found, Finding):
            return found
        average = triggered(found)
        return Finding({"filter": np.where(longer(found, average, self.n_shifts, rng)[:, None], average, 0.0)})


def longer(found: Looked, average: np.ndarray, n_shifts: int, rng: np.random.Generator) -> np.ndarray:
    """(unit,) bool: whether averages (unit, feature) are longer than all of so many after shifts."""
    size = np.linalg.norm(average, axis=1)
    most = np.zeros(len(size))
    for shift in shifts(n_shifts, len(found.frames), rng):
        turned = Looked(found.frames, np.roll(found.counts, shift, axis=0))
        most = np.maximum(most, np.linalg.norm(triggered(turned), axis=1))
    return np.asarray(size > most)
