import numpy as np
import pytest
from scipy.signal import lfilter
from wiring_manners import check_answers, discoveries, odd_signals, odd_spikes, signal_recording

from methods.wiring.convergent_cross_mapping import (
    ConvergentCrossMapping,
    estimates,
    neighbours,
    roll_each,
    studentised,
)
from simlab.contracts import SimlabError

METHOD = ConvergentCrossMapping(dimensions=2)


def _logistic(onto_x, onto_y, *, trials=6, samples=300, bystanders=1, seed=0):
    """Two coupled logistic maps (Sugihara et al. 2012, eq. 1) and others that run alone: (trial, sample, unit)."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.2, 0.8, (trials, 2 + bystanders))
    growth = np.array([3.8, 3.5, *np.linspace(3.7, 3.75, bystanders)])
    kept = []
    for _ in range(samples + 100):
        push = np.zeros_like(x)
        push[:, 0], push[:, 1] = onto_x * x[:, 1], onto_y * x[:, 0]
        x = x * (growth - growth * x - push)
        kept.append(x)
    return np.stack(kept[100:], axis=1)


def test_the_driver_is_read_off_the_driven_and_not_the_other_way_round():
    found = METHOD.analyse(signal_recording(_logistic(0.0, 0.1)), np.random.default_rng(0))
    expected = np.zeros((3, 3), dtype=bool)
    expected[0, 1] = True
    np.testing.assert_array_equal(found.estimate["decided"], expected)
    assert found.notes["skill"][0, 1] > 0.8
    assert (found.estimate["sign"] == 0).all()


def test_under_strong_driving_the_driven_is_read_off_as_well_but_hardly_converges():
    found = METHOD.analyse(signal_recording(_logistic(0.0, 0.3)), np.random.default_rng(0))
    gain = found.notes["skill"] - found.notes["small_library_skill"]
    assert found.notes["skill"][1, 0] > 0.2
    assert gain[1, 0] < 0.05
    assert gain[0, 1] > 0.1


def test_coupling_both_ways_is_seen_both_ways_and_converges():
    found = METHOD.analyse(signal_recording(_logistic(0.02, 0.1, samples=500)), np.random.default_rng(0))
    assert found.estimate["decided"][0, 1]
    assert found.estimate["decided"][1, 0]
    # x drives y the more strongly, so y's history holds more of x
    assert found.notes["skill"][0, 1] > found.notes["skill"][1, 0]
    assert found.notes["skill"][0, 1] > found.notes["small_library_skill"][0, 1]


def test_cross_maps_equal_their_definition():
    rng = np.random.default_rng(1)
    known, asked, library = rng.normal(size=(40, 3)), rng.normal(size=(5, 3)), rng.normal(size=(40, 2))
    by_hand = np.zeros((5, 2))
    for row, vector in enumerate(asked):
        distance = np.sqrt(((known - vector) ** 2).sum(axis=1))
        nearest = np.argsort(distance)[:4]
        weights = np.exp(-distance[nearest] / distance[nearest[0]])
        by_hand[row] = weights @ library[nearest] / weights.sum()
    np.testing.assert_allclose(estimates(library, *neighbours(known, asked)), by_hand)


def test_surrogates_are_referred_to_the_others_as_the_observed_is_to_all():
    null = np.random.default_rng(2).normal(size=(20, 3, 3))
    skill = null[7]
    others = np.delete(null, 7, axis=0)
    by_hand = (skill - others.mean(axis=0)) / (others.std(axis=0, ddof=1) * np.sqrt(1 + 1 / 19))
    z, _ = studentised(skill, others)
    np.testing.assert_allclose(z, by_hand)
    _, p = studentised(np.full((3, 3), -np.inf), null)
    assert (p == 1).all()
    # the same 120 z make the null of a fresh draw, so its p-values are uniform: sd of their mean .29 / sqrt(6 x 200)
    drawn = np.random.default_rng(3).normal(size=(200, 21, 3, 3))
    uniform = [studentised(each[0], each[1:])[1][~np.eye(3, dtype=bool)].mean() for each in drawn]
    assert abs(np.mean(uniform) - 0.5) < 4 * 0.29 / np.sqrt(1200)


def test_library_and_estimated_times_share_no_trial():
    known, asked = METHOD._split((6, 50, 3), np.random.default_rng(0))
    assert not set(known[:, 0]) & set(asked[:, 0])
    known, asked = METHOD._split((1, 50, 3), np.random.default_rng(0))
    assert known[:, 1].max() < asked[:, 1].min() - METHOD.lag * (METHOD.dimensions - 1)


def test_surrogates_keep_each_unit_and_trial():
    trace = np.random.default_rng(4).normal(size=(3, 40, 2))
    rolled = roll_each(trace, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(rolled, axis=1), np.sort(trace, axis=1))
    assert not np.array_equal(rolled, trace)


def test_slow_independent_signals_are_seldom_linked():
    found = 0
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(size=(6, 300, 6))
        world = signal_recording(lfilter([1.0], [1.0, -0.95], noise, axis=1))
        found += ConvergentCrossMapping().analyse(world, np.random.default_rng(0)).estimate["decided"].any()
    # at most .05 of worlds each; P(more than 2 of 6 | .05) = .002
    assert found <= 2


@pytest.mark.parametrize("kind", ["refractory", "bursty"])
def test_independent_units_are_seldom_called_connected(kind):
    # at most .05 of worlds each; P(more than 2 of 6 | .05) = .002
    assert discoveries(ConvergentCrossMapping(), kind, 2) <= 2


def test_odd_recordings_get_an_answer_or_a_reason():
    assert set(check_answers(ConvergentCrossMapping(), odd_spikes())) == {"no spike", "one unit", "short trials"}
    assert set(check_answers(ConvergentCrossMapping(), odd_signals())) == {"short traces"}


def test_values_that_are_not_finite_are_a_reason():
    trace = np.random.default_rng(7).normal(size=(2, 100, 3))
    trace[0, 5, 1] = np.nan
    assert "finite" in METHOD.analyse(signal_recording(trace), np.random.default_rng(0)).abstained


def test_two_surrogates_are_too_few():
    with pytest.raises(SimlabError, match="surrogates"):
        ConvergentCrossMapping(surrogates=2)
