"""Reading NWB files: ours in full, anybody else's as far as a Recording goes, with a word on the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import recording
from simlab.exchange.foreign import numbers, refusing_damage, tell
from simlab.exchange.notes import named, read_notes
from simlab.exchange.nwb_signals import Measured, find_signal, fold_signal, read_shown, sample_times
from simlab.exchange.nwb_tables import (
    NOTES,
    SIGNALS,
    UNIT_TABLE,
    electrode_positions,
    positions_at_electrodes,
    read_columns,
    read_trials,
    read_units,
    unit_labels,
)
from simlab.exchange.nwb_unread import Use

if TYPE_CHECKING:
    from pynwb import NWBFile


def read_nwb(path: Path | str) -> xr.Dataset:
    """A Recording of an NWB file: one of ours in full; of anybody else's the units, dF/F or field potential, the
    trials with their conditions, stimuli and behaviour, and positions and quality of units and electrodes.

    Trials keep their lengths and their place on the clock; without any, the session is one trial from time 0. What
    was not used, events outside trials among it, is named in attrs["unread"] and in one UserWarning. Raises
    SimlabError if the file is damaged or has nothing to analyse, if trials overlap or none is longer than 0 s, or if
    there are spikes but none in a trial.
    """
    if not Path(path).is_file():
        raise SimlabError(f"there is no file {path}: give the path of an NWB file")
    from pynwb import NWBHDF5IO

    with (
        refusing_damage(str(path), "an NWB file that pynwb can read"),
        NWBHDF5IO(str(path), mode="r", load_namespaces=True) as io,
    ):
        found, unread = _recording(io.read(), Path(path))
    return tell(found, unread, str(path))


def _recording(file: NWBFile, path: Path) -> tuple[xr.Dataset, list[str]]:
    """The recording, and what of the file was not used."""
    use = Use()
    notes = _notes(file, use)
    spiking = file.units is not None and "spike_times" in file.units.colnames and len(file.units) > 0
    signal = find_signal(file, notes, spiking=spiking)
    if not spiking and (signal is None or signal.over == "channel"):
        raise SimlabError(f"{path} holds no units, no fluorescence and no signal of units: there is nothing to analyse")
    line, variables, attrs = read_trials(file, _last(file, signal, spiking), use)
    spikes = None
    if spiking:
        spikes, known = read_units(file.units, line, use)
        variables |= known
    if signal is not None:
        variables |= fold_signal(signal, line, use)
    shown, names = read_shown(file, line, use)
    variables |= shown | _places(file, signal, variables, spiking, use)
    if notes is None:
        labels = {"unit_label": ("unit", unit_labels(file.units, use))} if spiking else {}
    else:
        _ours(file, notes, variables, use)
    found = recording(
        duration=line.duration,
        n_units=len(file.units) if spiking else variables["signal"].shape[2],
        n_trials=len(line.onset),
        spikes=spikes,
        **variables,
    )
    if notes is None:
        found = found.assign_coords({**names, **labels}).assign_attrs(attrs)
    return named(found, notes) if notes else found, use.unread(file)


def _notes(file: NWBFile, use: Use) -> dict[str, Any] | None:
    held = (file.scratch or {}).get(NOTES)
    notes = None if held is None else read_notes(held.data if hasattr(held, "data") else held)
    if notes is not None:
        use.take(held)
    return notes


def _last(file: NWBFile, signal: Measured | None, spiking: bool) -> float:
    """The last finite time [s] at which anything was measured."""
    ends = [np.zeros(1)]
    if spiking:
        ends.append(numbers(file.units.spike_times.data[:], "spike_times"))
    if signal is not None:
        ends.append(sample_times(signal.series)[-1:])
    times = np.concatenate(ends)
    return float(times[np.isfinite(times)].max())


def _places(
    file: NWBFile, signal: Measured | None, known: Mapping[str, Any], spiking: bool, use: Use
) -> dict[str, np.ndarray]:
    """Positions [m] of channels, and of units where no column of theirs has any; what tables of regions say."""
    found: dict[str, np.ndarray] = {}
    if signal is not None and signal.over == "unit":
        if hasattr(signal.series, "rois"):
            found |= read_columns(signal.series.rois.table, use)
        elif UNIT_TABLE in (interfaces := file.processing[SIGNALS].data_interfaces):
            found |= read_columns(interfaces[UNIT_TABLE], use)
    if file.electrodes is None:
        return found
    place = electrode_positions(file.electrodes, use)
    if spiking and not any(name in known for name in ("unit_x", "unit_y", "unit_z")):
        found |= positions_at_electrodes(file.units, file.electrodes, place, use)
    region = getattr(signal.series, "electrodes", None) if signal is not None and signal.over == "channel" else None
    rows = slice(None) if region is None else np.asarray(region.data[:])
    return found | {f"channel_{axis}": values[rows] for axis, values in place.items()}


def _ours(file: NWBFile, notes: Mapping[str, Any], variables: dict[str, Any], use: Use) -> None:
    """What our notes say better, and what we wrote for other readers."""
    if not notes["clock"]:
        variables.pop("trial_start", None)
    use.take(file.invalid_times)
    written = {
        "condition_name", "unit_name", "pixel_mask", "channel_name", "location", "group", "group_name", "electrodes",
    }  # fmt: skip
    for table in (file.trials, file.units, file.electrodes):
        if table is not None:
            use.column(table, *written)
    if "ophys" in file.processing and "ImageSegmentation" in file.processing["ophys"].data_interfaces:
        use.column(file.processing["ophys"]["ImageSegmentation"]["PlaneSegmentation"], *written)
