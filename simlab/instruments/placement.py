"""What instruments share: positions, keys, checks of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import is_spiking

UNIT_AXES = ("unit_x", "unit_y", "unit_z")


def require(rule: bool | np.bool_, message: str) -> None:
    """Raises SimlabError with this message, which names rule, value and fix, unless the rule holds."""
    if not rule:
        raise SimlabError(message)


def positions(anatomy: xr.Dataset) -> np.ndarray:
    """(neuron, 3) positions [m]."""
    return np.column_stack([anatomy[axis].values for axis in "xyz"]).astype(float)


def make_key(share: np.ndarray) -> xr.DataArray:
    """The (unit, neuron) key of an implant from the share of each unit's signal that comes from each neuron.

    What a row lacks to 1 is noise. Raises SimlabError where a share is < 0 or a row sums to more than 1.
    """
    share = np.asarray(share, dtype=float)
    total = share.sum(axis=1)
    require(
        bool(np.isfinite(share).all() and (share >= 0).all() and (total <= 1 + 1e-9).all()),
        f"a key needs shares >= 0 that sum to at most 1 per unit, got minimum {share.min(initial=0)} "
        f"and largest sum {total.max(initial=0)}: normalise each row",
    )
    coords = {"unit": np.arange(share.shape[0]), "neuron": np.arange(share.shape[1])}
    return xr.DataArray(share, coords, ("unit", "neuron"), "key", {"units": "1"})


def dominant_neurons(key: xr.DataArray) -> np.ndarray:
    """(unit,) the neuron that gives most of each unit's signal: whom a perturbation of it hits; -1 for none."""
    share = key.transpose("unit", "neuron").values
    if not share.size:
        return np.full(len(share), -1)
    return np.where(share.max(axis=1) > 0, share.argmax(axis=1), -1)


def dominant_groups(key: xr.DataArray, group: np.ndarray) -> np.ndarray:
    """(unit,) the group of neurons, by its number in `group` (neuron,), that gives most of each unit's signal; -1 for
    none. A voxel or an electrode hears all of a region: its one loudest neuron may well lie in the next one."""
    share = key.transpose("unit", "neuron").values
    together = share @ np.eye(int(group.max(initial=-1)) + 1)[group]
    if not together.size:
        return np.full(len(share), -1)
    return np.where(together.max(axis=1) > 0, together.argmax(axis=1), -1)


def weighted_by_rates(key: xr.DataArray, rates: np.ndarray) -> xr.DataArray:
    """The key (unit, neuron) at the neurons' true firing rates (neuron,) [Hz].

    A key of sorted spikes states shares s as if every neuron fired at `attrs["reference_rate"]` r0, with the rest,
    1 - sum s, noise events. At rates r a unit has s r / r0 spikes of a neuron for every (1 - sum s) of noise, over the
    sum of all of them. Keys without that attribute do not depend on rates and are returned unchanged; so would be one
    that was weighted already. Raises SimlabError unless there is one rate >= 0 per neuron.
    """
    if "reference_rate" not in key.attrs:
        return key
    rates = np.asarray(rates, dtype=float)
    require(
        rates.shape == (key.sizes["neuron"],) and bool(np.isfinite(rates).all() and (rates >= 0).all()),
        f"a key is weighted by one finite rate >= 0 Hz for each of its {key.sizes['neuron']} neurons, "
        f"got shape {rates.shape}: give simlab.data.mean_rates(activity)",
    )
    share = key.transpose("unit", "neuron")
    events = share.values * rates / key.attrs["reference_rate"]
    total = events.sum(axis=1) + np.maximum(1 - share.values.sum(axis=1), 0)
    weighted = np.divide(events, total[:, None], out=np.zeros_like(events), where=total[:, None] > 0)
    attrs = {name: value for name, value in key.attrs.items() if name != "reference_rate"}
    return xr.DataArray(weighted, share.coords, share.dims, key.name, attrs)


def unit_table(position: np.ndarray) -> xr.Dataset:
    """Where the experimenter believes each unit to be: unit_x, unit_y, unit_z [m] over unit."""
    return xr.Dataset({name: ("unit", position[:, i], {"units": "m"}) for i, name in enumerate(UNIT_AXES)})


def unit_variables(units: xr.Dataset) -> dict[str, Any]:
    """The columns of `unit_table`, for `simlab.data.recording`."""
    return {name: units[name].values for name in UNIT_AXES}


def check_same_subject(key: xr.DataArray, activity: xr.Dataset) -> None:
    """An implant records only the subject that it was placed in."""
    require(
        activity.sizes["neuron"] == key.sizes["neuron"],
        f"this implant was placed in a subject of {key.sizes['neuron']} neurons, got activity of "
        f"{activity.sizes['neuron']}: implant the instrument in that subject",
    )


def check_spikes(instrument: str, activity: xr.Dataset) -> None:
    """Raises SimlabError unless the activity holds spikes; `instrument` opens the message: "electrodes need"."""
    require(
        is_spiking(activity),
        f"{instrument} spikes, got an activity of rates alone: "
        "record a spiking circuit, or use the instruments perfect or subsample",
    )
