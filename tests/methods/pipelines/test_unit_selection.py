"""Units that are left out of an analysis come back in its answer."""

import numpy as np
import pytest
from planted_connectivity import coupled_spikes, ring_weight

from methods.pipelines._steps import Unusable
from methods.pipelines.unit_selection import UnitSelection
from simlab.contracts import Finding
from simlab.data import check_recording, recording, spike_trains

RNG = np.random.default_rng(0)
RATES = (2.0, 0.0, 1.0, 0.05, 3.0)  # Hz: units 1 and 3 go


@pytest.fixture
def world():
    counts = (np.array(RATES) * 20).astype(int)
    unit = np.repeat(np.arange(5), counts)
    when = np.random.default_rng(1).uniform(0, 20, len(unit))
    found = recording(
        duration=20.0, n_units=5, n_trials=1, spikes=(np.zeros(len(unit), int), when, unit), unit_x=np.arange(5) * 1e-5
    )
    return found.assign_attrs(brief={"candidates": ("this", "that")})


def restored(world, **estimate):
    return UnitSelection().restore(Finding(estimate, confidence=0.7), world)


def test_units_that_hardly_fire_are_dropped_and_the_others_keep_their_spikes(world):
    found = UnitSelection().apply(world, RNG)
    check_recording(found)
    np.testing.assert_allclose(found["unit_x"], [0.0, 2e-5, 4e-5])
    np.testing.assert_array_equal(found["unit"], [0, 1, 2])
    for new, old in enumerate((0, 2, 4)):
        np.testing.assert_array_equal(spike_trains(found)[new], spike_trains(world)[old])


def test_of_a_signal_those_that_never_change_are_dropped():
    values = np.random.default_rng(2).normal(size=(2, 30, 3)) * [1.0, 0.0, 1.0]
    world = recording(
        duration=3.0, n_units=3, n_trials=2, signal=values, modality="rate", sample_time=np.arange(30) / 10
    )
    np.testing.assert_array_equal(UnitSelection().apply(world, RNG)["signal"], values[:, :, [0, 2]])


def test_pairs_and_units_are_put_back_in_their_places(world):
    score = np.arange(1.0, 10.0).reshape(3, 3)
    found = restored(world, score=score, decided=score > 5, p=score / 10, preferred=np.array([1, 2, 3]))
    whole = found.estimate
    assert whole["score"].shape == (5, 5)
    np.testing.assert_array_equal(whole["score"][np.ix_([0, 2, 4], [0, 2, 4])], score)
    np.testing.assert_array_equal(whole["preferred"], [1, 0, 2, 0, 3])
    dropped = [1, 3]
    assert not whole["score"][dropped].any()
    assert not whole["score"][:, dropped].any()
    assert whole["decided"].dtype == bool
    assert not whole["decided"][dropped].any()
    assert (whole["p"][dropped] == 1.0).all()  # no evidence; 0 would be the strongest
    assert found.confidence == 0.7
    assert found.notes["units_kept"] == (0, 2, 4)


def test_numbers_texts_and_what_is_over_a_list_of_the_brief_stay(world):
    found = restored(world, b1=1, label="this", probability=np.array([0.2, 0.8])).estimate
    assert found["b1"] == 1
    assert found["label"] == "this"
    np.testing.assert_array_equal(found["probability"], [0.2, 0.8])


def test_what_may_or_may_not_be_about_units_is_an_abstention(world):
    assert "latent of shape (7, 3)" in restored(world, latent=np.zeros((7, 3))).abstained
    three = world.assign_attrs(brief={"candidates": ("a", "b", "c")})  # as many as units were kept
    assert "probability" in restored(three, probability=np.ones(3) / 3).abstained
    named = UnitSelection(over_units=("tuned",)).restore(Finding({"tuned": np.ones(3)}), three)
    np.testing.assert_array_equal(named.estimate["tuned"], [1, 0, 1, 0, 1])


def test_labels_of_units_need_a_word_for_those_left_out(world):
    types = np.array(["E", "I", "E"])
    assert "give one in absent" in restored(world, cell_type=types).abstained
    spoken = UnitSelection(absent=(("cell_type", "unknown"),)).restore(Finding({"cell_type": types}), world)
    assert list(spoken.estimate["cell_type"]) == ["E", "unknown", "I", "unknown", "E"]


def test_nothing_changes_where_all_units_stay_or_the_method_abstained(world):
    whole = coupled_spikes(ring_weight(4), np.random.default_rng(3), trials=2)
    given = Finding({"latent": np.zeros((7, 3))})
    assert UnitSelection().restore(given, whole) is given
    assert UnitSelection().restore(Finding.abstain("no"), world).abstained == "no"


def test_a_recording_in_which_nobody_fires_enough_is_unusable(world):
    with pytest.raises(Unusable, match="none of 5 units"):
        UnitSelection(least_rate=50.0).apply(world, RNG)
