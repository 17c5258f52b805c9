"""Recordings to and from pynapple: trials end to end on one clock, as its functions expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import bare, check_recording, is_spiking, recording
from simlab.exchange.timeline import Timeline
from simlab.instruments.placement import UNIT_AXES

FRAMES = {"fluorescence": "frame", "rate": "time", "stimulus": "time", "behaviour": "time"}


def to_pynapple(dataset: xr.Dataset) -> dict[str, Any]:
    """`trials` (an IntervalSet), `units` (a TsGroup, where spikes were seen) and a TsdFrame for each other variable.

    Trials lie one second apart. Unit positions [m] are metadata of the units or of the fluorescence's columns,
    conditions of the trials; pynapple keeps times to the nanosecond.
    """
    import pynapple as nap

    check_recording(dataset)
    dataset = bare(dataset)
    line = Timeline.of(dataset)
    trials = nap.IntervalSet(start=line.onset, end=line.onset + line.duration)
    if "condition" in dataset:
        trials.set_info(condition=dataset["condition"].values)
    place = {axis: dataset[axis].values for axis in UNIT_AXES if axis in dataset}
    result: dict[str, Any] = {"trials": trials}
    if is_spiking(dataset):
        when = line.to_session(dataset["spike_trial"].values, dataset["spike_time"].values)
        unit = dataset["spike_unit"].values
        trains = {u: nap.Ts(np.sort(when[unit == u]), time_support=trials) for u in range(dataset.sizes["unit"])}
        result["units"] = nap.TsGroup(trains, time_support=trials)
        result["units"].set_info(**place)
    for name, dim in FRAMES.items():
        if name in dataset:
            times = line.samples(dataset["frame_time" if dim == "frame" else "time"].values)
            values = dataset[name].values
            columns = list(dataset["feature"].values) if name == "stimulus" and "feature" in dataset.coords else None
            frame = nap.TsdFrame(t=times, d=values.reshape(-1, values.shape[2]), columns=columns, time_support=trials)
            if name in ("fluorescence", "rate"):
                frame.set_info(**place)
            result[name] = frame
    return result


def from_pynapple(objects: Mapping[str, Any]) -> xr.Dataset:
    """A Recording of the objects that `to_pynapple` returns, by the same names; `trials` must be of one length.

    Spikes outside trials are left out. Raises SimlabError where the parts do not fit.
    """
    if "trials" not in objects:
        raise SimlabError(f"a recording needs trials (an IntervalSet), got only {', '.join(objects) or 'nothing'}")
    trials = objects["trials"]
    line = _timeline(trials)
    variables: dict[str, Any] = {}
    features = None
    if "condition" in trials.metadata_columns:
        variables["condition"] = np.asarray(trials["condition"])
    time = None
    for name, dim in FRAMES.items():
        if name in objects:
            variables[name], clock = line.fold(objects[name].values, objects[name].index.values)
            if dim == "frame":
                variables["frame_time"] = clock
            else:
                time = clock
            if name == "stimulus" and any(isinstance(c, str) for c in objects[name].columns):
                features = [str(c) for c in objects[name].columns]
    seen = objects.get("units", objects.get("fluorescence", objects.get("rate")))
    if seen is None:
        raise SimlabError(f"a recording needs units, fluorescence or rate, got only {', '.join(objects)}")
    n_units = len(seen) if "units" in objects else seen.shape[1]
    variables |= {axis: np.asarray(seen[axis]) for axis in UNIT_AXES if axis in seen.metadata_columns}
    result = recording(
        duration=line.duration,
        n_units=n_units,
        n_trials=len(line.onset),
        spikes=_spikes(objects["units"], line) if "units" in objects else None,
        time=time,
        **variables,
    )
    return result if features is None else result.assign_coords(feature=features)


def _timeline(trials: Any) -> Timeline:
    start, length = np.asarray(trials.start), np.asarray(trials.end) - np.asarray(trials.start)
    if np.ptp(length) > 1e-6:
        raise SimlabError(f"trials must have one length, got {length.min()} to {length.max()} s: cut them to the same")
    return Timeline(start, float(np.round(length.mean(), 9)))


def _spikes(units: Any, line: Timeline) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns trial, time [s], unit; units are numbered in the order of the group."""
    trains = [np.asarray(units[label].index.values) for label in units.keys()]  # noqa: SIM118
    unit = np.repeat(np.arange(len(trains)), [len(t) for t in trains])
    trial, time, inside = line.to_trials(np.concatenate(trains))
    return trial[inside], time[inside], unit[inside]
