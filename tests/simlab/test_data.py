"""The vocabulary holds: what does not fit is refused by rule and value, and nothing leaks through `bare`."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from simlab import data
from simlab.contracts import SimlabError
from simlab.session import Session, Stimulus

SPIKES = (np.array([1, 0, 0]), np.array([0.2, 0.9, 0.1]), np.array([2, 0, 1]))


def test_an_activity_sorts_its_spikes_by_trial_then_time():
    activity = data.activity(Session(2, 1.0), 3, spikes=SPIKES)
    assert activity.spike_trial.values.tolist() == [0, 0, 1]
    assert activity.spike_time.values.tolist() == [0.1, 0.9, 0.2]
    assert activity.spike_neuron.values.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("spikes", "rule"),
    [
        ((np.array([0]), np.array([np.nan]), np.array([0])), "finite"),
        ((np.array([0]), np.array([1.5]), np.array([0])), r"0\.\.1\.0 s"),
        ((np.array([0]), np.array([0.5]), np.array([7])), "index the 3 neurons"),
        ((np.array([0, 1]), np.array([0.5]), np.array([0])), "one length"),
    ],
)
def test_impossible_spikes_are_refused_by_rule(spikes, rule):
    with pytest.raises(SimlabError, match=rule):
        data.activity(Session(1, 1.0), 3, spikes=spikes)


def test_a_recording_with_a_neuron_dim_is_refused():
    leaky = data.activity(Session(2, 1.0), 3, spikes=SPIKES)
    with pytest.raises(SimlabError, match="vocabulary"):
        data.check_recording(leaky)


def test_a_variable_outside_the_vocabulary_is_refused():
    with pytest.raises(SimlabError, match="wiring"):
        data.recording(duration=1.0, n_units=1, n_trials=1, wiring=np.zeros((1, 1)))


def test_the_stimulus_is_resampled_onto_the_samples_of_the_rates():
    stimulus = Stimulus(("angle",), np.arange(4.0).reshape(1, 4, 1), interval=0.25)
    time = np.arange(8) * 0.125
    activity = data.activity(Session(1, 1.0, stimulus), 2, rate=np.zeros((1, 8, 2)), time=time)
    assert activity.stimulus.values[0, :, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_binning_counts_every_spike_once():
    counts = data.bin_spikes(data.activity(Session(2, 1.0), 3, spikes=SPIKES), 0.1)
    assert counts.dims == ("trial", "time", "neuron")
    assert counts.shape == (2, 10, 3)
    assert int(counts.sum()) == 3
    assert int(counts[0, 9, 0]) == int(counts[0, 1, 1]) == int(counts[1, 2, 2]) == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4))
def test_trains_bins_and_rates_agree_on_how_many_spikes_there_are(seed, n_units, n_trials):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    spikes = (rng.integers(0, n_trials, n), rng.uniform(0, 2, n), rng.integers(0, n_units, n))
    recording = data.recording(duration=2.0, n_units=n_units, n_trials=n_trials, spikes=spikes)
    counts = np.bincount(spikes[2], minlength=n_units)
    assert [len(train) for train in data.spike_trains(recording)] == counts.tolist()
    assert data.bin_spikes(recording, 0.5).sum(("trial", "time")).values.tolist() == counts.tolist()
    np.testing.assert_allclose(data.mean_rates(recording) * 2 * n_trials, counts)


def test_plain_arrays_become_a_recording_with_units_in_the_order_of_their_labels():
    recording = data.from_arrays(np.array([0.3, 0.1, 0.2]), np.array(["b", "a", "b"]))
    assert recording.sizes["unit"] == 2
    assert recording.spike_unit.values.tolist() == [0, 1, 1]
    assert recording.spike_time.values.max() <= recording.attrs["duration"]


def test_bare_permutes_units_and_drops_whatever_could_carry_the_truth():
    dirty = data.recording(
        duration=1.0, n_units=3, n_trials=2, spikes=SPIKES, unit_x=np.array([1.0, 2.0, 3.0])
    ).assign_attrs(circuit="secret", candidates=("a", "b"))
    dirty["spike_time"].attrs["truth"] = "secret"
    dirty["spike_time"].encoding["source"] = "secret"
    clean = data.bare(dirty, [2, 0, 1])
    assert clean.unit_x.values.tolist() == [3.0, 1.0, 2.0]
    assert clean.spike_unit.values.tolist() == [2, 1, 0]
    assert clean.attrs == {"duration": 1.0, "candidates": ("a", "b")}
    assert "secret" not in repr([(v.attrs, v.encoding) for v in clean.variables.values()])
    assert not np.shares_memory(clean.unit_x.values, dirty.unit_x.values)


def test_signals_of_fluorescence_keep_the_frames_as_time():
    trace = np.arange(6.0).reshape(1, 3, 2)
    recording = data.recording(
        duration=0.3, n_units=2, n_trials=1, fluorescence=trace, frame_time=np.array([0.0, 0.1, 0.2])
    )
    signal = data.signals(recording, 0.05)
    assert signal.dims == ("trial", "time", "unit")
    assert signal.time.values.tolist() == [0.0, 0.1, 0.2]


def test_anatomy_keeps_positions_and_types():
    anatomy = data.anatomy(np.eye(3), ["E", "E", "I"])
    assert isinstance(anatomy, xr.Dataset)
    assert anatomy.y.values.tolist() == [0, 1, 0]
    assert anatomy.cell_type.values.tolist() == ["E", "E", "I"]
