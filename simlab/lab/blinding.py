"""An implant as the method meets it: units in a random order, recordings stripped to their bare arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import bare
from simlab.lab.regions import of_units
from simlab.lab.rig import known_of_units


class BlindImplant:
    """An implant whose units are renumbered at random; `key` is that of the renumbered units.

    anatomy: of the subject that it is in, and regions: the names of its regions by their codes. Where there are
    several, recordings say in which each unit lies.
    """

    def __init__(
        self,
        implant: Any,
        rng: np.random.Generator,
        anatomy: xr.Dataset | None = None,
        regions: tuple[str, ...] = (),
    ) -> None:
        self._implant = implant
        self._order = rng.permutation(implant.key.sizes["unit"])
        self.key = implant.key.isel(unit=self._order).assign_coords(unit=np.arange(len(self._order)))
        self._region = None if anatomy is None else of_units(anatomy, self.key, self._points(anatomy), regions)

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """A Recording with nothing in it but the whitelisted arrays; the brief is put in by whoever hands it out."""
        recording = self._implant.record(activity, rng)
        if "neuron" in recording.sizes:
            raise SimlabError("a recording must not hold the dim `neuron`: name what the instrument saw by `unit`")
        found = bare(recording, self._order, brief={})
        if self._region is not None:
            found["unit_region"] = ("unit", self._region.copy())
        elif "unit_region" in found:
            found = found.drop_vars("unit_region")
        return found

    def known(self, anatomy: xr.Dataset) -> xr.Dataset:
        """Each unit's position [m], and the number of its region where there are several."""
        region = {} if self._region is None else {"unit_region": self._region}
        return known_of_units(len(self._order), self._places(anatomy) | region)

    def _places(self, anatomy: xr.Dataset) -> dict[str, np.ndarray]:
        """Each unit's position [m] by axis as the implant states it (`units`), else that of the neurons in its key."""
        stated = getattr(self._implant, "units", None)
        if stated is not None:
            return {str(k): v.values for k, v in stated.isel(unit=self._order).data_vars.items() if k != "unit_region"}
        weights = self.key.values / np.maximum(self.key.values.sum(1, keepdims=True), 1e-12)
        return {f"unit_{axis}": weights @ anatomy[axis].values for axis in "xyz"}

    def _points(self, anatomy: xr.Dataset) -> np.ndarray:
        """(unit, 3) [m]; NaN along an axis that the implant does not state."""
        places = self._places(anatomy)
        nowhere = np.full(len(self._order), np.nan)
        return np.column_stack([places.get(f"unit_{axis}", nowhere) for axis in "xyz"])
