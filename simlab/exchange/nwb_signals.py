"""What was measured, shown and done over time, read from an NWB file and folded into trials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.exchange.foreign import numbers
from simlab.exchange.nwb_tables import SIGNALS
from simlab.exchange.nwb_unread import Use
from simlab.exchange.timeline import Folded, Timeline, same_clock

if TYPE_CHECKING:
    from pynwb import NWBFile

OURS = re.compile(r"stimulus_(\d+)_(.*)")


@dataclass(frozen=True, eq=False)
class Measured:
    """A series that is the recording's signal."""

    series: Any
    modality: str
    units: str
    over: str = "unit"


def find_signal(file: NWBFile, notes: Mapping[str, Any] | None, *, spiking: bool) -> Measured | None:
    """Our signal; of a foreign file the first dF/F, else raw fluorescence, or the first field potential.

    Regions of interest are units, so beside a table of units they are not used.
    """
    if notes is not None:
        said = notes["signal"]
        if said is None:
            return None
        ours = file.processing[SIGNALS].data_interfaces.get("signal") if SIGNALS in file.processing else None
        series = _first(file, "DfOverF") if "ophys" in file.processing else ours
        if series is None:
            raise SimlabError(f"a file must hold the signal of its simlab notes, got none ({said}): remove the notes")
        return Measured(series, said["modality"], said["units"], said["over"])
    if not spiking:
        for kind in ("DfOverF", "Fluorescence"):
            if (series := _first(file, kind)) is not None:
                return Measured(series, "fluorescence", "dF/F" if kind == "DfOverF" else str(series.unit))
    potential = _first(file, "LFP")
    return None if potential is None else Measured(potential, "field potential", "V", "channel")


def _first(file: NWBFile, kind: str) -> Any:
    """The first series in a container of this kind, of those that are no neuropil; None without one."""
    for module in file.processing.values():
        for container in module.data_interfaces.values():
            if type(container).__name__ == kind:
                series = [s for s in container.children if hasattr(s, "data") and "neuropil" not in s.name.lower()]
                if series:
                    return series[0]
    return None


def fold_signal(signal: Measured, line: Timeline, use: Use) -> dict[str, Any]:
    """The signal as arguments of `simlab.data.recording`."""
    _require_columns(signal)
    folded = _folded(signal.series, line, use)
    if not np.isfinite(folded.values).any():
        raise SimlabError(
            f"{signal.series.name} must have finite samples in trials, got none: it holds nothing to analyse"
        )
    values = folded.values.reshape(*folded.values.shape[:2], -1)
    said = {"modality": signal.modality, "signal_units": signal.units, "over": signal.over}
    return {"signal": values, "sample_time": folded.time} | said


def _require_columns(signal: Measured) -> None:
    """Raises SimlabError unless a series has a column for each of its regions or electrodes."""
    region = getattr(signal.series, "rois", None) or getattr(signal.series, "electrodes", None)
    shape = signal.series.data.shape
    columns = shape[1] if len(shape) == 2 else 1
    if region is not None and len(region.data) != columns:
        raise SimlabError(
            f"{signal.series.name} must have a column for each of the {len(region.data)} rows that it refers to, got "
            f"shape {shape}: samples go down, columns across"
        )


