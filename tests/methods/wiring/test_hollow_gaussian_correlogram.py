import numpy as np
import pytest
from planted_connectivity import coupled_spikes, ring_weight
from scipy.stats import poisson
from wiring_manners import KINDS, check_answers, discoveries, odd_spikes

from methods.wiring.hollow_gaussian_correlogram import (
    HollowGaussianCorrelogram,
    band,
    continuity_corrected,
    hollow_gaussian,
)
from simlab.contracts import SimlabError
from simlab.data import recording


def _follower(rng, lag, n_followed, *, mirrored=0, duration=600.0, rate=5.0):
    """Two Poisson units; unit 1 also fires `lag` [s] after some of unit 0's spikes, and unit 0 after unit 1's."""
    a, b = (np.sort(rng.uniform(0, duration - 0.1, rng.poisson(rate * duration))) for _ in range(2))
    first = np.concatenate([a, rng.choice(b, mirrored, replace=False) + lag])
    second = np.concatenate([b, rng.choice(a, n_followed, replace=False) + lag])
    time, unit = np.concatenate([first, second]), np.repeat([0, 1], [len(first), len(second)])
    return recording(duration=duration, n_units=2, n_trials=1, spikes=(np.zeros(len(time), int), time, unit))


def test_planted_couplings_are_found_with_their_sign():
    weight = ring_weight(6)
    world = coupled_spikes(weight, np.random.default_rng(5), trials=60, rate=15.0)
    # the world's spikes lie on a grid of 1 ms, and so must the bins
    method = HollowGaussianCorrelogram(bin_width=0.001, causal_window=(0.001, 0.006))
    found = method.analyse(world, np.random.default_rng(0)).estimate
    assert found["decided"][weight != 0].all()
    np.testing.assert_array_equal(found["sign"][weight != 0], np.sign(weight[weight != 0]))
    assert (found["score"][weight != 0] > found["score"].T[weight != 0]).all()


def test_a_monosynaptic_peak_is_an_edge_in_its_direction_alone():
    # a bin expects 3000 x 5 x .0004 = 6 by chance: 60 more in one are not to be missed
    found = HollowGaussianCorrelogram().analyse(_follower(np.random.default_rng(0), 0.002, 60), None).estimate
    np.testing.assert_array_equal(found["decided"], [[False, True], [False, False]])
    assert found["sign"][0, 1] == 1


@pytest.mark.parametrize("lag", [0.0, 0.010])
def test_synchrony_and_slow_lags_are_not_monosynaptic(lag):
    world = _follower(np.random.default_rng(1), lag, 60)
    assert not HollowGaussianCorrelogram().analyse(world, None).estimate["decided"].any()


def test_a_peak_on_both_sides_is_an_edge_only_without_the_anticausal_test():
    world = _follower(np.random.default_rng(2), 0.002, 60, mirrored=60)
    assert not HollowGaussianCorrelogram().analyse(world, None).estimate["decided"].any()
    found = HollowGaussianCorrelogram(against_anticausal=False).analyse(world, None).estimate
    np.testing.assert_array_equal(found["decided"], [[False, True], [True, False]])


def test_the_kernel_is_a_gaussian_with_three_fifths_of_its_centre_taken_out():
    kernel = hollow_gaussian(75, 25.0, 0.6)
    assert kernel.sum() == pytest.approx(1)
    assert kernel[75] / kernel[76] == pytest.approx(0.4 * np.exp(0.5 / 25**2))
    counts = np.random.default_rng(3).poisson(5.0, 2 * 10 + 151).astype(float)
    np.testing.assert_allclose(counts @ band(kernel, 10), np.convolve(counts, kernel, "valid"))


def test_p_values_are_poisson_tails_with_continuity_correction():
    excess, deficit = continuity_corrected(np.array([9, 1]), np.array([4.0, 6.0]))
    np.testing.assert_allclose(excess, [poisson.sf(9, 4) + 0.5 * poisson.pmf(9, 4), 1 - deficit[1]])
    np.testing.assert_allclose(deficit, [1 - excess[0], poisson.cdf(0, 6) + 0.5 * poisson.pmf(1, 6)])


@pytest.mark.parametrize("kind", KINDS)
def test_independent_units_are_seldom_called_connected(kind):
    # at most .05 of worlds each; P(more than 2 of 9 | .05) = .008
    assert discoveries(HollowGaussianCorrelogram(), kind, 3) <= 2


def test_odd_recordings_get_an_answer_or_a_reason():
    reasons = check_answers(HollowGaussianCorrelogram(), odd_spikes())
    assert set(reasons) == {"no spike", "one unit", "short trials"}


def test_an_impossible_window_is_refused():
    with pytest.raises(SimlabError, match="start < stop"):
        HollowGaussianCorrelogram(causal_window=(0.004, 0.001))
