from collections import Counter

import numpy as np
import pytest
from planted_connectivity import coupled_spikes, imaged, ring_weight
from wiring_manners import check_answers, discoveries, odd_signals, odd_spikes, signal_recording

from methods.wiring.generalised_transfer_entropy import (
    GeneralisedTransferEntropy,
    joint_counts,
    quiet_level,
    shift_each,
)
from simlab.contracts import SimlabError
from simlab.data import bin_spikes

METHOD = GeneralisedTransferEntropy()


def _by_hand(source, target, chosen, same_bin, n_levels):
    """2 N ln(2) GTE of two rows of levels (trial, time) by its definition, order 2."""
    seen = [
        (target[i, n], (target[i, n - 1], target[i, n - 2]), (source[i, n - 1 + same_bin], source[i, n - 2 + same_bin]))
        for i in range(len(target))
        for n in range(2, target.shape[1])
        if chosen[i, n]
    ]
    joint, past = Counter(seen), Counter(entry[1] for entry in seen)
    both, own = Counter(entry[1:] for entry in seen), Counter(entry[:2] for entry in seen)
    return 2 * sum(k * np.log(k * past[p] / both[p, y] / own[x, p]) for (x, p, y), k in joint.items())


@pytest.mark.parametrize(("same_bin", "n_levels", "quiet"), [(True, 3, 0.5), (False, 2, np.inf)])
def test_it_equals_its_definition(same_bin, n_levels, quiet):
    rng = np.random.default_rng(0)
    states = rng.integers(0, n_levels, (2, 300, 3))
    method = GeneralisedTransferEntropy(same_bin=same_bin, quiet=quiet)
    root, _, n_samples = method._root(states, states.astype(float), n_levels)
    mean = states.mean(axis=2)
    chosen = mean <= quiet_level(mean[:, 2:], quiet)
    assert n_samples == chosen[:, 2:].sum()
    for source, target in ((0, 1), (2, 1), (1, 0)):
        by_hand = _by_hand(states[:, :, source], states[:, :, target], chosen, same_bin, n_levels)
        assert root[source, target] ** 2 == pytest.approx(by_hand)


def test_of_independent_words_it_is_chi_square():
    states = np.random.default_rng(1).integers(0, 2, (4, 5000, 6))
    root, _, _ = GeneralisedTransferEntropy(quiet=np.inf)._root(states, states.astype(float), 2)
    statistic = root[~np.eye(6, dtype=bool)] ** 2
    # (2 - 1) x 4 pasts x (4 - 1) words = 12 degrees: sd of the mean of 30 weakly dependent values sqrt(24 / 30) = .9
    assert abs(statistic.mean() - 12) < 3.6


def test_planted_couplings_of_spikes_are_found_with_their_sign():
    weight = ring_weight(8)
    found = METHOD.analyse(
        coupled_spikes(weight, np.random.default_rng(5), trials=20), np.random.default_rng(0)
    ).estimate
    true = weight != 0
    assert found["decided"][true].all()
    np.testing.assert_array_equal(found["sign"][true], np.sign(weight[true]))


def test_without_the_same_bin_rows_are_presynaptic():
    weight = ring_weight(6)
    world = coupled_spikes(weight, np.random.default_rng(5), trials=20)
    method = GeneralisedTransferEntropy(same_bin=False, bin_width=0.003)
    score = method.analyse(world, np.random.default_rng(0)).estimate["score"]
    assert (score[weight != 0] > score.T[weight != 0]).all()


def test_couplings_are_seen_through_fluorescence():
    rng = np.random.default_rng(2)
    weight = np.zeros((4, 4))
    weight[0, 1] = weight[2, 3] = 5.0
    world = imaged(coupled_spikes(weight, rng, rate=0.7, trials=20, duration=15.0), rng)
    finding = METHOD.analyse(world, rng)
    assert finding.estimate["decided"][0, 1]
    assert finding.estimate["decided"][2, 3]
    undirected = (weight + weight.T) != 0
    assert finding.estimate["score"][undirected].min() > finding.estimate["score"][~undirected].max()


