"""What is read of an Activity or a Recording: counts, signals, rates, trains, and what a method lacks in it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simlab.contracts import CONNECTOME, Needs, SimlabError
from simlab.data.checking import ROUNDING


def is_spiking(dataset: xr.Dataset) -> bool:
    """Whether spikes were seen, not only rates or another signal."""
    return "spike_time" in dataset


def modality(dataset: xr.Dataset) -> str:
    """What was measured: `spikes`, else that of the signal (`fluorescence`, `rate` ...) or `connectome`, else ""."""
    if is_spiking(dataset):
        return "spikes"
    if "signal" in dataset:
        return str(dataset["signal"].attrs["modality"])
    if "contacts" in dataset:
        return CONNECTOME
    return "rate" if "rate" in dataset else ""


def cell_dim(dataset: xr.Dataset) -> str:
    """`neuron` for an Activity, `unit` for a Recording."""
    return "neuron" if "neuron" in dataset.sizes else "unit"


def durations(dataset: xr.Dataset) -> np.ndarray:
    """The length of each trial (trial,) [s]."""
    if "trial_duration" in dataset:
        return dataset["trial_duration"].values.astype(float)
    return np.full(dataset.sizes["trial"], float(dataset.attrs["duration"]))


def onsets(dataset: xr.Dataset) -> np.ndarray:
    """When each trial begins (trial,) [s]: on the recording's clock, else as if trials were laid end to end."""
    if "trial_start" in dataset:
        return dataset["trial_start"].values.astype(float)
    length = durations(dataset)
    return np.cumsum(length) - length


def bin_spikes(dataset: xr.Dataset, width: float) -> xr.DataArray:
    """Spike counts (trial, time, unit or neuron) in bins of `width` [s]; `time` labels the bins' left edges.

    A last bin that the trial does not fill is left out; where trials differ in length, bins beyond a trial's end are
    NaN and the counts floats.
    """
    if not is_spiking(dataset):
        raise SimlabError("binning needs spikes; this dataset has none")
    longest = float(durations(dataset).max())
    n_bins = int(longest / width + 1e-6) if width > 0 else 0
    if n_bins < 1:
        raise SimlabError(f"the bin width must be > 0 and at most the trial's {longest} s, got {width}")
    cell = cell_dim(dataset)
    shape = (dataset.sizes["trial"], n_bins, dataset.sizes[cell])
    step = np.floor(dataset["spike_time"].values / width + 1e-9).astype(np.int64)
    inside = step < n_bins
    flat = np.ravel_multi_index(
        (dataset["spike_trial"].values[inside], step[inside], dataset[f"spike_{cell}"].values[inside]), shape
    )
    counts = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
    coords = {"trial": dataset["trial"].values, "time": np.arange(n_bins) * width, cell: dataset[cell].values}
    found = xr.DataArray(counts.astype(np.int32), coords, ("trial", "time", cell), "count")
    return _within_trials(found, dataset, width) if "trial_duration" in dataset else found


def _within_trials(values: xr.DataArray, dataset: xr.Dataset, width: float) -> xr.DataArray:
    """NaN where a bin or sample, which lasts `width` [s] from its time on, passes its trial's end."""
    ends = xr.DataArray(durations(dataset), {"trial": values["trial"].values}, ("trial",))
    return values.where(values["time"] + width <= ends + ROUNDING)


def continuous(dataset: xr.Dataset) -> xr.DataArray:
    """The signal of a Recording, or an Activity's rate, as (trial, time, unit or neuron); `time` [s].

    Its attrs have `modality` and `units`. Samples beyond the end of a shorter trial are NaN. Raises SimlabError where
    nothing continuous was measured.
    """
    if "signal" in dataset:
        signal = dataset["signal"].rename(sample="time").assign_coords(time=dataset["sample_time"].values)
        return _within_trials(signal, dataset, 0.0) if "trial_duration" in dataset else signal
    if "rate" in dataset:
        rate = dataset["rate"]
        return rate.assign_attrs({"modality": "rate", "units": "Hz"} | rate.attrs)
    raise SimlabError("this dataset has no continuous signal: it holds spikes only, or nothing")


def bin_signal(dataset: xr.Dataset, width: float) -> np.ndarray:
    """(trial, bin, unit or neuron): means of what was measured continuously, in bins of `width` [s].

    Up to the bin of the last sample; NaN in a bin that holds none.
    """
    signal = continuous(dataset).transpose("trial", "time", cell_dim(dataset))
    place = np.floor(signal["time"].values / width + 1e-9).astype(int)
    held, start = np.unique(place, return_index=True)
    size = np.diff(np.append(start, len(place)))[:, None]
    mean = np.full((signal.shape[0], int(place[-1]) + 1, signal.shape[2]), np.nan)
    mean[:, held] = np.add.reduceat(signal.values, start, axis=1) / size
    return mean


