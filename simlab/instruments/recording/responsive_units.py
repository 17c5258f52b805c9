"""Another instrument of which only the units are kept that respond."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Instrument
from simlab.data import in_window
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.wrapped import Inside, of_units, settled
from simlab.rules import check_fields
from simlab.rules.quantities import Share

HALVES = 2


@dataclass(frozen=True)
class ResponsiveUnits:
    """Any instrument (`of`) whose units that respond least to the task are left out, as most papers leave them out.

    A unit's response is how far its activity in one half of the trial differs from the other's, in standard deviations
    over trials; the share `kept` with the largest is analysed. They are chosen on the very session that is analysed,
    which is what makes it a selection. At the rig of an active method, which chooses beforehand, all units are kept.
    """

    name: ClassVar[str] = "responsive_units"

    of: Instrument = field(default_factory=Perfect)
    kept: Share = 0.5

    def __post_init__(self) -> None:
        check_fields(self)

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Responding:
        """That of the instrument inside, all of its units."""
        return Responding(self.of.implant(anatomy, rng), self.kept, int(rng.integers(2**63)))


@dataclass(frozen=True, eq=False)
class Responding(Inside):
    """An implant before it is known who responds: it records all units."""

    kept: float
    seed: int

    def settled(self, activity: xr.Dataset) -> Kept:
        """The implant with the units that responded in this session."""
        inner = settled(self.inner, activity)
        seen = inner.record(activity, np.random.default_rng(self.seed))
        half = seen.attrs["duration"] / HALVES
        change = in_window(seen, half, half) - in_window(seen, 0.0, half)
        response = np.abs(change.mean(axis=0)) / np.maximum(change.std(axis=0), 1e-12)
        n_kept = max(1, round(self.kept * len(response)))
        return Kept(inner, np.sort(np.argsort(-response, kind="stable")[:n_kept]))


@dataclass(frozen=True, eq=False)
class Kept(Inside):
    """An implant of which some units are kept."""

    chosen: np.ndarray  # (unit,) of the units inside

    @property
    def key(self) -> xr.DataArray:
        """The rows of the units that are kept."""
        return super().key.isel(unit=self.chosen).assign_coords(unit=np.arange(len(self.chosen)))

    @property
    def units(self) -> xr.Dataset | None:
        """Where they are."""
        units = super().units
        return None if units is None else units.isel(unit=self.chosen)

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """The units that are kept."""
        return of_units(super().record(activity, rng), self.chosen)
