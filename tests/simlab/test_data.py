"""The vocabulary holds: what does not fit is refused by rule and value, and nothing leaks through `bare`."""

from __future__ import annotations

import json

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
    ).assign_attrs(circuit="secret", brief={"candidates": ["a", "b"]})
    dirty = dirty.assign_coords(unit_label=("unit", ["secret", "secret", "secret"]))
    dirty["spike_time"].attrs["truth"] = "secret"
    dirty["spike_time"].encoding["source"] = "secret"
    clean = data.bare(dirty, [2, 0, 1])
    assert clean.unit_x.values.tolist() == [3.0, 1.0, 2.0]
    assert clean.spike_unit.values.tolist() == [2, 1, 0]
    assert clean.attrs == {"duration": 1.0, "brief": {"candidates": ("a", "b")}}
    assert "unit_label" not in clean.coords
    assert "secret" not in repr([(v.attrs, v.encoding) for v in clean.variables.values()])
    assert not np.shares_memory(clean.unit_x.values, dirty.unit_x.values)


def test_the_outcome_of_each_trial_reaches_a_blind_recording():
    seen = data.activity(Session(2, 1.0), 3, spikes=SPIKES, outcome=np.array([0.25, 1.0]))
    passed_on = data.recording(duration=1.0, n_units=3, n_trials=2, spikes=SPIKES, like=seen)
    assert data.bare(passed_on).outcome.values.tolist() == [0.25, 1.0]


@pytest.mark.parametrize("outcome", [[0.5, 1.5], [-0.1, 0.0], [np.nan, 1.0]])
def test_an_outcome_beyond_0_to_1_is_refused_by_rule(outcome):
    with pytest.raises(SimlabError, match=r"outcome must lie in 0\.\.1, got (1\.5|-0\.1|nan)"):
        data.activity(Session(2, 1.0), 3, outcome=np.array(outcome))


def traced(duration=0.3, n_trials=1, **more):
    trace = np.arange(6.0 * n_trials).reshape(n_trials, 3, 2)
    return data.recording(
        duration=duration, n_units=2, n_trials=n_trials, signal=trace, modality="voltage", signal_units="mV",
        sample_time=np.array([0.0, 0.1, 0.2]), **more,
    )  # fmt: skip


def test_a_signal_keeps_its_own_samples_as_time_and_says_what_it_is():
    signal = data.signals(traced(), 0.05)
    assert signal.dims == ("trial", "time", "unit")
    assert signal.time.values.tolist() == [0.0, 0.1, 0.2]
    assert signal.attrs == {"modality": "voltage", "units": "mV"}
    assert data.modality(traced()) == "voltage"


def test_samples_and_bins_beyond_a_shorter_trials_end_are_nan():
    signal = data.continuous(traced(np.array([0.3, 0.15]), n_trials=2))
    assert np.isfinite(signal.values[0]).all()
    assert np.isnan(signal.values[1]).all(axis=1).tolist() == [False, False, True]
    spikes = (np.array([0, 1]), np.array([0.9, 0.1]), np.array([0, 0]))
    counts = data.bin_spikes(data.recording(duration=np.array([1.0, 0.5]), n_units=1, n_trials=2, spikes=spikes), 0.25)
    np.testing.assert_array_equal(counts.values[:, :, 0], [[0, 0, 0, 1], [1, 0, np.nan, np.nan]])


def test_trials_cut_to_the_shortest_are_equal():
    cut = data.equal_trials(traced(np.array([0.3, 0.15]), n_trials=2))
    assert cut.attrs["duration"] == 0.15
    assert "trial_duration" not in cut
    assert cut.sample_time.values.tolist() == [0.0, 0.1]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"modality": ""}, "needs attrs\\['modality'\\]"),
        ({"sample_time": None}, "needs sample_time"),
        ({"trial_start": np.array([-1.0])}, "trial_start must be finite seconds >= 0"),
    ],
)
def test_a_signal_that_says_too_little_is_refused(changed, rule):
    parts = {"signal": np.zeros((1, 2, 1)), "modality": "voltage", "sample_time": np.arange(2.0)} | changed
    with pytest.raises(SimlabError, match=rule):
        data.recording(duration=2.0, n_units=1, n_trials=1, **parts)


