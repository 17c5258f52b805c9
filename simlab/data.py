"""The closed vocabulary of dims and variables; builders and checks of Activity and Recording.

Both are plain `xr.Dataset`s. Spikes are a flat table over `spike`, sorted by trial, then time: `spike_trial`
(index), `spike_time` [s from trial onset] and `spike_neuron` (Activity) or `spike_unit` (Recording).
`neuron` stands only before the instrument and `unit` only after it, so a leak shows in the dims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.session import Session

DIMS = (
    "trial", "time", "neuron", "unit", "channel", "frame", "spike", "pre", "post", "factor", "feature", "condition",
)  # fmt: skip

ACTIVITY: Mapping[str, tuple[str, ...]] = {
    "spike_trial": ("spike",),
    "spike_time": ("spike",),  # s
    "spike_neuron": ("spike",),
    "rate": ("trial", "time", "neuron"),  # Hz, or dimensionless where the circuit says so
    "stimulus": ("trial", "time", "feature"),
    "behaviour": ("trial", "time", "factor"),
    "condition": ("trial",),
}
"""Variables of an Activity and their dims. Coordinates: trial, time [s], neuron."""

RECORDING: Mapping[str, tuple[str, ...]] = {
    "spike_trial": ("spike",),
    "spike_time": ("spike",),  # s
    "spike_unit": ("spike",),
    "rate": ("trial", "time", "unit"),  # Hz
    "fluorescence": ("trial", "frame", "unit"),  # dF/F
    "frame_time": ("frame",),  # s from trial onset
    "stimulus": ("trial", "time", "feature"),
    "behaviour": ("trial", "time", "factor"),
    "condition": ("trial",),
    "unit_x": ("unit",),  # m
    "unit_y": ("unit",),  # m
    "unit_z": ("unit",),  # m
}
"""Variables of a Recording and their dims: the whitelist of what a method may see."""

RECORDING_ATTRS = ("duration", "candidates")
"""Attributes that survive: each trial's length [s], and the answers that a closed question offers."""

UNITS = {
    "spike_time": "s", "time": "s", "frame_time": "s", "rate": "Hz",
    "unit_x": "m", "unit_y": "m", "unit_z": "m", "fluorescence": "dF/F",
}  # fmt: skip

DTYPES = {"spike_trial": np.int32, "spike_neuron": np.int32, "spike_unit": np.int32, "condition": np.int32}


def _dataset(
    vocabulary: Mapping[str, tuple[str, ...]],
    variables: Mapping[str, Any],
    coords: Mapping[str, Any],
    duration: float,
) -> xr.Dataset:
    data = {}
    for name, values in variables.items():
        if values is None:
            continue
        if name not in vocabulary:
            raise SimlabError(f"no variable {name!r} in the vocabulary; it holds {', '.join(vocabulary)}")
        array = np.asarray(values, dtype=DTYPES.get(name))
        if array.ndim != len(vocabulary[name]):
            raise SimlabError(f"{name} must have dims {vocabulary[name]}, got an array of shape {array.shape}")
        data[name] = (vocabulary[name], array, {"units": UNITS[name]} if name in UNITS else {})
    return xr.Dataset(data, dict(coords), {"duration": float(duration)})


