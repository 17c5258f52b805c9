"""Recordings as plain arrays: a dictionary that `np.savez`, MATLAB or any language can hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import RECORDING, bare, from_arrays, recording

__all__ = ["from_arrays", "from_dict", "from_npz", "to_dict", "to_npz"]

SIZES = ("n_units", "n_trials", "duration")
NAMES = ("feature", "candidates")


def to_dict(dataset: xr.Dataset) -> dict[str, np.ndarray]:
    """A Recording's variables by name, `time` [s], `n_units`, `n_trials`, `duration` [s], and names as text arrays.

    Spikes are the three columns `spike_trial`, `spike_time` [s from trial onset], `spike_unit`; indices from 0.
    """
    dataset = bare(dataset)
    arrays: dict[str, np.ndarray] = {str(name): v.values for name, v in dataset.data_vars.items()}
    if "time" in dataset.coords:
        arrays["time"] = dataset["time"].values
    arrays["n_units"] = np.array(dataset.sizes["unit"])
    arrays["n_trials"] = np.array(dataset.sizes["trial"])
    arrays["duration"] = np.array(dataset.attrs["duration"])
    if "feature" in dataset.coords:
        arrays["feature"] = np.array([str(f) for f in dataset["feature"].values])
    if "candidates" in dataset.attrs:
        arrays["candidates"] = np.array(dataset.attrs["candidates"])
    return arrays


def from_dict(arrays: Mapping[str, Any]) -> xr.Dataset:
    """The Recording that `to_dict` took apart, or one put together by hand; raises SimlabError where parts misfit."""
    if missing := set(SIZES) - set(arrays):
        raise SimlabError(f"a recording needs {', '.join(SIZES)}, got no {', '.join(sorted(missing))}")
    if unknown := set(arrays) - {*RECORDING, *SIZES, *NAMES, "time"}:
        raise SimlabError(f"a recording has no {', '.join(sorted(unknown))}; it may have: {', '.join(RECORDING)}")
    columns = ("spike_trial", "spike_time", "spike_unit")
    present = [c for c in columns if c in arrays]
    if present and len(present) < 3:
        raise SimlabError(f"spikes need the columns {', '.join(columns)}, got only {', '.join(present)}")
    result = recording(
        duration=float(arrays["duration"]),
        n_units=int(arrays["n_units"]),
        n_trials=int(arrays["n_trials"]),
        spikes=tuple(np.asarray(arrays[c]) for c in columns) if present else None,  # type: ignore[arg-type]
        time=arrays.get("time"),
        **{name: arrays[name] for name in RECORDING if name in arrays and name not in columns},
    )
    if "feature" in arrays:
        result = result.assign_coords(feature=[str(f) for f in np.atleast_1d(arrays["feature"])])
    if "candidates" in arrays:
        result.attrs["candidates"] = tuple(str(c) for c in np.atleast_1d(arrays["candidates"]))
    return result


def to_npz(dataset: xr.Dataset, path: Path | str) -> None:
    """Writes a Recording as a compressed .npz file."""
    np.savez_compressed(path, **to_dict(dataset))  # type: ignore[arg-type]


def from_npz(path: Path | str) -> xr.Dataset:
    """Reads what `to_npz` wrote; never unpickles."""
    with np.load(path, allow_pickle=False) as file:
        return from_dict({name: file[name] for name in file.files})
