import numpy as np
import pytest
from planted_connectivity import poisson_spikes, unequal
from scipy.stats import poisson

from methods.wiring._pairs import lag_counts, on_grid
from methods.wiring.cross_correlogram import CrossCorrelogram, _poisson_test
from simlab.contracts import SimlabError
from simlab.data import recording


def _follower(rng, lag, n_followed, *, duration=600.0, rate=5.0):
    """Two Poisson units; unit 1 also fires `lag` [s] after `n_followed` of unit 0's spikes."""
    a, b = (np.sort(rng.uniform(0, duration - 0.1, rng.poisson(rate * duration))) for _ in range(2))
    b = np.concatenate([b, rng.choice(a, n_followed, replace=False) + lag])
    spikes = (np.zeros(len(a) + len(b), int), np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)]))
    return recording(duration=duration, n_units=2, n_trials=1, spikes=spikes)


@pytest.mark.parametrize("predictor", ["hollow_gaussian", "jitter"])
def test_a_monosynaptic_peak_is_an_edge_in_its_direction_alone(predictor):
    rng = np.random.default_rng(0)
    # 3000 spikes at 5 Hz: 3000 x 5 x .0032 = 48 coincidences by chance; 60 more are over 8 deviations
    found = CrossCorrelogram(predictor=predictor).analyse(_follower(rng, 0.002, 60), rng).estimate
    np.testing.assert_array_equal(found["decided"], [[False, True], [False, False]])
    assert found["sign"][0, 1] == 1


@pytest.mark.parametrize("lag", [0.0, 0.010])
def test_synchrony_and_slow_lags_are_not_monosynaptic(lag):
    rng = np.random.default_rng(1)
    assert not CrossCorrelogram().analyse(_follower(rng, lag, 60), rng).estimate["decided"].any()


def test_a_peak_on_both_sides_is_an_edge_only_without_the_anticausal_test():
    rng = np.random.default_rng(2)
    world = _follower(rng, 0.002, 60)
    trial, time, unit = (world[name].values for name in ("spike_trial", "spike_time", "spike_unit"))
    mirrored = rng.choice(time[unit == 1][:2900], 60, replace=False) + 0.002
    spikes = (np.r_[trial, np.zeros(60, int)], np.r_[time, mirrored], np.r_[unit, np.zeros(60, int)])
    both = recording(duration=600.0, n_units=2, n_trials=1, spikes=spikes)
    assert not CrossCorrelogram().analyse(both, rng).estimate["decided"].any()
    pairs = CrossCorrelogram(against_anticausal=False).analyse(both, rng).estimate["decided"]
    assert pairs[0, 1]
    assert pairs[1, 0]


def test_the_hollow_predictor_is_the_smoothed_correlogram():
    method = CrossCorrelogram()
    ticks = on_grid(poisson_spikes(np.random.default_rng(3), n=2, rate=50.0), method.bin_width)
    low, high = method._window()
    half = 75  # three deviations of 10 ms in bins of .4 ms
    counts = lag_counts(ticks, high + half)
    lag = np.arange(-half, half + 1)
    kernel = np.exp(-(lag**2) / (2 * 25**2))
    kernel[half] *= 0.4
    kernel /= kernel.sum()
    centre = high + half
    around = (slice(centre + lag - half, centre + lag + half + 1) for lag in range(low, high + 1))
    by_hand = sum(kernel @ counts[0, 1, lags] for lags in around)
    np.testing.assert_allclose((counts @ method._window_kernel(high + half))[0, 1], by_hand)


@pytest.mark.parametrize("length", [(2.0, 2.0, 2.0), (2.0, 0.65, 1.31)])
def test_the_jitter_predictor_is_the_mean_over_jittered_copies(length):
    rng = np.random.default_rng(4)
    method = CrossCorrelogram(predictor="jitter")
    world = unequal(poisson_spikes(rng, n=2, rate=30.0, trials=3, duration=2.0), np.array(length))
    ticks = on_grid(world, method.bin_width)
    low, high = method._window()
    width = 50  # 20 ms in bins of .4 ms
    source, target = ticks.unit == 0, ticks.unit == 1
    drawn = []
    for _ in range(400):
        start = ticks.tick[target] // width * width
        moved = start + rng.integers(0, np.minimum(width, ticks.ends[ticks.trial[target]] - start))
        total = 0
        for trial in range(3):
            apart = moved[ticks.trial[target] == trial][None] - ticks.tick[source & (ticks.trial == trial)][:, None]
            total += ((apart >= low) & (apart <= high)).sum()
        drawn.append(total)
    expected = method._jitter_expectation(ticks)[0, 1]
    assert abs(np.mean(drawn) - expected) < 4 * np.std(drawn) / np.sqrt(400)


def test_the_window_holds_the_lags_from_start_up_to_stop():
    assert CrossCorrelogram()._window() == (2, 9)
    assert CrossCorrelogram(bin_width=0.001, causal_window=(0.001, 0.004))._window() == (1, 3)


def test_p_values_are_poisson_tails_with_continuity_correction():
    _, p = _poisson_test(np.array([9, 1]), np.array([4.0, 6.0]))
    excess = poisson.sf(9, 4.0) + 0.5 * poisson.pmf(9, 4.0)
    deficit = poisson.cdf(0, 6.0) + 0.5 * poisson.pmf(1, 6.0)
    np.testing.assert_allclose(p, [2 * excess, 2 * deficit])


def test_an_unknown_predictor_and_an_impossible_window_are_refused():
    with pytest.raises(SimlabError, match="hollow_gaussian, jitter"):
        CrossCorrelogram(predictor="shuffle")
    with pytest.raises(SimlabError, match="start < stop"):
        CrossCorrelogram(causal_window=(0.004, 0.001))
