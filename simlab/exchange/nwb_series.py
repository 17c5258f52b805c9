"""Writing what was measured, shown and done over time into an NWB file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab.data import is_spiking
from simlab.exchange.nwb_tables import DESCRIPTIONS, SIGNALS, UNIT_TABLE, add_columns, unit_columns
from simlab.exchange.timeline import Timeline, regular_rate
from simlab.instruments.placement import UNIT_AXES

if TYPE_CHECKING:
    from pynwb import NWBFile

MICROMETRE = 1e-6
"""Side of the square that one pixel of the imaging plane stands for [m]."""


def add_signal(file: NWBFile, dataset: xr.Dataset, line: Timeline, indicator: str, region: str) -> None:
    """dF/F of units as NWB's responses of regions of interest; any other signal as a series that says what it is."""
    from pynwb import TimeSeries

    signal = dataset["signal"]
    said = signal.attrs["modality"], signal.attrs["units"], signal.dims[2]
    if said == ("fluorescence", "dF/F", "unit"):
        _add_fluorescence(file, dataset, line, indicator, region)
        return
    data, clock = _clocked(dataset, "signal", line)
    module = file.create_processing_module(SIGNALS, "What was measured continuously.")
    text = f"Signal of kind: {said[0]}; one column per {said[2]}."
    module.add(TimeSeries(name="signal", description=text, data=data, unit=said[1] or "n.a.", **clock))
    if not is_spiking(dataset) and (columns := unit_columns(dataset)):
        from hdmf.common import DynamicTable, VectorData

        held = [VectorData(name=name, description=DESCRIPTIONS[name], data=v) for name, v in columns.items()]
        module.add(DynamicTable(name=UNIT_TABLE, description="What is known of the units.", columns=held))


def _add_fluorescence(file: NWBFile, dataset: xr.Dataset, line: Timeline, indicator: str, region: str) -> None:
    from pynwb.ophys import DfOverF

    rois = _regions(file, dataset, indicator, region)
    container = DfOverF(name="DfOverF")
    file.processing["ophys"].add(container)
    data, clock = _clocked(dataset, "signal", line)
    container.create_roi_response_series(
        name="RoiResponseSeries",
        description="Relative fluorescence change (dF/F) of each unit; without samples between trials.",
        data=data,
        rois=rois.create_roi_table_region("Every unit.", region=list(range(dataset.sizes["unit"]))),
        unit="n.a.",
        **clock,
    )


def _regions(file: NWBFile, dataset: xr.Dataset, indicator: str, region: str) -> Any:
    """A table of one region of interest per unit, in an imaging plane."""
    from pynwb.ophys import ImageSegmentation, OpticalChannel

    device = file.create_device("microscope", description="Simulated two-photon laser-scanning microscope.")
    frame_rate = regular_rate(dataset["sample_time"].values)
    plane = file.create_imaging_plane(
        name="imaging_plane",
        description="Simulated imaging plane; one pixel is a square micrometre, depth is projected onto it.",
        optical_channel=OpticalChannel(name="green", description="Green emission.", emission_lambda=510.0),
        device=device,
        excitation_lambda=920.0,
        indicator=indicator,
        location=region,
        grid_spacing=[MICROMETRE, MICROMETRE],
        grid_spacing_unit="meters",
        **({} if frame_rate is None else {"imaging_rate": frame_rate}),
    )
    masks = ImageSegmentation(name="ImageSegmentation")
    file.create_processing_module("ophys", "Processed optical physiology.").add(masks)
    rois = masks.create_plane_segmentation(
        name="PlaneSegmentation", description="One region of interest per unit.", imaging_plane=plane
    )
    columns = unit_columns(dataset)
    add_columns(rois.add_column, columns)
    for unit in range(dataset.sizes["unit"]):
        known = {name: values[unit] for name, values in columns.items()}
        pixel = [max(0, round(known.get(axis, 0.0) / MICROMETRE)) for axis in UNIT_AXES[:2]]
        rois.add_roi(pixel_mask=[(*pixel, 1.0)], **known)
    return rois


def add_series(file: NWBFile, dataset: xr.Dataset, line: Timeline) -> None:
    """Stimulus, one series per feature; behaviour, a column per factor."""
    from pynwb import TimeSeries
    from pynwb.behavior import BehavioralTimeSeries

    if "stimulus" in dataset:
        values, clock = _clocked(dataset, "stimulus", line)
        names = dataset["feature"].values if "feature" in dataset.coords else range(values.shape[1])
        for number, feature in enumerate(names):
            series = TimeSeries(
                name=f"stimulus_{number}_{re.sub(r'[/:]', '-', str(feature))}",
                description="A feature of what was shown; NaN where nothing was.",
                data=values[:, number],
                unit="n.a.",
                **clock,
            )
            file.add_stimulus(series)
    if "behaviour" in dataset:
        data, clock = _clocked(dataset, "behaviour", line)
        text = "What the subject did; one column per factor."
        series = TimeSeries(name="behaviour", description=text, data=data, unit="n.a.", **clock)
        held = BehavioralTimeSeries(name="BehavioralTimeSeries", time_series=series)
        file.create_processing_module("behavior", "Behaviour.").add(held)


def _clocked(dataset: xr.Dataset, name: str, line: Timeline) -> tuple[np.ndarray, dict[str, Any]]:
    """A variable's samples (sample, column) on the session's clock, and how NWB wants their times [s]."""
    time = dataset["sample_time" if name == "signal" else "time"].values
    values, times = line.unfold(dataset[name].values, time)
    rate = regular_rate(times) if line.unbroken else None  # what a rate says is continuous
    return values, {"timestamps": times} if rate is None else {"starting_time": float(times[0]), "rate": rate}
