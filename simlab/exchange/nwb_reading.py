"""Reading NWB files: ours in full, anybody else's as far as a Recording goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import recording
from simlab.exchange.timeline import Timeline
from simlab.instruments.placement import UNIT_AXES

if TYPE_CHECKING:
    from pynwb import NWBFile


def read_nwb(path: Path | str) -> xr.Dataset:
    """A Recording of an NWB file: one of ours in full, of anybody else's the units or dF/F, and the trials.

    Trials of one length stay trials; without any, or where lengths differ, the session is one trial from time 0.
    Events outside trials are left out. Raises SimlabError if the file has neither units nor dF/F.
    """
    if not Path(path).is_file():
        raise SimlabError(f"there is no file {path}: give the path of an NWB file")
    from pynwb import NWBHDF5IO

    with NWBHDF5IO(str(path), mode="r", load_namespaces=True) as io:
        return _recording(io.read(), Path(path))


def _recording(file: NWBFile, path: Path) -> xr.Dataset:
    roi_series = _roi_series(file)
    series = _series(file)
    spiking = file.units is not None and "spike_times" in file.units.colnames
    if not spiking and roi_series is None and "rate" not in series:
        raise SimlabError(f"{path} holds no units, no dF/F and no firing rates: there is nothing to analyse in it")
    line, conditions = _trials(file, roi_series)
    variables: dict[str, Any] = {} if conditions is None else {"condition": conditions}
    spikes, n_units = None, 0
    if spiking:
        spikes, n_units = _spikes(file.units, line), len(file.units)
        variables |= _columns(file.units)
    elif "ecephys" in file.processing and "unit_positions" in file.processing["ecephys"].data_interfaces:
        variables |= _columns(file.processing["ecephys"]["unit_positions"])
    if roi_series is not None:
        variables["fluorescence"], variables["frame_time"] = _folded(roi_series, line)
        n_units = roi_series.data.shape[1]
        variables |= _columns(roi_series.rois.table)
    time = None
    for name, (values, clock) in _folded_series(series, line).items():
        variables[name], time = values, clock
        n_units = values.shape[2] if name == "rate" else n_units
    result = recording(
        duration=line.duration, n_units=n_units, n_trials=len(line.onset), spikes=spikes, time=time, **variables
    )
    features = [re.sub(r"^stimulus_\d+_", "", name) for name in series if name.startswith("stimulus_")]
    return result.assign_coords(feature=features) if features else result


def _trials(file: NWBFile, roi_series: Any) -> tuple[Timeline, np.ndarray | None]:
    """The file's trials and their conditions; one trial of everything where it has none of one length."""
    trials = file.trials
    if trials is not None and len(trials):
        onset = np.asarray(trials["start_time"][:])
        length = np.asarray(trials["stop_time"][:]) - onset
        if np.ptp(length) < 1e-6 and (np.diff(onset) > 0).all():
            conditions = np.asarray(trials["condition"][:]) if "condition" in trials.colnames else None
            numeric = conditions is not None and conditions.dtype.kind in "iub"
            return Timeline(onset, float(np.round(length.mean(), 9))), conditions if numeric else None
    last = 0.0
    if file.units is not None and "spike_times" in file.units.colnames and len(file.units.spike_times.data):
        last = float(np.max(file.units.spike_times.data[:]))
    if roi_series is not None:
        last = max(last, float(_times(roi_series)[-1]))
    return Timeline(np.zeros(1), float(np.nextafter(last, np.inf)) or 1.0), None


def _spikes(units: Any, line: Timeline) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    trains = [np.asarray(units["spike_times"][u], dtype=float) for u in range(len(units))]
    unit = np.repeat(np.arange(len(trains)), [len(t) for t in trains])
    trial, time, inside = line.to_trials(np.concatenate(trains))
    return trial[inside], time[inside], unit[inside]


def _columns(table: Any) -> Mapping[str, np.ndarray]:
    return {axis: np.asarray(table[axis][:], dtype=float) for axis in UNIT_AXES if axis in table.colnames}


def _roi_series(file: NWBFile) -> Any:
    """The first series of dF/F, else None."""
    from pynwb.ophys import DfOverF

    containers = [c for m in file.processing.values() for c in m.data_interfaces.values()]
    for container in containers:
        if isinstance(container, DfOverF):
            return next(iter(container.roi_response_series.values()))
    return None


def _series(file: NWBFile) -> dict[str, Any]:
    """Our series by name: `stimulus_<number>_<feature>` in order, `behaviour`, `rate`."""
    numbered = [name for name in file.stimulus if re.match(r"stimulus_\d+_", name)]
    found = {name: file.stimulus[name] for name in sorted(numbered, key=lambda n: int(n.split("_")[1]))}
    if "behavior" in file.processing and "BehavioralTimeSeries" in file.processing["behavior"].data_interfaces:
        held = file.processing["behavior"]["BehavioralTimeSeries"].time_series
        found |= {"behaviour": held["behaviour"]} if "behaviour" in held else {}
    if "ecephys" in file.processing and "rate" in file.processing["ecephys"].data_interfaces:
        found["rate"] = file.processing["ecephys"]["rate"]
    return found


def _folded_series(series: Mapping[str, Any], line: Timeline) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    folded = {name: _folded(one, line) for name, one in series.items()}
    features = [name for name in folded if name.startswith("stimulus_")]
    result: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    result |= {name: folded[name] for name in ("behaviour", "rate") if name in folded}
    if features:
        result["stimulus"] = (np.stack([folded[f][0] for f in features], axis=2), folded[features[0]][1])
    return result


def _folded(series: Any, line: Timeline) -> tuple[np.ndarray, np.ndarray]:
    """A series' samples as (trial, time, ...), and `time` [s]: those that lie in trials, as many in each."""
    times, values = _times(series), np.asarray(series.data[:])
    trial, _, inside = line.to_trials(times)
    counts = np.bincount(trial[inside], minlength=len(line.onset))
    shortest = counts.min()
    if shortest == 0:
        raise SimlabError(f"series {series.name!r} has no sample in some trials: give every trial its samples")
    rank = np.arange(inside.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = np.flatnonzero(inside)[rank < shortest]
    return line.fold(values[kept], times[kept])


def _times(series: Any) -> np.ndarray:
    if series.timestamps is not None:
        return np.asarray(series.timestamps[:], dtype=float)
    return series.starting_time + np.arange(len(series.data)) / series.rate