def test_effects_within_a_frame_need_the_same_bin():
    rng = np.random.default_rng(3)
    x = (rng.random((10, 2000)) < 0.1).astype(int)
    y = np.where(rng.random(x.shape) < 0.5, x, rng.random(x.shape) < 0.05).astype(int)
    trace = np.stack([x, y, rng.random(x.shape) < 0.1], axis=-1)
    with_it, _, _ = GeneralisedTransferEntropy(quiet=np.inf)._root(trace, trace, 2)
    without, _, _ = GeneralisedTransferEntropy(quiet=np.inf, same_bin=False)._root(trace, trace, 2)
    assert with_it[0, 1] > 20
    assert without[0, 1] < 7  # a root of chi-square with 12 degrees: 7 is at p < 1e-5


def test_bursts_of_the_whole_population_are_left_out():
    # everybody follows everybody in a tenth of the time, and nobody otherwise
    rng = np.random.default_rng(4)
    burst = (np.arange(600) % 100 < 8)[None, :, None]
    states = np.where(burst, rng.random((20, 600, 1)) < 0.5, rng.random((20, 600, 5)) < 0.05).astype(int)
    level = states + 2.0 * burst  # a slower signal, by which bursts are told
    quiet, _, _ = METHOD._root(states, level, 2)
    whole, _, _ = GeneralisedTransferEntropy(quiet=np.inf)._root(states, level, 2)
    off = ~np.eye(5, dtype=bool)
    assert whole[off].min() > 30
    assert quiet[off].max() < 7


def test_the_quiet_level_is_right_of_the_peak():
    mean = np.concatenate([np.random.default_rng(8).normal(1.0, 0.1, 20_000), np.full(2000, 5.0)])
    assert quiet_level(mean, 3.0) == pytest.approx(1.34, abs=0.05)  # 1.3, and a tenth more values to the right
    assert quiet_level(np.zeros(5), 3.0) == 0
    assert quiet_level(np.r_[np.zeros(9), 1.0], 3.0) == pytest.approx(0.9)
    assert quiet_level(mean, np.inf) == np.inf


def test_surrogates_keep_each_unit_and_trial():
    world = coupled_spikes(ring_weight(3), np.random.default_rng(6), trials=3, duration=2.0)
    counts = bin_spikes(world, 0.01).values
    shifted, level = shift_each(counts, counts.astype(float), np.random.default_rng(0))
    np.testing.assert_array_equal(shifted.sum(axis=1), counts.sum(axis=1))
    np.testing.assert_array_equal(shifted, level)
    assert not np.array_equal(shifted, counts)


@pytest.mark.parametrize("kind", ["refractory", "autocorrelated"])
def test_independent_units_are_seldom_called_connected(kind):
    # some .05 of worlds measured; P(more than 2 of 6 | .1) = .016
    assert discoveries(METHOD, kind, 2) <= 2


def test_odd_recordings_get_an_answer_or_a_reason():
    assert set(check_answers(METHOD, odd_spikes())) == {"no spike", "one unit", "short trials"}
    assert set(check_answers(METHOD, odd_signals())) == {"short traces"}


def test_values_that_are_not_finite_are_a_reason():
    trace = np.random.default_rng(7).normal(size=(2, 100, 3))
    trace[0, 5, 1] = np.nan
    assert "finite" in METHOD.analyse(signal_recording(trace), np.random.default_rng(0)).abstained


def test_an_impossible_order_is_refused():
    with pytest.raises(SimlabError, match="order"):
        GeneralisedTransferEntropy(order=0)


def test_words_are_counted_as_they_meet_whichever_is_usual():
    rng = np.random.default_rng(0)
    driver, target = rng.choice(4, (500, 3), p=(0.1, 0.7, 0.1, 0.1)), rng.integers(0, 8, (500, 3))
    counts = joint_counts(driver, target, 4, 8)
    for source in range(3):
        for follower in range(3):
            seen = np.zeros((4, 8))
            np.add.at(seen, (driver[:, source], target[:, follower]), 1)
            assert np.array_equal(counts[source, follower], seen)
