"""What the methods of correlation share: centred signals, counts of independent samples, surrogates."""

import numpy as np
from planted_signals import of_signal
from scipy.signal import lfilter

from methods.wiring._correlations import centred_signals, changing, embedded, inflation, rotated
from simlab.contracts import Needs

RNG = np.random.default_rng


def test_a_trace_that_stands_still_leaves_no_rounding():
    x = RNG(0).normal(size=(3, 50, 2))
    x[:, :, 1] = np.array([0.1, 0.7, 0.3])[:, None]
    trace, reason = centred_signals(of_signal(x), Needs(), 0.02)
    assert not reason
    assert not trace[:, :, 1].any()
    np.testing.assert_array_equal(changing(trace), [0])


def test_independent_samples_of_two_sets_are_those_of_the_pairs():
    slow = lfilter([1.0], [1.0, -0.9], RNG(1).normal(size=(50, 1000, 2)), axis=1)
    white = RNG(2).normal(size=(50, 1000, 1))
    # (1 + .81) / (1 - .81) = 9.5 for two slow ones; white noise makes any product white
    assert 8.5 < inflation(slow[:, :, :1], slow[:, :, 1:])[0, 0] < 10.5
    assert inflation(slow, white)[0, 0] < 1.5
    both = np.concatenate([slow, white], axis=2)
    np.testing.assert_allclose(inflation(both)[0, 2], inflation(slow, white)[0, 0])


def test_embedding_puts_units_in_their_places():
    found = embedded(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0, 2]), 3, -1.0)
    np.testing.assert_array_equal(found, [[1, -1, 2], [-1, -1, -1], [3, -1, 4]])


def test_rotations_keep_each_trial_of_each_unit():
    x = RNG(3).normal(size=(3, 40, 4))
    found = rotated(x, RNG(4))
    np.testing.assert_array_equal(np.sort(found, axis=1), np.sort(x, axis=1))
    assert (found != x).any(axis=1).all()
