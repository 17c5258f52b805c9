"""Recordings to and from NWB files, through pynwb: units or fluorescence, trials, stimuli, behaviour, subject."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import xarray as xr

from simlab.data import bare, check_recording, is_spiking
from simlab.exchange.nwb_reading import read_nwb
from simlab.exchange.timeline import Timeline, regular_rate
from simlab.exchange.zarr_store import refuse_existing
from simlab.instruments.placement import UNIT_AXES

if TYPE_CHECKING:
    from pynwb import NWBFile

__all__ = ["read_nwb", "write_nwb"]

SYNTHETIC = "Synthetic data made by simlab, a simulated neuroscience lab; no animal was involved."

TIME_RESOLUTION = 1e-9
"""Smallest difference between two spike times that is kept [s]; they are written as recorded, on no sampling grid."""

POSITION = "Estimated position of the unit along {}, in metres."

MICROMETRE = 1e-6
"""Side of the square that one pixel of the imaging plane stands for [m]."""


def write_nwb(dataset: xr.Dataset, path: Path | str, *, indicator: str = "unknown", region: str = "Isocortex") -> None:
    """Writes a Recording as a new NWB file; raises SimlabError if the file is there already.

    Trials are laid end to end, one second apart. indicator, region: what the experimenter knows of an imaging
    recording and of where it was made (a name from the Allen mouse brain atlas). The answers offered by a closed
    question (`candidates`) do not travel.
    """
    refuse_existing(path)
    check_recording(dataset)
    from pynwb import NWBHDF5IO

    dataset = bare(dataset)
    line = Timeline.of(dataset)
    file = _file()
    _add_trials(file, dataset, line)
    if is_spiking(dataset):
        _add_units(file, dataset, line)
    if "fluorescence" in dataset:
        _add_fluorescence(file, dataset, line, indicator, region)
    _add_series(file, dataset, line)
    with NWBHDF5IO(str(path), mode="w") as io:
        io.write(file)


def _file() -> NWBFile:
    from pynwb import NWBFile
    from pynwb.file import Subject

    return NWBFile(
        session_description="One session of equal trials, recorded from a simulated subject.",
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
    if "condition" in dataset:
        file.add_trial_column("condition", "Number of the trial's experimental condition.")
    for trial, onset in enumerate(line.onset):
        extra = {"condition": int(dataset["condition"].values[trial])} if "condition" in dataset else {}
        file.add_trial(start_time=float(onset), stop_time=float(onset + line.duration), **extra)


def _place(dataset: xr.Dataset) -> dict[str, np.ndarray]:
    return {axis: dataset[axis].values.astype(float) for axis in UNIT_AXES if axis in dataset}


def _add_units(file: NWBFile, dataset: xr.Dataset, line: Timeline) -> None:
    from pynwb.misc import Units

    file.units = Units(name="units", description="Recorded units.", resolution=TIME_RESOLUTION)
    place = _place(dataset)
    for axis in place:
        file.add_unit_column(axis, POSITION.format(axis[-1]))
    observed = np.column_stack([line.onset, line.onset + line.duration])
    for unit, times in enumerate(_session_trains(dataset, line)):
        position = {axis: float(values[unit]) for axis, values in place.items()}
        file.add_unit(id=unit, spike_times=times, obs_intervals=observed, **position)


def _session_trains(dataset: xr.Dataset, line: Timeline) -> list[np.ndarray]:
    """Sorted session times [s] of each unit's spikes."""
    when = line.to_session(dataset["spike_trial"].values, dataset["spike_time"].values)
    unit = dataset["spike_unit"].values
    order = np.lexsort((when, unit))
    return np.split(when[order], np.searchsorted(unit[order], np.arange(1, dataset.sizes["unit"])))


