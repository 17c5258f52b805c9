"""Z-scoring: each unit's signal in units of its own deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.pipelines._steps import signal_of, with_signal
from simlab.contracts import Needs


@dataclass(frozen=True)
class ZScoring:
    """Each unit's signal less its mean, in standard deviations, over all trials; a constant one becomes zero."""

    name: ClassVar[str] = "z_scoring"
    library: ClassVar[str] = "own"

    def before(self, needs: Needs) -> Needs:
        """What this step needs, if what follows has these needs."""
        return needs

    def apply(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """The same signal (trial, sample, unit), without units of measurement."""
        signal = signal_of(recording, self)
        values = signal.values.astype(float)
        centred = values - np.nanmean(values, axis=(0, 1))
        deviation = np.nanstd(values, axis=(0, 1))
        # a constant signal's deviation is rounding, not variation
        live = deviation > 1e-12 * np.nanmax(np.abs(values), axis=(0, 1), initial=1e-300)
        scored = np.where(live, centred / np.where(live, deviation, 1.0), np.where(np.isnan(values), np.nan, 0.0))
        return with_signal(recording, scored, signal["time"].values, str(signal.attrs["modality"]))
