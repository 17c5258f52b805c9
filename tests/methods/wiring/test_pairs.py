import numpy as np
import pytest
from planted_connectivity import poisson_spikes, unequal

from methods.wiring._pairs import Ticks, edges, false_discovery, lag_counts, on_grid, surrogate_p
from simlab.contracts import SimlabError
from simlab.data import recording


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def _by_hand(ticks: Ticks, max_lag: int) -> np.ndarray:
    counts = np.zeros((ticks.n_units, ticks.n_units, 2 * max_lag + 1), dtype=int)
    for i in range(len(ticks.tick)):
        for j in range(len(ticks.tick)):
            lag = ticks.tick[j] - ticks.tick[i]
            if i != j and ticks.trial[i] == ticks.trial[j] and abs(lag) <= max_lag:
                counts[ticks.unit[i], ticks.unit[j], max_lag + lag] += 1
    return counts


def test_correlograms_equal_counting_every_pair_of_spikes(rng):
    ticks = on_grid(poisson_spikes(rng, n=3, rate=40.0, trials=4, duration=0.8), 0.002)
    np.testing.assert_array_equal(lag_counts(ticks, 15), _by_hand(ticks, 15))


def test_unequal_trials_are_counted_to_their_own_ends(rng):
    world = unequal(poisson_spikes(rng, n=3, rate=40.0, trials=4, duration=0.8), np.array([0.8, 0.1, 0.3515, 0.6]))
    ticks = on_grid(world, 0.002)
    np.testing.assert_array_equal(ticks.ends, [400, 50, 175, 300])  # the last bin of the third is not filled
    assert ticks.n_bins == 925
    assert (ticks.tick < ticks.ends[ticks.trial]).all()
    np.testing.assert_array_equal(lag_counts(ticks, 15), _by_hand(ticks, 15))


def test_jittered_spikes_stay_in_their_own_trial(rng):
    ticks = on_grid(unequal(poisson_spikes(rng, n=3, rate=40.0, trials=3), np.array([0.05, 0.3, 10.0])), 0.001)
    moved = ticks.jittered(20, rng)
    assert (moved.tick < moved.ends[moved.trial]).all()
    np.testing.assert_array_equal(np.bincount(moved.trial), np.bincount(ticks.trial))


def test_correlograms_counted_in_small_pieces_are_the_same(rng, monkeypatch):
    ticks = on_grid(poisson_spikes(rng, n=3, rate=40.0, trials=4, duration=0.8), 0.002)
    whole = lag_counts(ticks, 15)
    monkeypatch.setattr("methods.wiring._pairs.CHUNK", 50)
    np.testing.assert_array_equal(lag_counts(ticks, 15), whole)


def test_correlograms_equal_elephants(rng):
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import cross_correlation_histogram
    from neo import SpikeTrain

    world = poisson_spikes(rng, n=3, rate=20.0, trials=1, duration=20.0)
    ticks = on_grid(world, 0.001)
    counts = lag_counts(ticks, 20)
    times = [(ticks.tick[ticks.unit == unit] + 0.5) * pq.ms for unit in range(3)]
    trains = [BinnedSpikeTrain(SpikeTrain(t, t_stop=20 * pq.s), bin_size=1 * pq.ms) for t in times]
    for a, b in ((0, 1), (2, 0)):
        histogram, _ = cross_correlation_histogram(trains[a], trains[b], window=[-20, 20], border_correction=False)
        np.testing.assert_array_equal(counts[a, b], histogram.magnitude.ravel().astype(int))


def test_no_pair_is_counted_across_trials():
    spikes = (np.array([0, 1]), np.array([0.999, 0.001]), np.array([0, 1]))
    world = recording(duration=1.0, n_units=2, n_trials=2, spikes=spikes)
    assert lag_counts(on_grid(world, 0.001), 50).sum() == 0


def test_jittered_spikes_keep_their_counts_and_stay_within_reach(rng):
    ticks = on_grid(poisson_spikes(rng, n=4, rate=5.0), 0.001)
    moved = ticks.jittered(10, rng)
    np.testing.assert_array_equal(moved.counts, ticks.counts)
    for trial in range(ticks.n_trials):
        for unit in range(4):
            before, after = (np.sort(t.tick[(t.trial == trial) & (t.unit == unit)]) for t in (ticks, moved))
            assert np.abs(after - before).max(initial=0) <= 10


def test_binary_ticks_hold_one_spike_per_bin():
    spikes = (np.zeros(3, int), np.array([0.1001, 0.1002, 0.1003]), np.array([0, 0, 1]))
    ticks = on_grid(recording(duration=1.0, n_units=2, n_trials=1, spikes=spikes), 0.001).binary()
    np.testing.assert_array_equal(ticks.counts, [1, 1])


def test_false_discoveries_are_those_of_benjamini_and_hochberg():
    p = np.ones((3, 3))
    p[0, 1], p[1, 2], p[2, 0], p[1, 0], p[2, 1], p[0, 2] = 0.001, 0.012, 0.024, 0.04, 0.5, 0.9
    # thresholds of the step-up rule for 6 tests at 0.05: .0083 .0167 .025 .033: three pass
    assert sorted(zip(*np.nonzero(false_discovery(p, 0.05)), strict=True)) == [(0, 1), (1, 2), (2, 0)]


def test_a_symmetric_test_counts_each_pair_once():
    p = np.ones((3, 3))
    p[0, 1] = p[1, 0] = 0.016  # rank 1 of 3 pairs: threshold .0167
    p[0, 2] = p[2, 0] = 0.04  # rank 2 of 3 pairs: threshold .033
    decided = false_discovery(p, 0.05)
    np.testing.assert_array_equal(decided, [[False, True, False], [True, False, False], [False, False, False]])


def test_the_diagonal_is_never_an_edge():
    found = edges(np.full((3, 3), 9.0), np.zeros((3, 3)), np.ones((3, 3)), 0.05).estimate
    assert not found["decided"].diagonal().any()
    assert found["decided"].sum() == 6
    assert not found["score"].diagonal().any()
    np.testing.assert_array_equal(found["p"], np.eye(3))


def test_p_values_that_are_not_numbers_are_no_evidence():
    found = edges(np.ones((2, 2)), np.array([[0.0, np.nan], [1.5, 0.0]]), np.ones((2, 2)), 0.05).estimate
    np.testing.assert_array_equal(found["p"], np.ones((2, 2)))


def test_surrogate_p_values_are_uniform_under_the_null(rng):
    draws = rng.normal(size=(21, 30, 30)) + rng.normal(size=(30, 30)) * 5  # each pair with a level of its own
    _, p = surrogate_p(draws[0], draws[1:])
    off = p[~np.eye(30, dtype=bool)]
    # 870 p-values: 5% of them below .05, binomial sd .0074; four sd
    assert abs((off < 0.05).mean() - 0.05) < 0.03
    assert abs(off.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 870)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1])
def test_an_impossible_false_discovery_rate_is_refused(alpha):
    with pytest.raises(SimlabError, match="alpha"):
        false_discovery(np.ones((2, 2)), alpha)


def test_an_impossible_bin_is_refused(rng):
    with pytest.raises(SimlabError, match="bin width"):
        on_grid(poisson_spikes(rng, n=2), 0.0)
