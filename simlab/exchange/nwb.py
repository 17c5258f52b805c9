"""Recordings to and from NWB files, through pynwb: units, electrodes, a signal, trials, stimuli, behaviour, subject."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import xarray as xr

from simlab.data import bare, check_recording, is_spiking
from simlab.exchange.notes import to_notes
from simlab.exchange.nwb_reading import read_nwb
from simlab.exchange.nwb_series import add_series, add_signal
from simlab.exchange.nwb_tables import MICRONS, NOTES, add_columns, unit_columns
from simlab.exchange.timeline import Timeline
from simlab.exchange.zarr_store import refuse_existing

if TYPE_CHECKING:
    from pynwb import NWBFile

__all__ = ["read_nwb", "write_nwb"]

SYNTHETIC = "Synthetic data made by simlab, a simulated neuroscience lab; no animal was involved."

TIME_RESOLUTION = 1e-9
"""Smallest difference between two spike times that is kept [s]; they are written as recorded, on no sampling grid."""


def write_nwb(dataset: xr.Dataset, path: Path | str, *, indicator: str = "unknown", region: str = "Isocortex") -> None:
    """Writes a Recording as a new NWB file; raises SimlabError if the file is there already.

    Trials stand where the recording's clock has them, else end to end, one second apart. indicator, region: what the
    experimenter knows of an imaging recording and of where it was made (a name from the Allen mouse brain atlas). What
    NWB has no place for, such as a question's brief, travels as a line of JSON in the file's scratch space.
    """
    refuse_existing(path)
    check_recording(dataset)
    from pynwb import NWBHDF5IO

    dataset = bare(dataset, labels=True)
    line = Timeline.of(dataset)
    file = _file()
    file.add_scratch(to_notes(dataset), name=NOTES, description="What simlab needs to read this file back in full.")
    _add_trials(file, dataset, line)
    _add_electrodes(file, dataset, region)
    if is_spiking(dataset):
        _add_units(file, dataset, line)
    if "signal" in dataset:
        add_signal(file, dataset, line, indicator, region)
    add_series(file, dataset, line)
    with NWBHDF5IO(str(path), mode="w") as io:
        io.write(file)


def _file() -> NWBFile:
    from pynwb import NWBFile
    from pynwb.file import Subject

    return NWBFile(
        session_description="One session of trials, recorded from a simulated subject.",
        identifier=str(uuid4()),
        session_start_time=datetime.now(UTC),
        session_id="simulated",
        experimenter=["Lab, Simulated"],
        institution="simlab",
        lab="simlab",
        experiment_description=SYNTHETIC,
        keywords=["synthetic", "simulation", "benchmark"],
        subject=Subject(
            subject_id="simulated",
            description=SYNTHETIC,
            species="Mus musculus",
            age="P90D",
            sex="U",
        ),
    )


def _add_trials(file: NWBFile, dataset: xr.Dataset, line: Timeline) -> None:
    columns: dict[str, list] = {}
    if "condition" in dataset:
        codes, names = dataset["condition"].values.tolist(), dataset.attrs.get("conditions", ())
        columns["condition"] = codes
        file.add_trial_column("condition", "Number of the trial's experimental condition.")
        if names and min(codes) >= 0 and max(codes) < len(names):
            columns["condition_name"] = [names[code] for code in codes]
            file.add_trial_column("condition_name", "Name of the trial's experimental condition.")
    for trial, onset in enumerate(line.onset):
        extra = {name: values[trial] for name, values in columns.items()}
        file.add_trial(start_time=float(onset), stop_time=float(onset + line.duration[trial]), **extra)


def _add_electrodes(file: NWBFile, dataset: xr.Dataset, region: str) -> None:
    """The electrodes table of the recording's channels; NWB wants their positions in microns."""
    if "channel" not in dataset.sizes:
        return
    device = file.create_device("probe", description="Simulated extracellular electrodes.")
    group = file.create_electrode_group("electrodes", description="Recording sites.", location=region, device=device)
    if "channel_label" in dataset.coords:
        file.add_electrode_column("channel_name", "Name of the channel.")
    for channel in range(dataset.sizes["channel"]):
        place = {
            a: float(dataset[f"channel_{a}"].values[channel]) / MICRONS for a in "xyz" if f"channel_{a}" in dataset
        }
        label = {"channel_name": dataset["channel_label"].values[channel]} if "channel_label" in dataset.coords else {}
        file.add_electrode(location=region, group=group, **place, **label)


def _add_units(file: NWBFile, dataset: xr.Dataset, line: Timeline) -> None:
    from pynwb.misc import Units

    file.units = Units(name="units", description="Recorded units.", resolution=TIME_RESOLUTION)
    columns = unit_columns(dataset)
    add_columns(file.add_unit_column, columns)
    observed = np.column_stack([line.onset, line.onset + line.duration])
    for unit, times in enumerate(_session_trains(dataset, line)):
        known = {name: values[unit] for name, values in columns.items()}
        file.add_unit(id=unit, spike_times=times, obs_intervals=observed, **known)


def _session_trains(dataset: xr.Dataset, line: Timeline) -> list[np.ndarray]:
    """Sorted session times [s] of each unit's spikes."""
    when = line.to_session(dataset["spike_trial"].values, dataset["spike_time"].values)
    unit = dataset["spike_unit"].values
    order = np.lexsort((when, unit))
    return np.split(when[order], np.searchsorted(unit[order], np.arange(1, dataset.sizes["unit"])))
