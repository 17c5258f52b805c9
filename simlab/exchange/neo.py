"""Recordings to and from Neo: one segment per trial, so that elephant's functions take them as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import bare, check_recording, is_spiking, recording
from simlab.exchange.timeline import regular_rate
from simlab.instruments.placement import UNIT_AXES

if TYPE_CHECKING:
    import neo

SIGNALS = {"fluorescence": "frame", "rate": "time", "stimulus": "time", "behaviour": "time"}
SIGNAL_UNITS = {"rate": "Hz"}


def to_neo(dataset: xr.Dataset) -> neo.Block:
    """A Block with a Segment per trial; times are in seconds from the trial's onset.

    Each segment has one SpikeTrain per unit (annotated with unit and position [m]), and a signal for each of
    fluorescence, rate, stimulus and behaviour: an AnalogSignal where samples are evenly spaced, else irregular.
    """
    import neo

    check_recording(dataset)
    dataset = bare(dataset)
    duration = float(dataset.attrs["duration"])
    features = [str(f) for f in dataset["feature"].values] if "feature" in dataset.coords else []
    block = neo.Block(
        name="recording",
        n_units=dataset.sizes["unit"],
        duration=duration,
        features=features,
        candidates=list(dataset.attrs.get("candidates", ())),
        **{axis: dataset[axis].values.tolist() for axis in UNIT_AXES if axis in dataset},
    )
    for trial in range(dataset.sizes["trial"]):
        segment = neo.Segment(name=f"trial {trial}", index=trial)
        if "condition" in dataset:
            segment.annotate(condition=int(dataset["condition"].values[trial]))
        segment.spiketrains.extend(_trains(dataset, trial, duration))
        for name, dim in SIGNALS.items():
            if name in dataset:
                times = dataset["frame_time" if dim == "frame" else "time"].values
                signal = _signal(name, dataset[name].values[trial], times)
                (segment.analogsignals if signal.sampling_rate else segment.irregularlysampledsignals).append(signal)
        block.segments.append(segment)
    return block


def _trains(dataset: xr.Dataset, trial: int, duration: float) -> list[Any]:
    import neo

    if not is_spiking(dataset):
        return []
    mine = dataset["spike_trial"].values == trial
    times, units = dataset["spike_time"].values[mine], dataset["spike_unit"].values[mine]
    return [
        neo.SpikeTrain(
            times[units == unit], units="s", t_start=0.0, t_stop=duration, name=f"unit {unit}", unit=unit,
            **{axis: float(dataset[axis].values[unit]) for axis in UNIT_AXES if axis in dataset},
        )
        for unit in range(dataset.sizes["unit"])
    ]  # fmt: skip


def _signal(name: str, values: np.ndarray, times: np.ndarray) -> Any:
    import neo

    units, rate = SIGNAL_UNITS.get(name, "dimensionless"), regular_rate(times)
    if rate is None:
        return neo.IrregularlySampledSignal(times, values, units=units, time_units="s", name=name)
    return neo.AnalogSignal(
        values, units=units, sampling_rate=rate * _unit("Hz"), t_start=times[0] * _unit("s"), name=name
    )


def _unit(name: str) -> Any:
    import quantities

    return getattr(quantities, name)


def from_neo(block: neo.Block) -> xr.Dataset:
    """A Recording of a Block whose segments are trials: ours, or anybody's spike trains and signals.

    Trials must have one length and the same units, in the same order; signals are known by the names that `to_neo`
    gives. Times count from each segment's `t_start`. Raises SimlabError where segments do not fit together.
    """
    segments = block.segments
    _require(len(segments) > 0, "a recording needs at least one segment (trial), got a block with none")
    notes = block.annotations
    counts = sorted({len(s.spiketrains) for s in segments})
    _require(len(counts) == 1, f"every segment must hold the same units, got numbers of spike trains {counts}")
    duration = float(notes["duration"]) if "duration" in notes else _duration(segments)
    variables: dict[str, Any] = {a: np.array(notes[a]) for a in UNIT_AXES if a in notes}
    signals, clocks = _signals(segments)
    variables |= signals
    if conditions := [s.annotations["condition"] for s in segments if "condition" in s.annotations]:
        variables["condition"] = conditions
    if "frame" in clocks:
        variables["frame_time"] = clocks["frame"]
    seen = [signals[name].shape[2] for name in ("fluorescence", "rate") if name in signals]
    result = recording(
        duration=duration,
        n_units=int(notes.get("n_units", counts[0] or (seen[0] if seen else 0))),
        n_trials=len(segments),
        spikes=_spikes(segments) if counts[0] else None,
        time=clocks.get("time"),
        **variables,
    )
    if notes.get("features"):
        result = result.assign_coords(feature=list(notes["features"]))
    if notes.get("candidates"):
        result.attrs["candidates"] = tuple(notes["candidates"])
    return result


def _require(rule: bool, message: str) -> None:
    if not rule:
        raise SimlabError(message)


def _duration(segments: list[Any]) -> float:
    lengths = sorted({round(float((s.t_stop - s.t_start).rescale("s")), 9) for s in segments})
    _require(len(lengths) == 1, f"trials must have one length, got segments of {lengths} s: cut them to the same")
    return lengths[0]


def _spikes(segments: list[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    trial, time, unit = [], [], []
    for index, segment in enumerate(segments):
        for number, train in enumerate(segment.spiketrains):
            times = (train.rescale("s") - train.t_start.rescale("s")).magnitude
            time.append(times)
            trial.append(np.full(len(times), index))
            unit.append(np.full(len(times), number))
    return np.concatenate(trial), np.concatenate(time), np.concatenate(unit)


def _signals(segments: list[Any]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Variables (trial, time or frame, ...) by name, and the sample times [s] by dim."""
    values: dict[str, list[np.ndarray]] = {}
    clocks: dict[str, np.ndarray] = {}
    for segment in segments:
        for signal in (*segment.analogsignals, *segment.irregularlysampledsignals):
            if signal.name in SIGNALS:
                values.setdefault(signal.name, []).append(signal.magnitude)
                clocks[SIGNALS[signal.name]] = signal.times.rescale("s").magnitude
    return {name: np.stack(trials) for name, trials in values.items()}, clocks
