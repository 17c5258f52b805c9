"""Reading Neo blocks: ours in full, anybody else's spike trains, with a word on what could not be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import recording
from simlab.exchange.foreign import SpikeTable, coded, labels_of, refusing_damage, tell
from simlab.exchange.notes import named, read_notes, signal_of
from simlab.exchange.timeline import TOLERANCE
from simlab.rules import require

if TYPE_CHECKING:
    import neo

CLOCKS = {"signal": "sample_time", "stimulus": "time", "behaviour": "time"}
"""Variables that are signals of a segment, and where a Recording keeps their times."""


def from_neo(block: neo.Block) -> xr.Dataset:
    """A Recording of a Block whose segments are trials: ours, or anybody's spike trains.

    Segments must hold the same units, in the same order; times count from each segment's `t_start`, which is also the
    trial's place on the clock where the starts follow one another. Segments may differ in length. Of a foreign block,
    what was not used is named in attrs["unread"] and in a UserWarning. Raises SimlabError where segments do not fit.
    """
    with refusing_damage("the block", "a neo Block whose segments are trials"):
        found, unread = _read(block.segments, read_notes(block.annotations.get("simlab", "")))
    return tell(found, unread, "the block")


def _read(segments: list[Any], notes: Mapping[str, Any] | None) -> tuple[xr.Dataset, list[str]]:
    """The recording, and what of the segments was not used."""
    require(len(segments) > 0, "a recording needs at least one segment (trial), got a block with none")
    counts = sorted({len(s.spiketrains) for s in segments})
    require(len(counts) == 1, f"every segment must hold the same units, got numbers of spike trains {counts}")
    start, duration = _lengths(segments)
    variables: dict[str, Any] = {}
    attrs: dict[str, Any] = {}
    conditions = [s.annotations["condition"] for s in segments if "condition" in s.annotations]
    if len(conditions) == len(segments):
        variables["condition"], names = coded(conditions)
        attrs = {"conditions": names} if names else {}
    if notes is not None:
        return _ours(segments, notes, duration, variables), []
    require(counts[0] > 0, "a recording needs spike trains, got segments without any")
    if len(start) > 1 and start[0] >= 0 and (np.diff(start) > duration[:-1] - TOLERANCE).all():
        variables["trial_start"] = start
    spikes, unread = _spikes(segments)
    found = recording(
        duration=duration, n_units=counts[0], n_trials=len(segments), spikes=spikes, **variables
    ).assign_attrs(attrs)
    if (labels := _labels(segments)) is not None:
        found = found.assign_coords(unit_label=("unit", labels))
    return found, [*unread, *_unused(segments)]


def _ours(
    segments: list[Any], notes: Mapping[str, Any], duration: np.ndarray, variables: Mapping[str, Any]
) -> xr.Dataset:
    read: dict[str, Any] = dict(variables) | notes["tables"]
    if notes["clock"]:
        read["trial_start"] = np.array([s.annotations["start"] for s in segments])
    if all("outcome" in s.annotations for s in segments):
        read["outcome"] = np.array([s.annotations["outcome"] for s in segments])
    for name in CLOCKS:
        if (folded := _signal(segments, name)) is not None:
            values, clock = folded
            read |= signal_of(notes, values, clock) if name == "signal" else {name: values, "time": clock}
    spikes = _spikes(segments)[0] if notes["spiking"] else None
    found = recording(duration=duration, n_units=notes["n_units"], n_trials=len(segments), spikes=spikes, **read)
    return named(found, notes)


def _lengths(segments: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Start and duration of each segment [s]; annotations say it where a segment is empty or its trains end early."""
    start, length = np.zeros(len(segments)), np.zeros(len(segments))
    for k, segment in enumerate(segments):
        if "duration" in segment.annotations:
            length[k] = segment.annotations["duration"]
        elif segment.spiketrains or segment.analogsignals or segment.irregularlysampledsignals:
            start[k] = _seconds(segment.t_start)
            length[k] = round(_seconds(segment.t_stop) - start[k], 9)
        require(
            length[k] > 0,
            f"a trial must last longer than 0 s, got segment {k} of {length[k]} s: leave it out",
        )
    return start, np.full(len(length), length.mean().round(9)) if np.ptp(length) < TOLERANCE else length


def _seconds(time: Any) -> float:
    return float(time.rescale("s"))


def _spikes(segments: list[Any]) -> tuple[SpikeTable, list[str]]:
    """Columns trial, time [s from the segment's start], unit; a train may start later than its segment."""
    trial, time, unit, lost, total = [np.zeros(0, int)], [np.zeros(0)], [np.zeros(0, int)], 0, 0
    for index, segment in enumerate(segments):
        start = min((_seconds(train.t_start) for train in segment.spiketrains), default=0.0)
        start = start if "duration" in segment.annotations else _seconds(segment.t_start)
        for number, train in enumerate(segment.spiketrains):
            times = train.rescale("s").magnitude - start
            total, lost = total + len(times), lost + int((~np.isfinite(times)).sum())
            times = times[np.isfinite(times)]
            time.append(times)
            trial.append(np.full(len(times), index))
            unit.append(np.full(len(times), number))
    require(lost < max(total, 1), f"spikes must have finite times, got none among {total}: leave those units out")
    told = [f"{lost} of {total} spikes without a finite time"] if lost else []
    return (np.concatenate(trial), np.concatenate(time), np.concatenate(unit)), told


def _signal(segments: list[Any], name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """A variable (trial, sample, ...) of this name and its times [s]; NaN beyond the end of shorter trials."""
    found = [s for part in segments for s in (*part.analogsignals, *part.irregularlysampledsignals) if s.name == name]
    if not found:
        return None
    longest = max(found, key=len)
    values = np.full((len(found), *longest.shape), np.nan, dtype=longest.magnitude.dtype)
    for trial, signal in enumerate(found):
        values[trial, : len(signal)] = signal.magnitude
    return values, longest.times.rescale("s").magnitude


def _labels(segments: list[Any]) -> np.ndarray | None:
    """The trains' names, where every segment has the same ones; raises SimlabError where they come in another order."""
    names = [[train.name or "" for train in segment.spiketrains] for segment in segments]
    if any(sorted(other) == sorted(names[0]) and other != names[0] for other in names):
        raise SimlabError("every segment must hold its units in the same order, got spike trains named otherwise")
    return labels_of(names[0]) if all(other == names[0] for other in names) else None


def _unused(segments: list[Any]) -> list[str]:
    kinds = ("analogsignals", "irregularlysampledsignals", "events", "epochs", "imagesequences")
    return [
        f"{kind} {item.name or 'without a name'!r}"
        for kind in kinds
        for segment in segments
        for item in getattr(segment, kind)
    ]
