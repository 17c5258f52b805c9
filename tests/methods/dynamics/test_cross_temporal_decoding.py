"""A code that stays and one that moves, planted; and recordings from which nothing can be read."""

import numpy as np
import pytest
from memory_worlds import value_recording
from task_worlds import delay, judged, without

from methods.dynamics.cross_temporal_decoding import CrossTemporalDecoding, across

METHOD = CrossTemporalDecoding()


def analysed(recording, method=METHOD):
    return method.analyse(recording, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        (without(delay(0.0), candidates=("ramping", "stepping")), "the candidates are ramping, stepping"),
        (delay(0.0, n_trials=10), "trials"),
        (delay(0.0, n_units=3), "units"),
        (delay(0.0, noise=1e4), "can hardly be read"),
    ],
)
def test_it_abstains_with_a_reason_where_nothing_can_be_told(recording, reason):
    assert reason in analysed(recording).abstained


def test_what_was_always_the_same_tells_nothing():
    found = delay(0.0)
    found["stimulus"] = found["stimulus"].where(np.isnan(found["stimulus"]), 0.5)
    assert "the same was shown" in analysed(found).abstained
    quiet = delay(0.0)
    for level in (0.0, 0.1):  # a mean of .1 is rounded
        assert "active" in analysed(quiet.assign(signal=quiet["signal"] * 0 + level)).abstained


@pytest.mark.parametrize(("moving", "label"), [(0.0, "line attractor"), (1.0, "hidden feedforward chain")])
def test_a_code_that_stays_is_a_line_and_one_that_moves_a_chain(moving, label):
    found = analysed(delay(moving))
    assert found.estimate["label"] == label
    assert found.notes["read"] > 0.8
    assert (found.notes["stability"] > 0.9) == (moving == 0.0)


def test_it_reads_spikes_as_well_as_rates():
    found = value_recording(3, n_trials=60)
    assert analysed(without(found, candidates=("hidden feedforward chain", "line attractor"))).estimate == {
        "label": "line attractor"
    }


def test_where_there_is_no_dark_it_reads_what_was_shown_in_all():
    found = judged(np.ones(20), n_trials=120)
    heard = np.cumsum(found["stimulus"].values[:, :, 0], axis=1)
    found["signal"] = found["signal"].copy(data=found["signal"].values + 2 * heard[:, :, None])
    few = analysed(found)
    assert "active" in few.abstained or "units" in few.abstained  # four units are no population
    more = found.isel(unit=np.arange(8) % 4).assign_coords(unit=np.arange(8))
    assert analysed(more).estimate["label"] == "line attractor"


def test_a_number_that_is_lost_on_the_way_is_not_held():
    """Found in use: times at which nothing is read may not count as read alike."""
    found = delay(0.0)
    values = found["signal"].values.copy()
    values[:, 22:] = 20 + np.random.default_rng(1).standard_normal(values[:, 22:].shape)
    lost = analysed(found.assign(signal=found["signal"].copy(data=values)))
    assert lost.estimate["label"] == "hidden feedforward chain"
    assert abs(lost.notes["stability"]) < 0.2


def test_stability_is_that_of_a_plane_in_which_the_code_turns():
    # by hand: a number along (cos a, sin a) at angle a(t) is read at t' with cos(a - a') of its size
    rng, angles = np.random.default_rng(0), np.array([0.0, 0.5, 1.0])
    number = rng.standard_normal(1200)
    pattern = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    values = number[:, None, None] * pattern + 0.5 * rng.standard_normal((1200, 3, 2))
    said, read = across(values, number, np.arange(1200) % 4)
    assert said == pytest.approx(np.cos(1.0), abs=0.05)  # times 0 and 2 alone are half of the time apart
    # signal 1, noise .5 along the pattern: r = 1 / sqrt(1.25)
    assert read == pytest.approx(1.25**-0.5, abs=0.01)