def test_silent_units_are_kept_in_the_order_of_the_labels_given():
    found = data.from_arrays(np.array([0.3, 0.1]), np.array(["b", "a"]), units=["c", "b", "silent", "a"], duration=1.0)
    assert found.unit_label.values.tolist() == ["c", "b", "silent", "a"]
    assert found.spike_unit.values.tolist() == [3, 1]
    assert data.mean_rates(found).tolist() == [0, 1, 0, 1]


def test_whole_numbers_serve_as_labels():
    found = data.from_arrays(np.array([0.1, 0.2]), np.array([17, 4]), units=[4, 9, 17], duration=1.0)
    assert found.unit_label.values.tolist() == ["4", "9", "17"]
    assert found.spike_unit.values.tolist() == [2, 0]


def test_a_recording_of_silent_units_alone_can_be_made():
    found = data.from_arrays(np.zeros(0), np.zeros(0, int), units=[1, 2], duration=3.0)
    assert dict(found.sizes) == {"trial": 1, "unit": 2, "spike": 0}


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"units": ["a"]}, r"got spikes of \['b'\]: list them too"),
        ({"units": ["a", "b", "a"]}, "labels of their own"),
        ({"trials": np.array([0.5, 0.0])}, "trials must be whole numbers"),
        ({"duration": -1.0}, "finite and > 0 s"),
        ({"duration": 0.2}, "subtract each trial's onset"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_rule(changed, rule):
    with pytest.raises(SimlabError, match=rule):
        data.from_arrays(np.array([0.3, 0.1]), np.array(["b", "a"]), **changed)


def test_arrays_may_come_from_trials_of_unequal_length():
    found = data.from_arrays(
        np.array([1.9, 0.1]), np.array([0, 0]), trials=np.array([1, 0]), duration=np.array([1.0, 2.0, 3.0])
    )
    assert found.sizes["trial"] == 3
    assert found.trial_duration.values.tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_allclose(data.spike_trains(found)[0], [0.1, 2.9])  # trials laid end to end
    with pytest.raises(SimlabError, match="must lie in"):
        data.from_arrays(np.array([1.9]), np.array([0]), duration=np.array([1.0, 2.0]))


TIMES, IDS = np.array([0.1, 0.2, 0.3, 0.4]), np.array([3, 1, 3, 2])
NAN = np.nan
ODD_CALLS = {
    "no arguments that are columns": ({"times": 0.1, "ids": 1}, "one column"),
    "nothing": ({"times": [], "ids": []}, "at least one spike"),
    "no spikes and no duration": ({"times": [], "ids": [], "units": [1, 2]}, "at least one spike"),
    "None for times": ({"times": None}, "one column"),
    "words for times": ({"times": ["a", "b", "c", "d"]}, "must be numbers"),
    "numbers in quotes": ({"times": ["0.1", "0.2", "0.3", "0.4"]}, "must be numbers"),
    "complex times": ({"times": TIMES * 1j}, "must be numbers"),
    "dates": ({"times": np.array(["2020-01-01"] * 4, "datetime64[s]")}, "must be numbers"),
    "flags for times": ({"times": [True, False, True, True]}, "must be numbers"),
    "a table of times": ({"times": TIMES[:, None]}, "one column"),
    "trains instead of a column": ({"times": [[0.1, 0.2], [0.3]]}, "one column"),
    "a time of NaN": ({"times": [0.1, NAN, 0.3, 0.4]}, "finite, got 1"),
    "a time of NaN, with duration": ({"times": [0.1, NAN, 0.3, 0.4], "duration": 1.0}, "finite, got 1"),
    "a time at infinity": ({"times": [0.1, np.inf, 0.3, 0.4]}, "finite, got 1"),
    "times of NaN alone": ({"times": [NAN] * 4}, "finite, got 4"),
    "a time before the trial": ({"times": [-0.1, 0.2, 0.3, 0.4]}, "subtract each trial's onset"),
    "times past the duration": ({"duration": 0.3}, "subtract each trial's onset"),
    "too few ids": ({"ids": [1, 2]}, "as many as times, got 2 for 4"),
    "too many ids": ({"ids": [1] * 5}, "as many as times"),
    "one id for all": ({"ids": 1}, "one column"),
    "a table of ids": ({"ids": IDS[:, None]}, "one column"),
    "an id of NaN": ({"ids": [1.0, NAN, 2.0, NAN]}, "got 2 such as nan"),
    "an id at infinity": ({"ids": [1.0, np.inf, 2.0, 1.0]}, "such as inf"),
    "an id of None": ({"ids": np.array(["a", None, "b", "a"], object)}, "got 1 such as None"),
    "numbers and words for ids": ({"ids": np.array([1, "a", 2, "b"], object)}, "all numbers or all text"),
    "lists for ids": ({"ids": np.array([[1], (2,), {}, 3], object)}, "whole numbers or text"),
    "a count for units": ({"units": 5}, "labels of all units"),
    "a word for units": ({"units": "123"}, "labels of all units"),
    "a set of units": ({"units": {1, 2, 3}}, "in order"),
    "units twice": ({"units": [1, 2, 3, 3]}, "labels of their own"),
    "no units": ({"units": []}, "labels of their own"),
    "a unit of NaN": ({"units": [1, 2, 3, NAN]}, "such as nan"),
    "a unit of None": ({"units": [1, 2, 3, None]}, "such as None"),
    "units that lack one": ({"units": [1, 2]}, r"got spikes of \[3\]"),
    "units by other names": ({"units": ["1", "2", "3"]}, r"got spikes of \[1, 2, 3\]"),
    "lists for units": ({"units": [[1], [2], [3]]}, "whole numbers or text"),
    "trials from 1, and no count": ({"trials": [1, 1, 2, 2]}, r"counted from 0, got 1\.\.2: subtract 1"),
    "trials from 1, and a count": ({"trials": [1, 1, 2, 2], "n_trials": 2}, "seem to count from 1"),
    "trials from 1, and durations": ({"trials": [1, 1, 2, 2], "duration": [1.0, 1.0]}, "seem to count from 1"),
    "trials beyond the count": ({"trials": [0, 1, 2, 5], "n_trials": 3}, r"counted from 0 to 2, got 0\.\.5"),
    "a trial below 0": ({"trials": [0, -1, 0, 0]}, "counted from 0, one per spike, got -1"),
    "a trial of NaN": ({"trials": [0, NAN, 0, 0]}, "got nan"),
    "half a trial": ({"trials": [0, 0.5, 0, 0]}, "got 0.5"),
    "words for trials": ({"trials": ["a", "b", "c", "d"]}, "whole numbers"),
    "flags for trials": ({"trials": [True, False, True, False]}, "whole numbers"),
    "too few trials": ({"trials": [0, 1]}, "got 2 for 4 spikes"),
    "one trial for all": ({"trials": 0}, "one column"),
    "times for trials": ({"trials": [0, 1, 2, 1_500_000_000]}, "at most"),
    "trials past all bounds": ({"trials": [0, 1, 2, 1e300]}, "whole numbers"),
    "no trials": ({"n_trials": 0}, ">= 1"),
    "half a count of trials": ({"n_trials": 1.5}, "whole number"),
    "counts that disagree": ({"n_trials": 3, "duration": [1.0, 1.0]}, "as many as durations"),
    "a duration of 0": ({"duration": 0.0}, "> 0 s"),
    "a duration of NaN": ({"duration": NAN}, "finite"),
    "a duration without end": ({"duration": np.inf}, "finite"),
    "a word for duration": ({"duration": "long"}, "got 'long'"),
    "durations of which one is 0": ({"trials": [0, 0, 1, 1], "duration": [1.0, 0.0]}, "> 0 s"),
    "a table of durations": ({"duration": [[1.0], [1.0]]}, "> 0 s"),
    "no durations": ({"duration": []}, "> 0 s"),
    "an object for duration": ({"duration": {}}, "> 0 s"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD_CALLS)
def test_odd_arrays_are_refused_by_rule_value_and_fix(kind):
    changed, rule = ODD_CALLS[kind]
    with pytest.raises(SimlabError, match=rule) as caught:
        data.from_arrays(**{"times": TIMES, "ids": IDS, **changed})
    assert "got" in str(caught.value)
    assert ":" in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "labels", "units", "sizes"),
    [
        ({"times": [0.4, 0.1, 0.3, 0.2]}, ["1", "2", "3"], [0, 1, 2, 2], (1, 3)),  # by time: unsorted is no matter
        ({"times": [1, 2, 3, 4]}, ["1", "2", "3"], [2, 0, 2, 1], (1, 3)),
        ({"ids": [b"b", b"a", b"b", b"a"]}, ["b'a'", "b'b'"], [1, 0, 1, 0], (1, 2)),
        ({"ids": [1.0, 2.0, 1.0, 2.0], "units": range(1, 4)}, ["1", "2", "3"], [0, 1, 0, 1], (1, 3)),
        ({"ids": [True, False, True, False]}, ["False", "True"], [1, 0, 1, 0], (1, 2)),
        ({"units": (label for label in (3, 2, 1))}, ["3", "2", "1"], [0, 2, 0, 1], (1, 3)),
        ({"units": np.array([3, 2, 1, 0])}, ["3", "2", "1", "0"], [0, 2, 0, 1], (1, 4)),
        ({"trials": [0.0, 0.0, 1.0, 1.0]}, ["1", "2", "3"], [2, 0, 2, 1], (2, 3)),
        ({"trials": [1, 1, 2, 2], "n_trials": 3}, ["1", "2", "3"], [2, 0, 2, 1], (3, 3)),
        ({"trials": [1, 1, 2, 2], "duration": [1.0] * 4}, ["1", "2", "3"], [2, 0, 2, 1], (4, 3)),
        ({"n_trials": 5}, ["1", "2", "3"], [2, 0, 2, 1], (5, 3)),
        ({"times": [0.0] * 4}, ["1", "2", "3"], [0, 1, 2, 2], (1, 3)),
    ],
)
def test_unusual_arrays_are_read_right(changed, labels, units, sizes):
    found = data.from_arrays(**{"times": TIMES, "ids": IDS, **changed})
    assert found.unit_label.values.tolist() == labels
    assert found.spike_unit.values.tolist() == units
    assert (found.sizes["trial"], found.sizes["unit"]) == sizes
    data.check_recording(found)
    assert found.attrs["duration"] >= found.spike_time.values.max()
    assert found.attrs["duration"] > 1e-9


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False), st.text()),
        lambda inner: st.one_of(st.lists(inner).map(tuple), st.dictionaries(st.text("abc"), inner)),
        max_leaves=12,
    )
)
def test_plain_data_survive_json(value):
    assert data.from_json(json.loads(json.dumps(data.to_json(value), allow_nan=False))) == value