def read_shown(file: NWBFile, line: Timeline, use: Use) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Stimulus and behaviour on one `time`, as arguments of `recording`, and the names of their columns.

    Ours, or any series of numbers; those that were sampled at other times than the first are left.
    """
    found: dict[str, Any] = {}
    names: dict[str, list[str]] = {}
    for variable, dim, series in (("stimulus", "feature", _stimuli(file)), ("behaviour", "factor", _behaviour(file))):
        columns: list[np.ndarray] = []
        for name, one in series.items():
            folded = _usable(one, line, use, found.get("time"))
            if folded is not None:
                values = folded.values.reshape(*folded.values.shape[:2], -1)
                columns.append(values)
                found["time"] = folded.time
                names.setdefault(dim, []).extend([name] if values.shape[2] == 1 else _numbered(name, values.shape[2]))
        if columns:
            found[variable] = np.concatenate(columns, axis=2)
    return found, names


def _numbered(name: str, count: int) -> list[str]:
    return [f"{name} {column}" for column in range(count)]


def _usable(series: Any, line: Timeline, use: Use, time: np.ndarray | None) -> Folded | None:
    """A series in trials; None, with a word on why, where it does not fit."""
    mark = len(use.told)
    try:
        folded = _folded(series, line, use)
    except SimlabError as misfit:
        use.take(series)
        use.told.append(f"series {series.name}: {misfit}")
        return None
    if not same_clock(time, folded.time):
        del use.told[mark:]
        use.told.append(f"series {series.name}, sampled at other times than those before it")
        return None
    return folded


def _stimuli(file: NWBFile) -> dict[str, Any]:
    """Series by the name of the feature; ours by their numbers."""
    ours = {name: match for name in file.stimulus if (match := OURS.match(name))}
    order = sorted(file.stimulus, key=lambda name: int(ours[name][1]) if name in ours else len(ours))
    series = {ours[name][2] if name in ours else name: file.stimulus[name] for name in order}
    return {name: one for name, one in series.items() if _numeric(one)}


def _behaviour(file: NWBFile) -> dict[str, Any]:
    module = file.processing.get("behavior")
    held = None if module is None else module.data_interfaces.get("BehavioralTimeSeries")
    return {} if held is None else {name: s for name, s in held.time_series.items() if _numeric(s)}


def _numeric(series: Any) -> bool:
    """Whether it is a series of numbers, a few at a time: no table, no images."""
    data = getattr(series, "data", None)
    kind = getattr(getattr(data, "dtype", None), "kind", "")
    return (
        hasattr(series, "timestamps") and kind in "iufb" and data is not None and len(data.shape) <= 2 and len(data) > 0
    )


def _folded(series: Any, line: Timeline, use: Use) -> Folded:
    times, values = sample_times(series), np.asarray(series.data[:])
    if values.dtype.kind not in "biuf":
        numbers(values, f"series {series.name}")
    if len(times) != len(values):
        raise SimlabError(f"it has {len(values)} samples at {len(times)} times: mend its timestamps")
    sound = np.isfinite(times)
    order = np.flatnonzero(sound)[np.argsort(times[sound], kind="stable")]
    again = np.diff(times[order], prepend=-np.inf) == 0
    order = order[~again]
    if again.any():
        use.told.append(f"{int(again.sum())} samples of {series.name} at the time of another")
    if type(series).__name__ == "ElectricalSeries":
        values = values * float(series.conversion) + float(series.offset)
    folded = line.fold(values[order], times[order])
    use.take(series)
    use.told += [f"{int((~sound).sum())} samples of {series.name} without a finite time"] if not sound.all() else []
    use.told += [f"{folded.outside} of {len(times)} samples of {series.name} outside trials"] if folded.outside else []
    if folded.cut:
        use.told.append(f"{folded.cut} samples of {series.name}, so that trials of one length have as many")
    if folded.off > 1e-6:
        use.told.append(f"exact times of {series.name}: samples of some trials lie up to {folded.off:.2g} s beside")
    return folded


def sample_times(series: Any) -> np.ndarray:
    """Session times (sample,) [s] of a series; raises SimlabError where it has neither times nor a rate > 0 Hz."""
    if series.timestamps is not None:
        return numbers(series.timestamps[:], f"timestamps of {series.name}")
    if series.rate is None or not (np.isfinite(series.rate) and series.rate > 0):
        raise SimlabError(f"{series.name} must have a rate > 0 Hz, got {series.rate}: give its rate, or timestamps")
    return float(series.starting_time or 0.0) + np.arange(len(series.data)) / series.rate