def _add_fluorescence(file: NWBFile, dataset: xr.Dataset, line: Timeline, indicator: str, region: str) -> None:
    from pynwb.ophys import DfOverF, ImageSegmentation, OpticalChannel

    device = file.create_device("microscope", description="Simulated two-photon laser-scanning microscope.")
    frame_rate = regular_rate(dataset["frame_time"].values)
    plane = file.create_imaging_plane(
        name="imaging_plane",
        description="Simulated imaging plane; one pixel is a square micrometre, depth is projected onto it.",
        optical_channel=OpticalChannel(name="green", description="Green emission.", emission_lambda=510.0),
        device=device,
        excitation_lambda=920.0,
        indicator=indicator,
        location=region,
        **({} if frame_rate is None else {"imaging_rate": frame_rate}),
    )
    module = file.create_processing_module("ophys", "Processed optical physiology.")
    masks = ImageSegmentation(name="ImageSegmentation")
    module.add(masks)
    rois = masks.create_plane_segmentation(
        name="PlaneSegmentation", description="One region of interest per unit.", imaging_plane=plane
    )
    place = _place(dataset)
    for axis in place:
        rois.add_column(axis, POSITION.format(axis[-1]))
    for unit in range(dataset.sizes["unit"]):
        position = {axis: float(values[unit]) for axis, values in place.items()}
        pixel = [max(0, round(position.get(axis, 0.0) / MICROMETRE)) for axis in UNIT_AXES[:2]]
        rois.add_roi(pixel_mask=[(*pixel, 1.0)], **position)
    container = DfOverF(name="DfOverF")
    module.add(container)
    container.create_roi_response_series(
        name="RoiResponseSeries",
        description="Relative fluorescence change (dF/F) of each unit; trials end to end.",
        data=_flat(dataset["fluorescence"]),
        rois=rois.create_roi_table_region("Every unit.", region=list(range(dataset.sizes["unit"]))),
        unit="n.a.",
        **_clock(line.samples(dataset["frame_time"].values)),
    )


def _add_series(file: NWBFile, dataset: xr.Dataset, line: Timeline) -> None:
    """Stimulus, one series per feature; behaviour and firing rates, a column per factor or unit."""
    from pynwb import TimeSeries
    from pynwb.behavior import BehavioralTimeSeries

    if not {"stimulus", "behaviour", "rate"} & set(dataset.data_vars):
        return
    clock = _clock(line.samples(dataset["time"].values))
    if "stimulus" in dataset:
        _add_stimulus(file, dataset, clock)
    if "behaviour" in dataset:
        text = "What the subject did; one column per factor."
        series = TimeSeries(name="behaviour", description=text, data=_flat(dataset["behaviour"]), unit="n.a.", **clock)
        held = BehavioralTimeSeries(name="BehavioralTimeSeries", time_series=series)
        file.create_processing_module("behavior", "Behaviour.").add(held)
    if "rate" in dataset:
        text = "Firing rate; one column per unit."
        module = file.create_processing_module("ecephys", "Firing rates of units.")
        module.add(TimeSeries(name="rate", description=text, data=_flat(dataset["rate"]), unit="Hz", **clock))
        if not is_spiking(dataset) and (place := _place(dataset)):
            module.add(_position_table(place))


def _add_stimulus(file: NWBFile, dataset: xr.Dataset, clock: dict[str, Any]) -> None:
    from pynwb import TimeSeries

    values = dataset["stimulus"].values
    names = dataset["feature"].values if "feature" in dataset.coords else range(values.shape[2])
    for number, feature in enumerate(names):
        series = TimeSeries(
            name=f"stimulus_{number}_{re.sub(r'[/:]', '-', str(feature))}",
            description="A feature of what was shown; NaN where nothing was.",
            data=values[:, :, number].ravel(),
            unit="n.a.",
            **clock,
        )
        file.add_stimulus(series)


def _position_table(place: dict[str, np.ndarray]) -> Any:
    from hdmf.common import DynamicTable, VectorData

    columns = [VectorData(name=axis, description=POSITION.format(axis[-1]), data=v) for axis, v in place.items()]
    return DynamicTable(name="unit_positions", description="Where the units are.", columns=columns)


def _flat(variable: xr.DataArray) -> np.ndarray:
    """(trial, time, column) as (trial x time, column)."""
    return variable.values.reshape(-1, variable.shape[2])


def _clock(times: np.ndarray) -> dict[str, Any]:
    """How NWB wants times [s]: a rate where they are regular, time stamps otherwise."""
    rate = regular_rate(times)
    return {"timestamps": times} if rate is None else {"starting_time": float(times[0]), "rate": rate}
