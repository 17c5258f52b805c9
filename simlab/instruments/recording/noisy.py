"""Another instrument whose spikes are missed and invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Instrument
from simlab.data import durations, is_spiking
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.wrapped import Wrapped, spikes_of, with_spikes
from simlab.rules import check_fields
from simlab.rules.quantities import Rate, Share


@dataclass(frozen=True)
class Noisy:
    """Any instrument (`of`) that misses spikes at random and adds some that nobody fired, all units alike.

    missed: probability that a spike is lost (sorters miss 10 to 30% of the spikes of the units that they find; Magland
    et al. 2020, eLife 9:e55167). added: rate of false spikes [Hz], Poisson. Signals are left as they are. The key does
    not know: truth is asked of the neurons that units come from.
    """

    name: ClassVar[str] = "noisy"

    of: Instrument = field(default_factory=Perfect)
    missed: Share = 0.2
    added: Rate = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Wrapped:
        """That of the instrument inside."""
        return Wrapped(self.of.implant(anatomy, rng), self._spoil)

    def _spoil(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        if not is_spiking(recording):
            return recording
        trial, time, unit = spikes_of(recording)
        kept = rng.random(len(trial)) >= self.missed
        length, n_units = durations(recording), recording.sizes["unit"]
        counts = rng.poisson(self.added * length[:, None], (len(length), n_units))
        extra_trial, extra_unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
        extra = np.floor(rng.random(len(extra_trial)) * length[extra_trial] * 1e4) / 1e4
        columns = zip((trial[kept], time[kept], unit[kept]), (extra_trial, extra, extra_unit), strict=True)
        first, second, third = (np.concatenate(pair) for pair in columns)
        return with_spikes(recording, (first, second, third))
