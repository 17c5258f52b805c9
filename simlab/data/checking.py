"""Is this an Activity, is this a Recording? Errors name the rule and the value received."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data.vocabulary import ACTIVITY, DIMS, RECORDING

ROUNDING = 1e-9
"""Seconds by which a time may pass its trial's end."""


def check_activity(dataset: xr.Dataset) -> None:
    """Raises SimlabError, naming rule and value, unless this is an Activity."""
    _check(dataset, "an activity", ACTIVITY, "neuron")


def check_recording(dataset: xr.Dataset) -> None:
    """Raises SimlabError, naming rule and value, unless this is a Recording."""
    _check(dataset, "a recording", RECORDING, "unit")
    if "signal" in dataset:
        _check_signal(dataset)
    if "contacts" in dataset:
        check_contacts(dataset, "a recording", "unit")
    for name in ("trial_duration", "trial_start"):
        if name in dataset:
            values = dataset[name].values
            least = 0.0 if name == "trial_start" else np.nextafter(0.0, 1.0)
            if not (np.isfinite(values).all() and (values >= least).all()):
                raise SimlabError(
                    f"{name} must be finite seconds {'> 0' if least else '>= 0'}, got {values.tolist()[:5]}"
                )


def check_contacts(dataset: xr.Dataset, what: str, cell: str) -> None:
    """Raises SimlabError unless `contacts` counts the synapses among all pairs of cells (units or neurons)."""
    shape, n_cells = dataset["contacts"].shape, dataset.sizes[cell]
    if shape != (n_cells, n_cells):
        raise SimlabError(f"{what} of {n_cells} {cell}s needs contacts (pre, post) of these, got shape {shape}")
    if dataset["contacts"].size and dataset["contacts"].values.min() < 0:
        raise SimlabError(f"{what}'s contacts must be >= 0, got {dataset['contacts'].values.min()}: count synapses")


def _check(dataset: xr.Dataset, what: str, vocabulary: Mapping[str, tuple[str, ...]], cell: str) -> None:
    if not isinstance(dataset, xr.Dataset):
        raise SimlabError(f"{what} must be an xarray.Dataset, got {type(dataset).__name__}")
    if strangers := set(dataset.sizes) - set(DIMS):
        raise SimlabError(f"{what} has dims {sorted(map(str, strangers))} outside the vocabulary {DIMS}")
    for name, variable in dataset.data_vars.items():
        allowed = vocabulary.get(str(name), ())
        beside = tuple("channel" if dim == "unit" else dim for dim in allowed) if name == "signal" else allowed
        if not allowed or variable.dims not in (allowed, beside):
            raise SimlabError(
                f"{what} variable {name!r} has dims {variable.dims}; the vocabulary is {dict(vocabulary)}"
            )
        if variable.dtype.kind not in "ifub":
            raise SimlabError(
                f"{what} variable {name!r} must hold numbers, got dtype {variable.dtype}: code text as numbers"
            )
    if "duration" not in dataset.attrs:
        raise SimlabError(f"{what} needs attrs['duration'], the length of each trial in seconds")
    if lost := {"trial", cell} - set(dataset.sizes):
        raise SimlabError(f"{what} needs the dims trial and {cell}, got no {' and '.join(sorted(lost))}: build it anew")
    if f"spike_{cell}" in dataset:
        _check_spikes(dataset, what, cell)
    if "outcome" in dataset:
        _check_outcome(dataset["outcome"].values, what)


def _check_outcome(outcome: np.ndarray, what: str) -> None:
    inside = (outcome >= 0) & (outcome <= 1)
    if not inside.all():
        raise SimlabError(
            f"{what}'s outcome must lie in 0..1, got {outcome[~inside][0]}: give the share of each trial that was right"
        )


def _check_signal(dataset: xr.Dataset) -> None:
    if not dataset["signal"].attrs.get("modality"):
        raise SimlabError("a signal needs attrs['modality'], such as 'fluorescence': say what was measured")
    if "sample_time" not in dataset:
        raise SimlabError("a signal needs sample_time (sample,), the seconds from trial onset of each sample")


def _check_spikes(dataset: xr.Dataset, what: str, cell: str) -> None:
    for column, dim in ((f"spike_{cell}", cell), ("spike_trial", "trial")):
        values = dataset[column].values
        if values.size and (values.min() < 0 or values.max() >= dataset.sizes[dim]):
            raise SimlabError(
                f"{what} {column} must index the {dataset.sizes[dim]} {dim}s, got {values.min()}..{values.max()}"
            )
    _check_times(dataset)


def _check_times(dataset: xr.Dataset) -> None:
    times, duration = dataset["spike_time"].values, dataset.attrs["duration"]
    if not np.isfinite(times).all():
        raise SimlabError(
            f"spike times must be finite, got {int((~np.isfinite(times)).sum())} that are not: drop them first"
        )
    if "trial_duration" in dataset:
        duration = dataset["trial_duration"].values[dataset["spike_trial"].values]
    if times.size and (times.min() < 0 or (times > duration + ROUNDING).any()):
        raise SimlabError(
            f"spike times must lie in 0..{np.max(duration)} s of their trial, got {times.min()}..{times.max()}: "
            "subtract each trial's onset, or give the right duration"
        )
