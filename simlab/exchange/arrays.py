"""Recordings as plain arrays: a dictionary that `np.savez`, MATLAB or any language can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import RECORDING, bare, from_arrays, from_json, recording, to_json
from simlab.data.vocabulary import LABELS
from simlab.exchange.foreign import refusing_damage

__all__ = ["from_arrays", "from_dict", "from_npz", "to_dict", "to_npz"]

SIZES = ("n_units", "n_trials", "duration")
TEXTS = ("conditions", "unread")
SIGNAL = ("modality", "signal_units", "signal_over")
OTHERS = {*SIZES, *LABELS, *TEXTS, *SIGNAL, "resolution", "brief", "time"}
COLUMNS = ("spike_trial", "spike_time", "spike_unit")


def to_dict(dataset: xr.Dataset) -> dict[str, np.ndarray]:
    """A Recording's variables by name, `time` [s], `n_units`, `n_trials`, `duration` [s], and names as text arrays.

    Spikes are the three columns `spike_trial`, `spike_time` [s from trial onset], `spike_unit`; indices from 0. A
    signal's `modality`, `signal_units` and `signal_over` (unit or channel) are texts, the `brief` a line of JSON.
    """
    dataset = bare(dataset, labels=True)
    arrays: dict[str, np.ndarray] = {str(name): v.values for name, v in dataset.data_vars.items()}
    if "time" in dataset.coords:
        arrays["time"] = dataset["time"].values
    arrays["n_units"] = np.array(dataset.sizes["unit"])
    arrays["n_trials"] = np.array(dataset.sizes["trial"])
    arrays["duration"] = np.array(dataset.attrs["duration"])
    if "signal" in dataset:
        said = dataset["signal"].attrs
        arrays |= zip(
            SIGNAL, map(np.array, (said["modality"], said["units"], str(dataset["signal"].dims[2]))), strict=True
        )
    arrays |= {name: dataset[name].values.astype(str) for name in LABELS if name in dataset.coords}
    arrays |= {name: np.array(dataset.attrs[name], dtype=str) for name in TEXTS if name in dataset.attrs}
    if "resolution" in dataset.attrs:
        arrays["resolution"] = np.array(dataset.attrs["resolution"])
    if "brief" in dataset.attrs:
        arrays["brief"] = np.array(json.dumps(to_json(dataset.attrs["brief"])))
    return arrays


def from_dict(arrays: Mapping[str, Any]) -> xr.Dataset:
    """The Recording that `to_dict` took apart, or one put together by hand; raises SimlabError where parts misfit."""
    with refusing_damage("the arrays", "a dictionary such as to_dict gives"):
        return _from_dict(arrays)


def _from_dict(arrays: Mapping[str, Any]) -> xr.Dataset:
    if missing := set(SIZES) - set(arrays):
        raise SimlabError(f"a recording needs {', '.join(SIZES)}, got no {', '.join(sorted(missing))}")
    if unknown := set(arrays) - {*RECORDING, *OTHERS}:
        raise SimlabError(f"a recording has no {', '.join(sorted(unknown))}; it may have: {', '.join(RECORDING)}")
    present = [c for c in COLUMNS if c in arrays]
    if present and len(present) < 3:
        raise SimlabError(f"spikes need the columns {', '.join(COLUMNS)}, got only {', '.join(present)}")
    result = recording(
        duration=np.asarray(arrays.get("trial_duration", arrays["duration"]), dtype=float),
        n_units=int(arrays["n_units"]),
        n_trials=int(arrays["n_trials"]),
        spikes=tuple(np.asarray(arrays[c]) for c in COLUMNS) if present else None,  # type: ignore[arg-type]
        time=arrays.get("time"),
        modality=str(arrays.get("modality", "")),
        signal_units=str(arrays.get("signal_units", "")),
        over=str(arrays.get("signal_over", "unit")),
        **{name: arrays[name] for name in RECORDING if name in arrays and name not in (*COLUMNS, "trial_duration")},
    )
    for name, dim in LABELS.items():
        if name in arrays:
            result = result.assign_coords({name: (dim, _texts(arrays[name]))})
    return result.assign_attrs(_attrs(arrays))


def _attrs(arrays: Mapping[str, Any]) -> dict[str, Any]:
    attrs: dict[str, Any] = {name: tuple(_texts(arrays[name])) for name in TEXTS if name in arrays}
    if "resolution" in arrays:
        attrs["resolution"] = float(arrays["resolution"])
    if "brief" in arrays:
        attrs["brief"] = from_json(json.loads(str(arrays["brief"])))
    return attrs


def _texts(values: Any) -> np.ndarray:
    return np.array([str(text) for text in np.atleast_1d(values)], dtype=object)


def to_npz(dataset: xr.Dataset, path: Path | str) -> None:
    """Writes a Recording as a compressed .npz file."""
    np.savez_compressed(path, **to_dict(dataset))  # type: ignore[arg-type]


def from_npz(path: Path | str) -> xr.Dataset:
    """Reads what `to_npz` wrote; never unpickles. Raises SimlabError where it is damaged or no such file."""
    if not Path(path).is_file():
        raise SimlabError(f"there is no file {path}: give the path of an .npz file")
    with refusing_damage(str(path), "an .npz file that simlab wrote"), np.load(path, allow_pickle=False) as file:
        return from_dict({name: file[name] for name in file.files})
