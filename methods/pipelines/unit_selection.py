"""Unit selection: units that hardly fire are left out of the analysis, and put back into its answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from methods.pipelines._steps import Unusable, signal_of
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking, mean_rates
from simlab.rules import check_fields
from simlab.rules.quantities import Rate


@dataclass(frozen=True)
class UnitSelection:
    """Drops the units that fire less than `least_rate`, or, of a signal, those that never change.

    An answer must have one entry per recorded unit, so the dropped ones are put back: as 0 (no score, no sign), False
    (undecided), or as `absent` says. What is an array over units is told by its shape: every dim as long as the units
    that were kept, and no list of the brief that long. Numbers, texts and arrays over a list of the brief stay as
    they are. Anything else may or may not be about units, and is an abstention, unless `over_units` names the
    variables that are.
    """

    name: ClassVar[str] = "unit_selection"
    library: ClassVar[str] = "own"

    least_rate: Rate = 0.1
    """Mean rate [Hz] below which a unit is dropped."""
    over_units: tuple[str, ...] = ()
    """Variables of the answer whose dims are all units, whatever their shape suggests."""
    absent: tuple[tuple[str, Any], ...] = (("p", 1.0),)
    """Variables and what they say of a dropped unit; 0 or False where they are not named, and texts must be."""

    def __post_init__(self) -> None:
        check_fields(self)

    def before(self, needs: Needs) -> Needs:
        """What this step needs, if what follows has these needs."""
        return needs

    def apply(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """The recording of the kept units, renumbered in their order."""
        kept = self.kept(recording)
        if not kept.any():
            raise Unusable(f"none of {len(kept)} units fires at {self.least_rate:g} Hz or changes")
        place = np.flatnonzero(kept)
        chosen = recording.isel(unit=place).assign_coords(unit=np.arange(len(place)))
        if not is_spiking(recording):
            return chosen
        unit = recording["spike_unit"].values
        chosen = chosen.isel(spike=np.flatnonzero(kept[unit]))
        chosen["spike_unit"] = ("spike", (np.cumsum(kept) - 1)[chosen["spike_unit"].values].astype(np.int32))
        return chosen

    def kept(self, recording: xr.Dataset) -> np.ndarray:
        """Which units (unit,) stay."""
        if is_spiking(recording):
            rates = mean_rates(recording)
            return np.asarray((rates >= self.least_rate) & (rates > 0))
        values = signal_of(recording, self).values
        changes = np.nanmax(values, axis=(0, 1)) > np.nanmin(values, axis=(0, 1))
        return np.asarray(changes)

    def restore(self, finding: Finding, recording: xr.Dataset) -> Finding:
        """The finding with the units dropped from `recording`, which was given to `apply`, back in their places."""
        kept = self.kept(recording)
        if finding.abstained or kept.all():
            return finding
        brief = recording.attrs.get("brief", {})
        lists = {len(value) for value in brief.values() if isinstance(value, tuple | list | np.ndarray)}
        try:
            estimate = {name: self._expanded(name, value, kept, lists) for name, value in finding.estimate.items()}
        except Unusable as problem:
            return Finding.abstain(str(problem))
        notes = {**finding.notes, "units_kept": tuple(int(unit) for unit in np.flatnonzero(kept))}
        return replace(finding, estimate=estimate, notes=notes)

    def _expanded(self, name: str, value: Any, kept: np.ndarray, lists: set[int]) -> Any:
        array = np.asarray(value)
        n_kept = int(kept.sum())
        fits = array.ndim > 0 and all(length == n_kept for length in array.shape)
        if name not in self.over_units:
            if array.ndim == 0 or (not fits and set(array.shape) <= lists):
                return value
            fits = fits and n_kept not in lists
        if not fits:
            raise Unusable(
                f"{len(kept) - n_kept} units were left out, and {name} of shape {array.shape} cannot be told to be "
                f"about the {n_kept} others: name it in over_units if it is"
            )
        fill = dict(self.absent).get(name, None if array.dtype.kind not in "biuf" else array.dtype.type(0))
        if fill is None:
            raise Unusable(f"{name} has no value for a unit that was left out: give one in absent")
        kind = np.result_type(array.dtype, np.asarray(fill).dtype)
        whole = np.full((len(kept),) * array.ndim, fill, dtype=kind)
        whole[np.ix_(*[np.flatnonzero(kept)] * array.ndim)] = array
        return whole
