"""Tables of NWB files: trials, units, electrodes, and which of their columns say something in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.exchange.foreign import SpikeTable, coded, is_outcome, labels_of, numbers, spike_table
from simlab.exchange.nwb_unread import Use
from simlab.exchange.timeline import TOLERANCE, Timeline
from simlab.instruments.placement import UNIT_AXES

if TYPE_CHECKING:
    from pynwb import NWBFile

NOTES = "simlab_notes"
"""Name of our notes in a file's scratch space."""

SIGNALS, UNIT_TABLE = "misc", "unit_table"
"""The module that holds a signal, and in it the table of units where no spikes were seen."""

MICRONS = 1e-6
"""NWB's unit of electrode positions [m]."""

CONDITIONS = ("condition", "trial_type", "stimulus_name")
LABELS = ("unit_name", "unit_label", "label")
QUALITY = ("unit_quality", "isolation")
PEAKS = ("max_channel", "peak_channel", "peak_channel_id", "max_electrode")

DESCRIPTIONS = {
    **{axis: f"Estimated position of the unit along {axis[-1]}, in metres." for axis in UNIT_AXES},
    "unit_quality": "Share of the unit's spikes that its sorter trusts.",
    "unit_region": "Number of the region that the unit lies in.",
    "unit_name": "Label of the unit.",
}


def unit_columns(dataset: xr.Dataset) -> dict[str, list]:
    """What a Recording says of each unit, as columns of a table."""
    names = (*UNIT_AXES, "unit_quality", "unit_region")
    columns = {name: dataset[name].values.astype(float).tolist() for name in names if name in dataset}
    label = {"unit_name": dataset["unit_label"].values.tolist()} if "unit_label" in dataset.coords else {}
    return columns | label


def add_columns(add: Callable[..., Any], columns: Iterable[str]) -> None:
    """Adds the columns of `unit_columns`, empty, to a table by its own function."""
    for name in columns:
        add(name=name, description=DESCRIPTIONS[name])


def read_trials(file: NWBFile, last: float, use: Use) -> tuple[Timeline, dict[str, Any], dict[str, Any]]:
    """The trials, their variables and attributes; a file without a table of them is one trial, from 0 to `last` [s]."""
    table = file.trials
    if table is None or not len(table):
        if last <= 0:
            raise SimlabError(
                "a session without trials lasts until its last spike or sample, so that it has no end here, got no "
                "finite time after 0 s: give it trials"
            )
        return Timeline(np.zeros(1), np.array([float(np.nextafter(last, np.inf))])), {}, {}
    start, stop = (_bounds(table, name) for name in ("start_time", "stop_time"))
    length = stop - start
    good = np.flatnonzero(np.isfinite(length) & (length > 0))
    if not len(good):
        raise SimlabError(f"trials must last longer than 0 s, got {len(start)} of which none does: mend the table")
    if len(good) < len(start):
        use.told.append(f"{len(start) - len(good)} of {len(start)} trials that do not last longer than 0 s")
    order = good[np.argsort(start[good], kind="stable")]
    if (np.diff(order) < 0).any():
        use.told.append("the order of the trials: they were sorted by their start")
    use.column(table, "start_time", "stop_time")
    line = Timeline.checked(start[order], length[order])
    variables, attrs = _conditions(table, order, use)
    variables |= _outcome(table, order, use)
    if line.onset[0] >= 0:
        variables["trial_start"] = line.onset
    else:
        use.told.append(f"the trials' place on the clock, which begins at {line.onset[0]:g} s, before 0")
    return line, variables, attrs


def _bounds(table: Any, name: str) -> np.ndarray:
    if name not in table.colnames:
        raise SimlabError(f"trials must have {name}, got columns {', '.join(table.colnames)}: mend the table")
    return numbers(table[name][:], f"{name} of trials")


def one_each(table: Any, name: str) -> np.ndarray | None:
    """A column that has one number or text per row, as it is; None if it has several, or refers to other tables."""
    column = table[name]
    if hasattr(column, "target") or hasattr(column, "table"):
        return None
    values = np.asarray(column[:])
    plain = values.dtype.kind in "biufSU" or all(isinstance(value, str | bytes) for value in values.ravel().tolist())
    return values if values.ndim == 1 and plain else None


def _number_each(table: Any, name: str) -> np.ndarray | None:
    values = one_each(table, name)
    return values.astype(float) if values is not None and values.dtype.kind in "biuf" else None


def _numbers_regions(values: np.ndarray) -> bool:
    return bool(((values >= 0) & (values < 2**31) & (values == np.floor(values))).all())


def _conditions(table: Any, order: np.ndarray, use: Use) -> tuple[dict[str, Any], dict[str, Any]]:
    name = next((name for name in CONDITIONS if name in table.colnames), None)
    values = None if name is None else one_each(table, name)
    if name is None or values is None:
        return {}, {}
    use.column(table, name)
    codes, names = coded(values[order])
    return {"condition": codes}, {"conditions": names} if names else {}


def _outcome(table: Any, order: np.ndarray, use: Use) -> dict[str, np.ndarray]:
    """How well each trial went, where the table says it from 0 to 1; others' words for it are left unread."""
    values = one_each(table, "outcome") if "outcome" in table.colnames else None
    if values is None or not is_outcome(values[order]):
        return {}
    use.column(table, "outcome")
    return {"outcome": values[order].astype(float)}


