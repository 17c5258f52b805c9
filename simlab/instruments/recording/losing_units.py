"""Another instrument that loses its units one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Instrument
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.wrapped import Wrapped, spikes_of, with_spikes
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class LosingUnits:
    """Any instrument (`of`) each of whose units is lost at some trial of a session, for its rest.

        P(still there after k trials) = 2^(-k / half_life)

    As probes drift, cells die and regions of interest bleach; a unit that is lost is silent (its signal stays at the
    value that it had last). Every session finds all units again, as those that are lost are looked for.
    """

    name: ClassVar[str] = "losing_units"

    of: Instrument = field(default_factory=Perfect)
    half_life: Annotated[float, Within(1, 1e9)] = 200.0  # trials

    def __post_init__(self) -> None:
        check_fields(self)

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Wrapped:
        """That of the instrument inside."""
        return Wrapped(self.of.implant(anatomy, rng), self._spoil)

    def _spoil(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        last = np.floor(rng.exponential(self.half_life / np.log(2), recording.sizes["unit"]))
        if "spike_trial" in recording:
            trial, time, who = spikes_of(recording)
            kept = trial <= last[who]
            recording = with_spikes(recording, (trial[kept], time[kept], who[kept]))
        if "signal" in recording and "unit" in recording["signal"].dims:
            signal = recording["signal"].transpose("trial", "sample", "unit").copy(deep=True)
            for unit, gone in enumerate(last.tolist()):
                if gone + 1 < signal.sizes["trial"]:
                    signal.values[int(gone) + 1 :, :, unit] = signal.values[int(gone), -1, unit]
            recording = recording.assign(signal=signal)
        return recording
