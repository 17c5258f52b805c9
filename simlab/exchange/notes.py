"""What other formats have no place for, as a line of JSON that travels in one of their fields for notes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import RECORDING, durations, from_json, to_json
from simlab.data.vocabulary import LABELS, RECORDING_ATTRS

FORMAT = "simlab-notes"
VERSION = 1

SAID = ("n_units", "durations", "spiking", "clock", "signal", "names", "attrs", "tables")

TABLES = tuple(name for name, dims in RECORDING.items() if dims in (("unit",), ("channel",)))
"""Variables with one number per unit or channel."""


def to_notes(dataset: xr.Dataset, *, tables: bool = False) -> str:
    """One line of JSON: number of units, lengths of trials, whether they stand on a clock, signal, names, attributes.

    tables: what is known of each unit and channel too, for formats without tables of them.
    """
    signal = dataset.get("signal")
    notes = {
        "format": FORMAT,
        "version": VERSION,
        "n_units": dataset.sizes["unit"],
        "durations": durations(dataset),
        "spiking": "spike_time" in dataset,
        "clock": "trial_start" in dataset,
        "signal": None if signal is None else {"over": str(signal.dims[2]), **signal.attrs},
        "names": {name: [str(label) for label in dataset[name].values] for name in LABELS if name in dataset.coords},
        "attrs": {name: dataset.attrs[name] for name in RECORDING_ATTRS[1:] if name in dataset.attrs},
        "tables": {name: dataset[name].values for name in TABLES if name in dataset} if tables else {},
    }
    return json.dumps(to_json(notes), allow_nan=False)


def read_notes(text: Any) -> dict[str, Any] | None:
    """The notes that `to_notes` wrote; None where the text is not ours. Raises SimlabError for half of them."""
    try:
        notes = json.loads(str(text))
    except ValueError:
        return None
    ours = isinstance(notes, dict) and (notes.get("format"), notes.get("version")) == (FORMAT, VERSION)
    if not ours:
        return None
    if lost := [key for key in SAID if key not in notes]:
        raise SimlabError(f"simlab's notes must say {', '.join(SAID)}, got none on {', '.join(lost)}: remove the notes")
    return from_json(notes)


def signal_of(notes: Mapping[str, Any], values: np.ndarray, time: np.ndarray) -> dict[str, Any]:
    """The arguments of `simlab.data.recording` for a signal (trial, sample, unit or channel)."""
    said = notes["signal"]
    return {
        "signal": values,
        "sample_time": time,
        "over": said["over"],
        "modality": said["modality"],
        "signal_units": said["units"],
    }


def named(recording: xr.Dataset, notes: Mapping[str, Any]) -> xr.Dataset:
    """The recording with the notes' names along its dims, and their attributes."""
    for name, labels in notes["names"].items():
        size = recording.sizes[LABELS[name]] if LABELS.get(name) in recording.sizes else 0
        if size != len(labels):
            raise SimlabError(f"simlab's notes must name each {name}, got {len(labels)} for {size}: remove the notes")
        recording = recording.assign_coords({name: (LABELS[name], np.array(labels, dtype=object))})
    return recording.assign_attrs(notes["attrs"])