def test_arrays_survive_json_to_the_bit():
    for array in (np.array([[0.1, np.nan, -np.inf]]), np.zeros((0, 3), np.float32), np.array([True]), np.arange(3)):
        back = data.from_json(json.loads(json.dumps(data.to_json(array), allow_nan=False)))
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(back, array)


def test_what_is_not_plain_does_not_pass_as_a_brief():
    with pytest.raises(SimlabError, match="a brief must be made of"):
        data.to_json({"subject": object()})


def test_anatomy_keeps_positions_and_types():
    anatomy = data.anatomy(np.eye(3), ["E", "E", "I"])
    assert isinstance(anatomy, xr.Dataset)
    assert anatomy.y.values.tolist() == [0, 1, 0]
    assert anatomy.cell_type.values.tolist() == ["E", "E", "I"]


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint8, float])
def test_spikes_stand_by_trial_time_and_unit_whatever_their_order_and_type(kind):
    rng = np.random.default_rng(0)
    trial, time, unit = rng.integers(3, size=2000), rng.integers(20, size=2000) / 20, rng.integers(9, size=2000)
    sorted_by_time = np.lexsort((time, trial))  # of units at one moment, as an implant renumbers them, any may be first
    for order in (np.arange(2000), sorted_by_time, np.lexsort((unit, time, trial))):
        spikes = trial[order].astype(kind), time[order], unit[order].astype(kind)
        seen = data.recording(duration=1.0, n_units=9, n_trials=3, spikes=spikes)
        expected = np.lexsort((unit, time, trial))
        for name, column in (("trial", trial), ("time", time), ("unit", unit)):
            assert np.array_equal(seen[f"spike_{name}"].values, column[expected])