def read_units(units: Any, line: Timeline, use: Use) -> tuple[SpikeTable, dict[str, Any]]:
    """The spikes in trials, and what is known of each unit in columns of ours or of common ones."""
    use.column(units, "spike_times")
    spikes, told = spike_table(_trains(units), line)
    use.told += told
    if "obs_intervals" in units.colnames:
        use.column(units, "obs_intervals")
        partly = sum(not _observed(units["obs_intervals"][u], line) for u in range(len(units)))
        use.told += (
            [f"obs_intervals: {partly} of {len(units)} units were not observed in every trial"] if partly else []
        )
    return spikes, read_columns(units, use)


def _trains(units: Any) -> list[np.ndarray]:
    """Session times [s] of each unit's spikes; raises SimlabError unless its index cuts them into as many as units."""
    column = units["spike_times"]
    if not hasattr(column, "target") or hasattr(column.target, "target"):
        raise SimlabError("spike_times must be cut into units by one spike_times_index, got none or two: mend the file")
    times = numbers(column.target.data[:], "spike_times")
    ends = numbers(column.data[:], "spike_times_index").astype(np.int64)
    if len(ends) != len(units) or (np.diff(ends, prepend=0) < 0).any() or ends[-1] != len(times) or times.ndim != 1:
        raise SimlabError(
            f"spike_times_index must rise to the number of spikes, {len(times)}, with one end for each of the "
            f"{len(units)} units, got {ends.tolist()[:10]}: mend the file"
        )
    return np.split(times, ends[:-1])


def _observed(intervals: Any, line: Timeline) -> bool:
    """Whether a unit's intervals (interval, 2) [s] hold every trial."""
    held = np.asarray(intervals)
    if held.dtype.kind not in "iuf" or held.ndim != 2 or held.shape[1] != 2 or not len(held):
        return False
    held = held[np.argsort(held[:, 0])]
    place = np.searchsorted(held[:, 0], line.onset + TOLERANCE, side="right") - 1
    return bool(((place >= 0) & (held[place, 1] >= line.onset + line.duration - TOLERANCE)).all())


def read_columns(table: Any, use: Use) -> dict[str, np.ndarray]:
    """Positions [m], quality (0 to 1) and number of the region in a table of units."""
    found = {}
    for name in (*UNIT_AXES, "unit_region"):
        values = _number_each(table, name) if name in table.colnames else None
        if values is not None and (name in UNIT_AXES or _numbers_regions(values)):
            found[name] = values
    use.column(table, *found)
    for name in QUALITY:
        values = _number_each(table, name) if name in table.colnames else None
        if values is None or "unit_quality" in found:
            continue
        if (np.isnan(values) | ((values >= 0) & (values <= 1))).all():
            found["unit_quality"] = values
            use.column(table, name)
    return found


def unit_labels(table: Any, use: Use) -> np.ndarray:
    """The units' names where a common column has them, else their ids, else the numbers of their rows."""
    for name in LABELS:
        values = one_each(table, name) if name in table.colnames else None
        if values is not None and (labels := labels_of(values.tolist())) is not None:
            use.column(table, name)
            return labels
    if (labels := labels_of(list(table.id[:]))) is not None:
        return labels
    use.told.append("ids of units, some of which are the same: rows are counted instead")
    return np.array([str(row) for row in range(len(table))], dtype=object)


def electrode_positions(table: Any, use: Use) -> dict[str, np.ndarray]:
    """Positions (electrode,) [m] by axis: in the brain where the file has them, else relative to the probe."""
    for prefix in ("", "rel_"):
        names = {axis: prefix + axis for axis in "xyz" if prefix + axis in table.colnames}
        columns = {axis: _number_each(table, name) for axis, name in names.items()}
        values = {axis: c * MICRONS for axis, c in columns.items() if c is not None and np.isfinite(c).any()}
        if values:
            use.column(table, *(names[axis] for axis in values))
            return values
    return {}


def positions_at_electrodes(units: Any, table: Any, place: Mapping[str, np.ndarray], use: Use) -> dict[str, np.ndarray]:
    """unit_x, unit_y, unit_z [m]: the middle of each unit's electrodes, or its electrode of the largest spikes."""
    rows = None
    if "electrodes" in units.colnames:
        rows, name = _region_rows(units["electrodes"]), "electrodes"
    else:
        ids = {int(number): row for row, number in enumerate(table.id[:])}
        for name in (name for name in PEAKS if name in units.colnames):
            values = _number_each(units, name)
            if values is not None and all(value in ids for value in values.tolist()):
                rows = [np.array([ids[value]]) for value in values.tolist()]
                break
    known = rows is not None and all(len(row) and row.min() >= 0 and row.max() < len(table) for row in rows)
    if not place or rows is None or not known:
        return {}
    use.column(units, name)
    return {f"unit_{axis}": np.array([column[row].mean() for row in rows]) for axis, column in place.items()}


def _region_rows(column: Any) -> list[np.ndarray]:
    """Rows that a column refers to, for each unit: one or several."""
    if hasattr(column, "target"):
        return np.split(np.asarray(column.target.data[:]), np.asarray(column.data[:])[:-1])
    return [np.array([row]) for row in column.data[:]]
