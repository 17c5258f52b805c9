"""The closed vocabulary of dims and variables; builders and checks of Activity and Recording, and what is read of them.

Both are plain `xr.Dataset`s. Spikes are a flat table over `spike`, sorted by trial, then time: `spike_trial`
(index), `spike_time` [s from trial onset] and `spike_neuron` (Activity) or `spike_unit` (Recording).
`neuron` stands only before the instrument and `unit` only after it, so a leak shows in the dims. Whatever is measured
continuously is one variable, `signal`, whose `modality` attribute says what it is of.
"""

from simlab.data.blinding import bare, plain
from simlab.data.building import activity, anatomy, recording
from simlab.data.checking import check_activity, check_contacts, check_recording
from simlab.data.plain_arrays import from_arrays
from simlab.data.plain_json import from_json, to_json
from simlab.data.reading import (
    bin_signal,
    bin_spikes,
    cell_dim,
    continuous,
    durations,
    equal_trials,
    in_window,
    is_spiking,
    mean_rates,
    missing,
    modality,
    onsets,
    signals,
    spike_trains,
)
from simlab.data.vocabulary import ACTIVITY, DIMS, RECORDING, RECORDING_ATTRS, UNITS

__all__ = [
    "ACTIVITY", "DIMS", "RECORDING", "RECORDING_ATTRS", "UNITS", "activity", "anatomy", "bare", "bin_signal",
    "bin_spikes", "cell_dim", "check_activity", "check_contacts", "check_recording", "continuous", "durations",
    "equal_trials", "from_arrays", "from_json", "in_window", "is_spiking", "mean_rates", "missing", "modality",
    "onsets", "plain", "recording", "signals", "spike_trains", "to_json",
]  # fmt: skip
