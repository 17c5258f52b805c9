"""A Recording's bare copy: whitelisted arrays and nothing else, as a blind method may have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data.building import recording
from simlab.data.reading import durations, is_spiking
from simlab.data.vocabulary import LABELS, RECORDING, UNIT_DIMS

SPIKES = ("spike_trial", "spike_time", "spike_unit")


def bare(
    dataset: xr.Dataset,
    order: Sequence[int] | np.ndarray | None = None,
    *,
    brief: Mapping[str, Any] | None = None,
    labels: bool = False,
) -> xr.Dataset:
    """A Recording rebuilt from whitelisted arrays alone, its units renumbered so that new unit i was `order[i]`.

    Nothing else passes: no attrs, encodings, names, coordinates or shared memory that could carry the truth.
    brief: what the question tells the method; by default the recording's own. labels: keep the labels of units and
    channels, for data of one's own.
    """
    n_units = dataset.sizes["unit"]
    order = np.arange(n_units) if order is None else np.asarray(order)
    variables: dict[str, Any] = {}
    for name, dims in RECORDING.items():
        if name in dataset and name not in (*SPIKES, "signal"):
            variables[name] = _reordered(np.array(dataset[name].values), dims, order)
    result = recording(
        duration=durations(dataset),
        n_units=n_units,
        n_trials=dataset.sizes["trial"],
        spikes=_spikes(dataset, order) if is_spiking(dataset) else None,
        time=np.array(dataset["time"].values) if "time" in dataset.coords else None,
        names=_names(dataset, order, labels),
        **_signal(dataset, order),
        **variables,
    )
    result.attrs.update(_attrs(dataset, brief))
    return result


def _reordered(values: np.ndarray, dims: tuple[str, ...], order: np.ndarray) -> np.ndarray:
    """The values with their units in this order, along every dim that units stand along."""
    for axis, dim in enumerate(dims):
        if dim in UNIT_DIMS:
            values = np.take(values, order, axis=axis)
    return values


def _spikes(dataset: xr.Dataset, order: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order))
    trial, time, unit = (np.array(dataset[name].values) for name in SPIKES)
    return trial, time, np.take(rank, unit)


def _signal(dataset: xr.Dataset, order: np.ndarray) -> dict[str, Any]:
    if "signal" not in dataset:
        return {}
    signal = dataset["signal"]
    over = str(signal.dims[2])
    values = np.take(signal.values, order, axis=2) if over == "unit" else np.array(signal.values)
    attrs = {"modality": str(signal.attrs["modality"]), "signal_units": str(signal.attrs.get("units", ""))}
    return {"signal": values, "over": over} | attrs


def _names(dataset: xr.Dataset, order: np.ndarray, labels: bool) -> dict[str, tuple[str, np.ndarray]]:
    told = {}
    for name, dim in LABELS.items():
        if name in dataset.coords and (labels or name == dim):
            names = np.array([str(label) for label in dataset[name].values], dtype=object)
            told[name] = (dim, names[order] if dim == "unit" else names)
    return told


def _attrs(dataset: xr.Dataset, brief: Mapping[str, Any] | None) -> dict[str, Any]:
    attrs: dict[str, Any] = {}
    told = dataset.attrs.get("brief") if brief is None else brief
    if told:
        attrs["brief"] = plain(told)
    if "resolution" in dataset.attrs:
        attrs["resolution"] = float(dataset.attrs["resolution"])
    for name in ("conditions", "unread"):
        if name in dataset.attrs:
            attrs[name] = tuple(str(text) for text in dataset.attrs[name])
    return attrs


def plain(value: Any) -> Any:
    """A copy made of nothing but numbers, text, tuples, dictionaries and bare arrays: no object that knows more.

    Raises SimlabError for anything else.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return np.array(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list | np.ndarray):
        return tuple(plain(item) for item in value)
    raise SimlabError(f"a brief must be made of numbers, text, tuples, arrays and dictionaries, got {value!r}")
