"""Recordings to and from Neo: one segment per trial, so that elephant's functions take them as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab.data import bare, check_recording, durations, is_spiking
from simlab.exchange.foreign import refuse_contacts
from simlab.exchange.neo_reading import CLOCKS, from_neo
from simlab.exchange.notes import to_notes
from simlab.exchange.timeline import SNAP, regular_rate
from simlab.instruments.placement import UNIT_AXES

if TYPE_CHECKING:
    import neo

__all__ = ["from_neo", "to_neo"]


def to_neo(dataset: xr.Dataset) -> neo.Block:
    """A Block with a Segment per trial; times are in seconds from the trial's onset.

    Each segment has one SpikeTrain per unit (annotated with unit, label and position [m]), and a signal for each of
    signal, stimulus and behaviour: an AnalogSignal where samples are evenly spaced, else irregular; it ends with its
    trial. Segments are annotated with duration, condition, outcome and start [s]; the block with the rest, as a line
    of JSON.
    """
    import neo

    check_recording(dataset)
    refuse_contacts("contacts" in dataset, "Neo")
    dataset = bare(dataset, labels=True)
    block = neo.Block(name="recording", simlab=to_notes(dataset, tables=True))
    for trial, duration in enumerate(durations(dataset)):
        segment = neo.Segment(name=f"trial {trial}", index=trial, duration=float(duration))
        if "condition" in dataset:
            segment.annotate(condition=int(dataset["condition"].values[trial]))
        if "outcome" in dataset:
            segment.annotate(outcome=float(dataset["outcome"].values[trial]))
        if "trial_start" in dataset:
            segment.annotate(start=float(dataset["trial_start"].values[trial]))
        segment.spiketrains.extend(_trains(dataset, trial, float(duration)))
        for name, clock in CLOCKS.items():
            if name in dataset:
                signal = _signal(dataset[name][trial], dataset[clock].values, float(duration))
                (segment.analogsignals if signal.sampling_rate else segment.irregularlysampledsignals).append(signal)
        block.segments.append(segment)
    return block


def _trains(dataset: xr.Dataset, trial: int, duration: float) -> list[Any]:
    import neo

    if not is_spiking(dataset):
        return []
    mine = dataset["spike_trial"].values == trial
    times, units = dataset["spike_time"].values[mine], dataset["spike_unit"].values[mine]
    labels = dataset["unit_label"].values if "unit_label" in dataset.coords else None
    return [
        neo.SpikeTrain(
            times[units == unit], units="s", t_start=0.0, t_stop=max(duration, times.max(initial=0.0)), unit=unit,
            name=f"unit {unit}" if labels is None else str(labels[unit]),
            **{axis: float(dataset[axis].values[unit]) for axis in UNIT_AXES if axis in dataset},
        )
        for unit in range(dataset.sizes["unit"])
    ]  # fmt: skip


def _signal(variable: xr.DataArray, times: np.ndarray, duration: float) -> Any:
    """One trial's samples, up to its end."""
    import neo

    held = times <= duration + SNAP
    values, times = variable.values[held], times[held]
    said = str(variable.attrs.get("units", ""))
    about = {"name": str(variable.name), "measured_in": said, "modality": variable.attrs.get("modality", "")}
    rate = regular_rate(times)
    if rate is None:
        return neo.IrregularlySampledSignal(times, values, units=_known(said), time_units="s", **about)
    return neo.AnalogSignal(
        values, units=_known(said), sampling_rate=rate * _known("Hz"), t_start=times[0] * _known("s"), **about
    )


def _known(units: str) -> Any:
    """The unit of that name, dimensionless where quantities knows none."""
    import quantities

    try:
        return quantities.unit_registry[units] if units else quantities.dimensionless
    except LookupError:
        return quantities.dimensionless
