"""The instrument of the ceiling: every neuron, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.data import continuous, is_spiking, recording
from simlab.instruments.placement import check_same_subject, make_key, positions, unit_table, unit_variables


@dataclass(frozen=True)
class Perfect:
    """Sees every neuron without error: unit i is neuron i. What a method reaches here is its ceiling."""

    name: ClassVar[str] = "perfect"

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Selection:
        """One unit per neuron."""
        return Selection.of(anatomy, np.arange(anatomy.sizes["neuron"]))


@dataclass(frozen=True, eq=False)
class Selection:
    """An implant that sees some neurons, each exactly: spikes, and rates as a signal where the circuit has them."""

    chosen: np.ndarray  # (unit,) the neuron that is each unit
    key: xr.DataArray  # (unit, neuron)
    units: xr.Dataset  # unit_x, unit_y, unit_z [m] over unit

    @classmethod
    def of(cls, anatomy: xr.Dataset, chosen: np.ndarray) -> Selection:
        """The implant whose unit i is neuron `chosen[i]` (unit,)."""
        share = np.zeros((len(chosen), anatomy.sizes["neuron"]))
        share[np.arange(len(chosen)), chosen] = 1.0
        return cls(chosen, make_key(share), unit_table(positions(anatomy)[chosen]))

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """The chosen neurons' spikes and rates, and what the experimenter knows of the trials."""
        check_same_subject(self.key, activity)
        return recording(
            duration=activity.attrs["duration"],
            n_units=len(self.chosen),
            n_trials=activity.sizes["trial"],
            spikes=self._spikes(activity) if is_spiking(activity) else None,
            like=activity,
            **(self._rate(activity) if "rate" in activity else {}),
            **unit_variables(self.units),
        )

    def _rate(self, activity: xr.Dataset) -> dict[str, Any]:
        rate = continuous(activity)
        return {
            "signal": rate.values[:, :, self.chosen],
            "modality": "rate",
            "signal_units": str(rate.attrs["units"]),
            "sample_time": rate["time"].values,
        }

    def _spikes(self, activity: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        unit_of = np.full(activity.sizes["neuron"], -1)
        unit_of[self.chosen] = np.arange(len(self.chosen))
        unit = unit_of[activity["spike_neuron"].values]
        seen = unit >= 0
        return activity["spike_trial"].values[seen], activity["spike_time"].values[seen], unit[seen]
