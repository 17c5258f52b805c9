"""What instruments share that spoil the recordings of another one: the implant inside, and columns of spikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Implant
from simlab.data import is_spiking
from simlab.data.vocabulary import UNIT_DIMS

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]
Spoiled = Callable[[xr.Dataset, np.random.Generator], xr.Dataset]


@dataclass(frozen=True, eq=False)
class Inside:
    """An implant that is another one as long as nothing is overridden."""

    inner: Implant

    @property
    def key(self) -> xr.DataArray:
        """That of the implant inside."""
        return self.inner.key

    @property
    def units(self) -> xr.Dataset | None:
        """Where the units are, if the implant inside says so."""
        return getattr(self.inner, "units", None)

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """As the implant inside."""
        return self.inner.record(activity, rng)


@dataclass(frozen=True, eq=False)
class Wrapped(Inside):
    """An implant whose recordings go through `spoil` before anybody sees them."""

    spoil: Spoiled

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """What is left of the recording."""
        return self.spoil(self.inner.record(activity, rng), rng)

    def settled(self, activity: xr.Dataset) -> Wrapped:
        """Settled as the implant inside is, where that depends on the session."""
        return replace(self, inner=settled(self.inner, activity))


def settled(implant: Any, activity: xr.Dataset) -> Implant:
    """An implant as it is for this session, where that makes a difference."""
    return implant.settled(activity) if hasattr(implant, "settled") else implant


def spikes_of(recording: xr.Dataset) -> Columns:
    """Trial, time [s] and unit of every spike; none where the recording holds no spikes."""
    if not is_spiking(recording):
        return np.empty(0, int), np.empty(0), np.empty(0, int)
    trial, time, unit = (recording[name].values for name in ("spike_trial", "spike_time", "spike_unit"))
    return trial, time, unit


def with_spikes(recording: xr.Dataset, columns: Columns) -> xr.Dataset:
    """The same recording with other spikes, in order."""
    trial, time, unit = columns
    order = np.lexsort((unit, time, trial))
    rest = recording.drop_vars(["spike_trial", "spike_time", "spike_unit"])
    named = zip(("spike_trial", "spike_time", "spike_unit"), (trial, time, unit), strict=True)
    return rest.assign({name: ("spike", values[order], recording[name].attrs) for name, values in named})


def of_units(recording: xr.Dataset, chosen: np.ndarray) -> xr.Dataset:
    """The recording of some units (index,) alone, renumbered from 0."""
    if is_spiking(recording):
        rank = np.full(recording.sizes["unit"], -1)
        rank[chosen] = np.arange(len(chosen))
        trial, time, unit = spikes_of(recording)
        kept = rank[unit] >= 0
        recording = with_spikes(recording, (trial[kept], time[kept], rank[unit][kept].astype(unit.dtype)))
    along = {dim: chosen for dim in UNIT_DIMS if dim in recording.sizes}
    numbered = {dim: np.arange(len(chosen)) for dim in along if dim in recording.coords}
    return recording.isel(along).assign_coords(numbered)
