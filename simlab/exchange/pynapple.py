"""Recordings to and from pynapple: trials on one clock, as its functions expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import bare, check_recording, is_spiking, recording
from simlab.exchange.foreign import coded, is_outcome, labels_of, refuse_contacts, refusing_damage, spike_table, tell
from simlab.exchange.notes import TABLES, named, read_notes, signal_of, to_notes
from simlab.exchange.timeline import Timeline, same_clock

APART = 1e-6
"""Seconds that pynapple needs between the end of one trial and the start of the next."""

SHOWN = ("stimulus", "behaviour")
UNIT_TABLES = tuple(name for name in TABLES if name.startswith("unit"))


def to_pynapple(dataset: xr.Dataset) -> dict[str, Any]:
    """`trials` (an IntervalSet), `units` (a TsGroup, where spikes were seen), a TsdFrame for each of signal, stimulus
    and behaviour, and `notes` (a line of JSON) for what pynapple has no place for.

    Trials lie where the recording's clock has them, else one second apart. Positions [m] and quality are metadata of
    the units or of the signal's columns, conditions and outcomes of the trials; pynapple keeps times to the
    nanosecond, and parts trials that touch by a microsecond.
    """
    import pynapple as nap

    check_recording(dataset)
    refuse_contacts("contacts" in dataset, "pynapple")
    dataset = bare(dataset, labels=True)
    line = Timeline.of(dataset)
    end = line.onset + line.duration
    end[:-1] = np.minimum(end[:-1], line.onset[1:] - APART)
    trials = nap.IntervalSet(start=line.onset, end=end)
    if "condition" in dataset:
        trials.set_info(condition=dataset["condition"].values)
    if "outcome" in dataset:
        trials.set_info(outcome=dataset["outcome"].values)
    known = {name: dataset[name].values for name in UNIT_TABLES if name in dataset}
    result: dict[str, Any] = {"trials": trials, "notes": to_notes(dataset, tables=True)}
    if is_spiking(dataset):
        result["units"] = _units(dataset, line, trials)
        result["units"].set_info(**known)
    for name, clock in (("signal", "sample_time"), ("stimulus", "time"), ("behaviour", "time")):
        if name in dataset:
            values, times = line.unfold(dataset[name].values, dataset[clock].values)
            columns = list(dataset["feature"].values) if name == "stimulus" and "feature" in dataset.coords else None
            result[name] = nap.TsdFrame(t=times, d=values, columns=columns, time_support=trials)
            if name == "signal" and dataset[name].dims[2] == "unit":
                result[name].set_info(**known)
    return result


def _units(dataset: xr.Dataset, line: Timeline, trials: Any) -> Any:
    """The units' spikes; what falls into the gap that pynapple makes is moved to its trial's end."""
    import pynapple as nap

    trial, unit = dataset["spike_trial"].values, dataset["spike_unit"].values
    when = np.minimum(line.to_session(trial, dataset["spike_time"].values), np.asarray(trials.end)[trial])
    trains = {u: nap.Ts(np.sort(when[unit == u]), time_support=trials) for u in range(dataset.sizes["unit"])}
    return nap.TsGroup(trains, time_support=trials)


def from_pynapple(objects: Mapping[str, Any]) -> xr.Dataset:
    """A Recording of the objects that `to_pynapple` returns, by the same names, or of anybody's.

    `trials` may differ in length; they stand on the recording's clock. A TsdFrame under any other name than those of
    `to_pynapple` is the signal, and its name the modality, where it is the only one. What was not used is named in
    attrs["unread"] and in a UserWarning. Raises SimlabError where the parts do not fit.
    """
    with refusing_damage("the objects", "a dictionary of pynapple's: trials an IntervalSet, units a TsGroup"):
        found, unread = _read(objects)
    return tell(found, unread, "the objects")


def _read(objects: Mapping[str, Any]) -> tuple[xr.Dataset, list[str]]:
    """The recording, and what of the objects was not used."""
    if "trials" not in objects:
        raise SimlabError(f"a recording needs trials (an IntervalSet), got only {', '.join(objects) or 'nothing'}")
    notes = read_notes(objects.get("notes", ""))
    trials = objects["trials"]
    length = np.asarray(trials.end) - np.asarray(trials.start)
    if not len(length) or (notes and len(notes["durations"]) != len(length)):
        said = len(notes["durations"]) if notes else "at least one"
        raise SimlabError(f"trials must be {said}, got {len(length)}: give all of them, or leave out the notes")
    line = Timeline.checked(np.asarray(trials.start), notes["durations"] if notes else length)
    unread: list[str] = []
    variables, conditions = _trials(trials, line, notes, unread)
    variables |= _frames(objects, line, notes, unread)
    seen = objects.get("units", objects.get(variables.pop("measured", "")))
    if seen is None:
        raise SimlabError(f"a recording needs units or a signal, got only {', '.join(objects)}")
    spikes = None
    if "units" in objects:
        spikes, lost = spike_table([np.asarray(seen[u].index.values) for u in seen.keys()], line)  # noqa: SIM118
        unread += lost
    found = recording(
        duration=line.duration,
        n_units=_n_units(objects, notes, seen),
        n_trials=len(line.onset),
        spikes=spikes,
        **variables,
        **(notes["tables"] if notes else _known(seen, unread)),
    ).assign_attrs(conditions)
    return named(found, notes) if notes else _labelled(found, objects), unread


def _n_units(objects: Mapping[str, Any], notes: Mapping[str, Any] | None, seen: Any) -> int:
    seen_here = len(seen) if "units" in objects else int(seen.shape[1])
    if notes is None or (notes["signal"] or {}).get("over") == "channel":
        return seen_here
    if int(notes["n_units"]) != seen_here:
        raise SimlabError(f"units must be the {notes['n_units']} of the notes, got {seen_here}: leave out the notes")
    return seen_here


def _trials(
    trials: Any, line: Timeline, notes: Mapping[str, Any] | None, unread: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    variables: dict[str, Any] = {}
    names: tuple[str, ...] = ()
    if "condition" in trials.metadata_columns:
        variables["condition"], names = coded(np.asarray(trials["condition"]))
    if (notes["clock"] if notes else True) and line.onset[0] >= 0:
        variables["trial_start"] = line.onset
    outcome = np.asarray(trials["outcome"]) if "outcome" in trials.metadata_columns else np.empty(0)
    if is_outcome(outcome):
        variables["outcome"] = outcome
    used = {"condition", "rate", *variables}
    unread += [f"trials' {name}" for name in trials.metadata_columns if name not in used]
    return variables, {"conditions": names} if names else {}


def _frames(
    objects: Mapping[str, Any], line: Timeline, notes: Mapping[str, Any] | None, unread: list[str]
) -> dict[str, Any]:
    """The signal, stimulus and behaviour as arguments of `recording`, and as `measured` which object is the signal."""
    found: dict[str, Any] = {}
    others = [name for name in objects if name not in ("trials", "units", "notes", *SHOWN)]
    frames = [name for name in others if getattr(objects[name], "ndim", 0) == 2]
    measured = frames[0] if len(frames) == 1 else ""
    for name in (*SHOWN, measured):
        if name not in objects:
            continue
        folded = line.fold(objects[name].values, objects[name].index.values)
        if name != measured and not same_clock(found.get("time"), folded.time):
            unread.append(f"{name}, sampled at other times than the stimulus")
            continue
        if name != measured:
            found |= {name: folded.values, "time": folded.time}
        elif notes is not None:
            found |= signal_of(notes, folded.values, folded.time)
        else:
            over = "channel" if "units" in objects else "unit"
            found |= {"signal": folded.values, "sample_time": folded.time, "modality": name, "over": over}
        unread += [f"{folded.outside} samples of {name} outside trials"] if folded.outside else []
    unread += [f"{name} ({type(objects[name]).__name__})" for name in others if name != measured]
    return found | ({"measured": measured} if measured else {})


def _known(seen: Any, unread: list[str]) -> dict[str, np.ndarray]:
    """What the metadata say of each unit in our words."""
    unread += [f"units' {name}" for name in seen.metadata_columns if name not in (*UNIT_TABLES, "rate")]
    return {name: np.asarray(seen[name], dtype=float) for name in UNIT_TABLES if name in seen.metadata_columns}


def _labelled(found: xr.Dataset, objects: Mapping[str, Any]) -> xr.Dataset:
    if "units" in objects and (labels := labels_of(list(objects["units"].keys()))) is not None:
        found = found.assign_coords(unit_label=("unit", labels))
    if "stimulus" in objects:
        found = found.assign_coords(feature=[str(column) for column in objects["stimulus"].columns])
    return found