def signals(dataset: xr.Dataset, width: float) -> xr.DataArray:
    """Whatever was measured as (trial, time, unit): counts in bins of `width` [s], else the signal at its own samples.

    `time` holds the times either way [s].
    """
    return bin_spikes(dataset, width) if is_spiking(dataset) else continuous(dataset)


def mean_rates(dataset: xr.Dataset) -> np.ndarray:
    """Mean firing rate [Hz] of each unit or neuron (cell,), over all trials."""
    cell = cell_dim(dataset)
    counts = np.bincount(dataset[f"spike_{cell}"].values, minlength=dataset.sizes[cell])
    return counts / durations(dataset).sum()


def in_window(dataset: xr.Dataset, start: float, length: float) -> np.ndarray:
    """(trial, unit or neuron): spikes within `length` [s] from `start` [s] of each trial, else the signal's mean there.

    Raises SimlabError where neither was measured, or no sample of the signal lies in the window.
    """
    stop = start + length
    if not is_spiking(dataset):
        trace = continuous(dataset)
        inside = (trace["time"].values >= start - ROUNDING) & (trace["time"].values < stop - ROUNDING)
        if not inside.any():
            raise SimlabError(f"no sample of the signal lies in {start}..{stop} s: widen the window")
        return trace.values[:, inside].astype(float).mean(axis=1)
    cell, time = cell_dim(dataset), dataset["spike_time"].values
    inside = (time >= start - ROUNDING) & (time < stop - ROUNDING)
    shape = (dataset.sizes["trial"], dataset.sizes[cell])
    flat = np.ravel_multi_index((dataset["spike_trial"].values[inside], dataset[f"spike_{cell}"].values[inside]), shape)
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape).astype(float)


def spike_trains(dataset: xr.Dataset) -> list[np.ndarray]:
    """One array of sorted times per cell on one time axis [s]: the recording's clock, else trials laid end to end."""
    cell = cell_dim(dataset)
    times = dataset["spike_time"].values + onsets(dataset)[dataset["spike_trial"].values]
    cells = dataset[f"spike_{cell}"].values
    order = np.lexsort((times, cells))
    edges = np.searchsorted(cells[order], np.arange(1, dataset.sizes[cell]))
    return np.split(times[order], edges)


def equal_trials(recording: xr.Dataset) -> xr.Dataset:
    """A Recording whose trials are all cut to the shortest one's length; itself where they are of one length."""
    if "trial_duration" not in recording:
        return recording
    shortest = float(durations(recording).min())
    kept: dict[str, np.ndarray] = {}
    if is_spiking(recording):
        kept["spike"] = np.flatnonzero(recording["spike_time"].values <= shortest)
    if "signal" in recording:
        kept["sample"] = np.flatnonzero(recording["sample_time"].values <= shortest)
    if "time" in recording.coords:
        kept["time"] = np.flatnonzero(recording["time"].values <= shortest)
    return recording.isel(kept).drop_vars("trial_duration").assign_attrs(duration=shortest)


def missing(recording: xr.Dataset, needs: Needs) -> str:
    """What a method with these needs lacks in this recording, as the reason to abstain; "" if nothing."""
    seen = {"spikes"} if is_spiking(recording) else set()
    seen |= {str(recording["signal"].attrs["modality"])} if "signal" in recording else set()
    seen |= {CONNECTOME} if "contacts" in recording else set()
    wanted = set(needs.modalities) or seen - {CONNECTOME}
    total = float(durations(recording).sum())
    rules = (
        (not (needs.modalities or seen) or seen & wanted, f"needs {' or '.join(needs.modalities) or 'activity'}, "
         f"and this recording holds {' and '.join(sorted(seen)) or 'neither spikes nor a signal'}"),
        (recording.sizes["unit"] >= needs.units, f"needs at least {needs.units} units, got {recording.sizes['unit']}"),
        (recording.sizes["trial"] >= needs.trials,
         f"needs at least {needs.trials} trials, got {recording.sizes['trial']}"),
        (total >= needs.seconds * (1 - 1e-9), f"needs at least {needs.seconds:g} s of recording, got {total:g} s"),
        ("stimulus" in recording or not needs.stimulus, "needs the stimulus, and this recording has none"),
        ("condition" in recording or not needs.conditions, "needs the trials' conditions, and this recording has none"),
        ("behaviour" in recording or not needs.behaviour, "needs behaviour, and this recording has none"),
        ("outcome" in recording or not needs.outcome,
         "the task scores no outcome: there is no behaviour whose parts could be found"),
        (recording.sizes.get("model_unit") or not needs.models,
         "needs candidate models that can see what was shown, and there are none beside this recording"),
        ("trial_duration" not in recording or not needs.equal_trials,
         "needs trials of one length: cut them with simlab.equal_trials"),
    )  # fmt: skip
    return next((reason for holds, reason in rules if not holds), "")
