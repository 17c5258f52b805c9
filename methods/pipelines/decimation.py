"""Decimation: every n-th sample of a signal is kept, as by a slower amplifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.pipelines._steps import Unusable, signal_of, with_signal
from simlab.contracts import Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class Decimation:
    """A signal sampled `factor` times more slowly; what was between the samples is gone, and nothing is filtered.

    As in Stokes & Purdon (2017, PNAS 114:E7063), who show what it does to Granger causality. Without an anti-aliasing
    filter whatever is faster than half the new rate comes back as something slower.
    """

    name: ClassVar[str] = "decimation"
    library: ClassVar[str] = "own"

    factor: Annotated[int, Within(1, 100_000)] = 2
    """One sample in so many is kept."""

    def __post_init__(self) -> None:
        check_fields(self)

    def before(self, needs: Needs) -> Needs:
        """What this step needs, if what follows has these needs: signals stay what they are."""
        return needs

    def apply(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """The same signal (trial, sample, unit), sampled more slowly."""
        signal = signal_of(recording, self).transpose("trial", "time", "unit")
        if signal.sizes["time"] < 2 * self.factor:
            raise Unusable(f"{signal.sizes['time']} samples are too few to keep one in {self.factor}")
        kept = signal.isel(time=slice(None, None, self.factor))
        units = str(signal.attrs.get("units", ""))
        return with_signal(recording, kept.values, kept["time"].values, str(signal.attrs["modality"]), units)