def _sorted_spikes(trial: np.ndarray, time: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    trial, time, cell = (np.asarray(a) for a in (trial, time, cell))
    if not trial.shape == time.shape == cell.shape or trial.ndim != 1:
        raise SimlabError(
            f"a spike table needs three columns of one length, got shapes {trial.shape}, {time.shape}, {cell.shape}"
        )
    if _in_order(trial, time, cell):
        return trial, time.astype(float), cell
    order = np.lexsort((cell, time, trial))
    return trial[order], time[order].astype(float), cell[order]


def _in_order(trial: np.ndarray, time: np.ndarray, cell: np.ndarray) -> bool:
    """Whether spikes already stand by trial, time and cell: cheaper to see than to sort."""
    later = np.diff(trial) > 0
    same = np.diff(trial) == 0
    step = np.diff(time)
    return bool((later | (same & ((step > 0) | ((step == 0) & (np.diff(cell) >= 0))))).all())


def activity(
    session: Session,
    n_neurons: int,
    *,
    spikes: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    rate: np.ndarray | None = None,
    time: np.ndarray | None = None,
    behaviour: np.ndarray | None = None,
) -> xr.Dataset:
    """An Activity from (trial, time [s], neuron) spike columns in any order and/or `rate` (trial, time, neuron).

    `time` [s] labels the samples of rate and behaviour. The session's stimulus is resampled onto `time` when that
    is given, and keeps its own steps otherwise. Raises SimlabError where the parts do not fit one another.
    """
    variables: dict[str, Any] = {"rate": rate, "behaviour": behaviour, "condition": session.conditions}
    coords: dict[str, Any] = {"trial": np.arange(session.trials), "neuron": np.arange(n_neurons)}
    if spikes is not None:
        trial, when, neuron = _sorted_spikes(*spikes)
        variables.update(spike_trial=trial, spike_time=when, spike_neuron=neuron)
    if session.stimulus is not None:
        values, interval = session.stimulus.values, session.stimulus.interval
        if time is None:
            time = np.arange(values.shape[1]) * interval
        step = np.minimum((np.asarray(time) / interval + 1e-9).astype(int), values.shape[1] - 1)
        variables["stimulus"] = values[:, step]
        coords["feature"] = list(session.stimulus.features)
    if time is not None:
        coords["time"] = ("time", np.asarray(time, dtype=float), {"units": "s"})
    result = _dataset(ACTIVITY, variables, coords, session.duration)
    check_activity(result)
    return result


def recording(
    *,
    duration: float,
    n_units: int,
    n_trials: int,
    spikes: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    like: xr.Dataset | None = None,
    time: np.ndarray | None = None,
    **variables: Any,
) -> xr.Dataset:
    """A Recording from (trial, time [s], unit) spike columns and/or named variables of the vocabulary.

    `like`: an Activity whose stimulus, behaviour, condition and time are passed on, as the experimenter knows them.
    """
    coords: dict[str, Any] = {"trial": np.arange(n_trials), "unit": np.arange(n_units)}
    if spikes is not None:
        trial, when, unit = _sorted_spikes(*spikes)
        variables.update(spike_trial=trial, spike_time=when, spike_unit=unit)
    if like is not None:
        for name in ("stimulus", "behaviour", "condition"):
            if name in like:
                variables.setdefault(name, like[name].values)
        if "feature" in like.coords:
            coords["feature"] = like["feature"].values
        if time is None and "time" in like.coords:
            time = like["time"].values
    if time is not None:
        coords["time"] = ("time", np.asarray(time, dtype=float), {"units": "s"})
    result = _dataset(RECORDING, variables, coords, duration)
    check_recording(result)
    return result


def from_arrays(
    times: np.ndarray, ids: np.ndarray, *, duration: float | None = None, trials: np.ndarray | None = None
) -> xr.Dataset:
    """A Recording of anybody's spikes: `times` (spike,) [s], `ids` (spike,) any labels, `trials` (spike,) indices.

    Units are numbered in the sorted order of their ids. duration [s] defaults to just past the last spike.
    """
    times = np.asarray(times, dtype=float)
    if times.size == 0:
        raise SimlabError("a recording needs at least one spike, got none")
    if duration is not None and not 0 < duration < np.inf:
        raise SimlabError(f"a recording's duration must be finite and > 0 s, got {duration}")
    if trials is not None and not np.array_equal(np.asarray(trials), np.asarray(trials, dtype=int)):
        raise SimlabError("trials must be whole numbers counted from 0, one per spike")
    labels, unit = np.unique(np.asarray(ids), return_inverse=True)
    trial = np.zeros(len(times), dtype=int) if trials is None else np.asarray(trials, dtype=int)
    if duration is None:
        finite = times[np.isfinite(times)]
        duration = float(np.nextafter(finite.max(initial=0.0), np.inf)) or 1.0
    return recording(
        duration=duration,
        n_units=len(labels),
        n_trials=int(trial.max(initial=0)) + 1,
        spikes=(trial, times, unit),
    )


def _check(dataset: xr.Dataset, what: str, vocabulary: Mapping[str, tuple[str, ...]], cell: str) -> None:
    if not isinstance(dataset, xr.Dataset):
        raise SimlabError(f"{what} must be an xarray.Dataset, got {type(dataset).__name__}")
    if strangers := set(dataset.sizes) - set(DIMS):
        raise SimlabError(f"{what} has dims {sorted(map(str, strangers))} outside the vocabulary {DIMS}")
    for name, variable in dataset.data_vars.items():
        if vocabulary.get(str(name)) != variable.dims:
            raise SimlabError(
                f"{what} variable {name!r} has dims {variable.dims}; the vocabulary is {dict(vocabulary)}"
            )
        if variable.dtype.kind not in "ifub":
            raise SimlabError(f"{what} variable {name!r} must hold numbers, got dtype {variable.dtype}")
    if "duration" not in dataset.attrs:
        raise SimlabError(f"{what} needs attrs['duration'], the length of each trial in seconds")
    if f"spike_{cell}" in dataset:
        _check_spikes(dataset, what, cell)


def _check_spikes(dataset: xr.Dataset, what: str, cell: str) -> None:
    times, duration = dataset["spike_time"].values, dataset.attrs["duration"]
    if not np.isfinite(times).all():
        raise SimlabError(
            f"spike times must be finite, got {int((~np.isfinite(times)).sum())} that are not: drop them first"
        )
    if times.size and (times.min() < 0 or times.max() > duration + 1e-9):
        raise SimlabError(
            f"spike times must lie in 0..{duration} s of their trial, got {times.min()}..{times.max()}: "
            "subtract each trial's onset, or give the right duration"
        )
    for column, dim in ((f"spike_{cell}", cell), ("spike_trial", "trial")):
        values = dataset[column].values
        if values.size and (values.min() < 0 or values.max() >= dataset.sizes[dim]):
            raise SimlabError(
                f"{what} {column} must index the {dataset.sizes[dim]} {dim}s, got {values.min()}..{values.max()}"
            )


def check_activity(dataset: xr.Dataset) -> None:
    """Raises SimlabError, naming rule and value, unless this is an Activity."""
    _check(dataset, "an activity", ACTIVITY, "neuron")


def check_recording(dataset: xr.Dataset) -> None:
    """Raises SimlabError, naming rule and value, unless this is a Recording."""
    _check(dataset, "a recording", RECORDING, "unit")


def is_spiking(dataset: xr.Dataset) -> bool:
    """Whether spikes were seen, not only rates or fluorescence."""
    return "spike_time" in dataset


def cell_dim(dataset: xr.Dataset) -> str:
    """`neuron` for an Activity, `unit` for a Recording."""
    return "neuron" if "neuron" in dataset.sizes else "unit"


def bin_spikes(dataset: xr.Dataset, width: float) -> xr.DataArray:
    """Spike counts (trial, time, unit or neuron) in bins of `width` [s]; `time` labels the bins' left edges.

    A last bin that the trial does not fill is left out.
    """
    if not is_spiking(dataset):
        raise SimlabError("binning needs spikes; this dataset has none")
    duration = dataset.attrs["duration"]
    n_bins = int(duration / width + 1e-6) if width > 0 else 0
    if n_bins < 1:
        raise SimlabError(f"the bin width must be > 0 and at most the trial's {duration} s, got {width}")
    cell = cell_dim(dataset)
    shape = (dataset.sizes["trial"], n_bins, dataset.sizes[cell])
    step = np.floor(dataset["spike_time"].values / width + 1e-9).astype(np.int64)
    inside = step < n_bins
    flat = np.ravel_multi_index(
        (dataset["spike_trial"].values[inside], step[inside], dataset[f"spike_{cell}"].values[inside]), shape
    )
    counts = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
    coords = {"trial": dataset["trial"].values, "time": np.arange(n_bins) * width, cell: dataset[cell].values}
    return xr.DataArray(counts.astype(np.int32), coords, ("trial", "time", cell), "count")


def signals(dataset: xr.Dataset, width: float) -> xr.DataArray:
    """Whatever was measured as (trial, time, unit): counts in bins of `width` [s], else fluorescence, else rate.

    Fluorescence and rate keep their own sampling; `time` holds it either way [s].
    """
    if is_spiking(dataset):
        return bin_spikes(dataset, width)
    if "fluorescence" in dataset:
        trace = dataset["fluorescence"].rename(frame="time")
        return trace.assign_coords(time=dataset["frame_time"].values)
    return dataset["rate"]


def mean_rates(dataset: xr.Dataset) -> np.ndarray:
    """Mean firing rate [Hz] of each unit or neuron (cell,), over all trials."""
    cell = cell_dim(dataset)
    counts = np.bincount(dataset[f"spike_{cell}"].values, minlength=dataset.sizes[cell])
    return counts / (dataset.sizes["trial"] * dataset.attrs["duration"])


def spike_trains(dataset: xr.Dataset) -> list[np.ndarray]:
    """One array of sorted times per cell, trials laid end to end on one time axis [s]."""
    cell = cell_dim(dataset)
    times = dataset["spike_time"].values + dataset["spike_trial"].values * dataset.attrs["duration"]
    cells = dataset[f"spike_{cell}"].values
    order = np.lexsort((times, cells))
    edges = np.searchsorted(cells[order], np.arange(1, dataset.sizes[cell]))
    return np.split(times[order], edges)


def bare(dataset: xr.Dataset, order: Sequence[int] | np.ndarray | None = None) -> xr.Dataset:
    """A Recording rebuilt from whitelisted arrays alone, its units renumbered so that new unit i was `order[i]`.

    Nothing else passes: no attrs, encodings, names, coordinates or shared memory that could carry the truth.
    """
    n_units = dataset.sizes["unit"]
    order = np.arange(n_units) if order is None else np.asarray(order)
    variables: dict[str, Any] = {}
    for name, dims in RECORDING.items():
        if name not in dataset or name.startswith("spike_"):
            continue
        values = np.array(dataset[name].values)
        variables[name] = np.take(values, order, axis=dims.index("unit")) if "unit" in dims else values
    spikes = None
    if is_spiking(dataset):
        rank = np.empty(n_units, dtype=np.int32)
        rank[order] = np.arange(n_units)
        spikes = (
            np.array(dataset["spike_trial"].values),
            np.array(dataset["spike_time"].values),
            rank[dataset["spike_unit"].values],
        )
    result = recording(
        duration=dataset.attrs["duration"],
        n_units=n_units,
        n_trials=dataset.sizes["trial"],
        spikes=spikes,
        time=np.array(dataset["time"].values) if "time" in dataset.coords else None,
        **variables,
    )
    if "feature" in dataset.coords:
        result = result.assign_coords(feature=[str(f) for f in dataset["feature"].values])
    if "candidates" in dataset.attrs:
        result.attrs["candidates"] = tuple(str(c) for c in dataset.attrs["candidates"])
    return result


def anatomy(position: np.ndarray, cell_type: Sequence[str], region: Sequence[str] | str = "cortex") -> xr.Dataset:
    """What one may aim at: `position` (neuron, 3) [m], cell type and region of each neuron."""
    n_neurons = len(position)
    regions = [region] * n_neurons if isinstance(region, str) else list(region)
    return xr.Dataset(
        {axis: ("neuron", np.asarray(position)[:, i], {"units": "m"}) for i, axis in enumerate("xyz")}
        | {
            "cell_type": ("neuron", np.array(cell_type, dtype=object)),
            "region": ("neuron", np.array(regions, object)),
        },
        {"neuron": np.arange(n_neurons)},
    )
