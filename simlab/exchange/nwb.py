"""Recordings to and from NWB files, through pynwb: units, electrodes, a signal, trials, stimuli, behaviour, subject."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import xarray as xr

from simlab.data import bare, check_recording, is_spiking
from simlab.exchange.foreign import refuse_contacts
from simlab.exchange.notes import to_notes
from simlab.exchange.nwb_identity import date_of, identity_of, write_reproducibly
from simlab.exchange.nwb_probe import add_electrodes, channels_of_units
from simlab.exchange.nwb_reading import read_nwb
from simlab.exchange.nwb_series import add_series, add_signal
from simlab.exchange.nwb_tables import NOTES, add_columns, unit_columns
from simlab.exchange.timeline import TOLERANCE, Timeline
from simlab.exchange.zarr_store import refuse_existing

if TYPE_CHECKING:
    from pynwb import NWBFile

__all__ = ["read_nwb", "write_nwb"]

SYNTHETIC = "Synthetic data made by simlab, a simulated neuroscience lab; no animal was involved."

TIME_RESOLUTION = 1e-9
"""Smallest difference between two spike times that is kept [s]; they are written as recorded, on no sampling grid."""


def write_nwb(dataset: xr.Dataset, path: Path | str, *, indicator: str = "unknown", region: str = "Isocortex") -> None:
    """Writes a Recording as a new NWB file; raises SimlabError if the file is there already.

    Trials stand where the recording's clock has them, else one second apart. Nothing was observed between them: each
    unit's `obs_intervals` are the trials, the gaps are `invalid_times`, and series have no samples there. Recordings
    that are equal give files of the same bytes, their identifiers and dates derived from what they hold. indicator,
    region: what the experimenter knows of an imaging recording and of where it was made (a name from the Allen mouse
    brain atlas). What NWB has no place for, such as a question's brief, travels as a line of JSON in the scratch space.
    """
    refuse_existing(path)
    check_recording(dataset)
    refuse_contacts("contacts" in dataset, "NWB")
    dataset = bare(dataset, labels=True)
    line = Timeline.of(dataset)
    identity = identity_of(dataset, {"indicator": indicator, "region": region})
    file = _file(identity)
    file.add_scratch(to_notes(dataset), name=NOTES, description="What simlab needs to read this file back in full.")
    _add_trials(file, dataset, line)
    _add_gaps(file, line)
    add_electrodes(file, dataset, region)
    if is_spiking(dataset):
        _add_units(file, dataset, line)
    if "signal" in dataset:
        add_signal(file, dataset, line, indicator, region)
    add_series(file, dataset, line)
    write_reproducibly(file, path, identity)


def _file(identity: UUID) -> NWBFile:
    from pynwb import NWBFile
    from pynwb.file import Subject

    date = date_of(identity)
    return NWBFile(
        session_description="One session of trials, recorded from a simulated subject.",
        identifier=str(identity),
        session_start_time=date,
        file_create_date=date,
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
    if "outcome" in dataset:
        columns["outcome"] = dataset["outcome"].values.astype(float).tolist()
        file.add_trial_column("outcome", "How well the trial's behaviour served its task, from 0 to 1.")
    for trial, onset in enumerate(line.onset):
        extra = {name: values[trial] for name, values in columns.items()}
        file.add_trial(start_time=float(onset), stop_time=float(onset + line.duration[trial]), **extra)


def _add_gaps(file: NWBFile, line: Timeline) -> None:
    """Between trials nothing was recorded; readers that know no intervals of observation know these."""
    end = line.onset + line.duration
    for last, onset in zip(end[:-1], line.onset[1:], strict=True):
        if onset - last > TOLERANCE:
            file.add_invalid_time_interval(start_time=float(last), stop_time=float(onset))


def _add_units(file: NWBFile, dataset: xr.Dataset, line: Timeline) -> None:
    from pynwb.misc import Units

    file.units = Units(name="units", description="Recorded units.", resolution=TIME_RESOLUTION)
    columns = unit_columns(dataset)
    add_columns(file.add_unit_column, columns)
    observed = np.column_stack([line.onset, line.onset + line.duration])
    channels = channels_of_units(dataset)
    for unit, times in enumerate(_session_trains(dataset, line)):
        known = {name: values[unit] for name, values in columns.items()}
        known |= {} if channels is None else {"electrodes": [int(channels[unit])]}
        file.add_unit(id=unit, spike_times=times, obs_intervals=observed, **known)


def _session_trains(dataset: xr.Dataset, line: Timeline) -> list[np.ndarray]:
    """Sorted session times [s] of each unit's spikes."""
    when = line.to_session(dataset["spike_trial"].values, dataset["spike_time"].values)
    unit = dataset["spike_unit"].values
    order = np.lexsort((when, unit))
    return np.split(when[order], np.searchsorted(unit[order], np.arange(1, dataset.sizes["unit"])))
