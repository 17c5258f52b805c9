"""An implant as the method meets it: units in a random order, recordings stripped to their bare arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import bare
from simlab.lab.rig import known_of_units


class BlindImplant:
    """An implant whose units are renumbered at random; `key` is that of the renumbered units."""

    def __init__(self, implant: Any, rng: np.random.Generator) -> None:
        self._implant = implant
        self._order = rng.permutation(implant.key.sizes["unit"])
        self.key = implant.key.isel(unit=self._order).assign_coords(unit=np.arange(len(self._order)))

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """A Recording with nothing in it but the whitelisted arrays; the brief is put in by whoever hands it out."""
        recording = self._implant.record(activity, rng)
        if "neuron" in recording.sizes:
            raise SimlabError("a recording must not hold the dim `neuron`: name what the instrument saw by `unit`")
        return bare(recording, self._order, brief={})

    def known(self, anatomy: xr.Dataset) -> xr.Dataset:
        """Each unit's position [m] as the implant states it (`units`), else that of the neurons in its key."""
        stated = getattr(self._implant, "units", None)
        if stated is not None:
            places = {str(k): v.values for k, v in stated.isel(unit=self._order).data_vars.items()}
        else:
            weights = self.key.values / np.maximum(self.key.values.sum(1, keepdims=True), 1e-12)
            places = {f"unit_{axis}": weights @ anatomy[axis].values for axis in "xyz"}
        return known_of_units(len(self._order), places)
