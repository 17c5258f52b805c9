"""Binning: spikes counted in bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.pipelines._steps import Unusable, accepting, with_signal
from simlab.contracts import Needs
from simlab.data import bin_spikes, durations, is_spiking
from simlab.rules import check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class Binning:
    """Spikes become a signal of modality `count`, sampled at the bins' centres; bins that pass a trial's end are NaN.

    Bins are no narrower than the recording's `resolution`: spikes known to a frame say nothing of a tenth of it.
    """

    name: ClassVar[str] = "binning"
    library: ClassVar[str] = "own"

    width: Width = 0.05
    """Of a bin [s]."""

    def __post_init__(self) -> None:
        check_fields(self)

    def before(self, needs: Needs) -> Needs:
        """What this step needs, if what follows has these needs."""
        return accepting(self, needs, {"spikes": "count"})

    def apply(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """The counts (trial, sample, unit)."""
        if not is_spiking(recording):
            raise Unusable("needs spikes to bin, and this recording has none")
        width = max(self.width, float(recording.attrs.get("resolution", 0.0)))
        longest = float(durations(recording).max())
        if width > longest * (1 + 1e-9):
            raise Unusable(f"trials of {longest:g} s hold no bin of {width:g} s")
        counts = bin_spikes(recording, width)
        return with_signal(recording, counts.values.astype(float), counts["time"].values + width / 2, "count")
