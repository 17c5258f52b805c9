import numpy as np
import pytest
from scipy.signal import lfilter

from methods.wiring.granger_causality import GrangerCausality, autoregression
from simlab.contracts import SimlabError
from simlab.data import recording


def _chain(rng, n_trials=1, n_samples=4000):
    """x0 -> x1 -> x2 with lags of one and two samples, and x3 alone."""
    noise = rng.normal(size=(n_trials, n_samples, 4))
    x = np.zeros_like(noise)
    for t in range(2, n_samples):
        x[:, t] = 0.4 * x[:, t - 1] + noise[:, t]
        x[:, t, 1] += 0.3 * x[:, t - 1, 0]
        x[:, t, 2] -= 0.3 * x[:, t - 2, 1]
    return x


def _rates(x):
    n_trials, n_samples, n = x.shape
    time = np.arange(n_samples) / 100
    return recording(
        duration=n_samples / 100, n_units=n, n_trials=n_trials, signal=x, modality="rate", sample_time=time
    )


def test_f_statistics_equal_those_of_statsmodels():
    from statsmodels.tsa.api import VAR

    x = _chain(np.random.default_rng(0))
    ours = autoregression(x, 2)
    assert ours.order == 2
    theirs = VAR(x[0]).fit(2)
    for pre in range(4):
        for post in range(4):
            if pre != post:
                published = theirs.test_causality(post, pre, kind="f").test_statistic
                np.testing.assert_allclose(ours.f_statistic()[pre, post], published, rtol=1e-6)


def test_coefficients_equal_least_squares_over_trials():
    x = _chain(np.random.default_rng(1), n_trials=3, n_samples=400)
    ours = autoregression(x, 1)
    past = x[:, :-1].reshape(-1, 4)
    design = np.column_stack([np.ones(len(past)), past])
    weights, *_ = np.linalg.lstsq(design, x[:, 1:].reshape(-1, 4), rcond=None)
    scale = x.std(axis=(0, 1))
    np.testing.assert_allclose(ours.coefficients[0], weights[1:] * scale[:, None] / scale[None, :], atol=1e-8)


def test_only_direct_links_of_a_chain_are_found():
    rng = np.random.default_rng(2)
    estimate = GrangerCausality(alpha=0.01).analyse(_rates(_chain(rng, 4, 4000)), rng).estimate
    expected = np.zeros((4, 4), dtype=bool)
    expected[0, 1] = expected[1, 2] = True
    np.testing.assert_array_equal(estimate["decided"], expected)
    assert estimate["sign"][0, 1] == 1
    assert estimate["sign"][1, 2] == -1


def test_no_lag_reaches_over_a_trial_edge():
    # x1 repeats x0's last value as the next trial's first: a link only if trials were laid end to end
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2000, 3, 2))
    x[1:, 0, 1] = x[:-1, -1, 0]
    assert not GrangerCausality(max_order=1).analyse(_rates(x), rng).estimate["decided"].any()


def test_slow_independent_signals_are_not_linked():
    any_edge = 0
    for seed in range(6):
        x = lfilter([1.0], [1.0, -0.95], np.random.default_rng(seed).normal(size=(2, 2000, 6)), axis=1)
        any_edge += GrangerCausality().analyse(_rates(x), np.random.default_rng(0)).estimate["decided"].any()
    # family-wise error <= .05 in each of 6: P(more than 2) = .002
    assert any_edge <= 2


def test_the_order_follows_the_data():
    rng = np.random.default_rng(4)
    assert autoregression(rng.normal(size=(1, 3000, 3)), 5).order == 1
    noise = rng.normal(size=(1, 3000, 3))
    assert autoregression(lfilter([1.0], [1.0, 0.0, 0.0, -0.6], noise, axis=1), 5).order == 3


def test_too_few_samples_are_no_answer():
    rng = np.random.default_rng(5)
    assert "too few" in GrangerCausality().analyse(_rates(rng.normal(size=(1, 30, 10))), rng).abstained


def test_signals_that_are_not_finite_are_refused():
    x = _chain(np.random.default_rng(6), n_samples=200)
    x[0, 50, 0] = np.nan
    with pytest.raises(SimlabError, match="finite"):
        autoregression(x, 1)


def test_effects_within_a_sample_count_where_samples_are_coarse():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(4, 800, 3))
    x[:, :, 1] += 0.3 * x[:, :, 0]
    blind = GrangerCausality().analyse(_rates(x), rng).estimate["decided"]
    seen = GrangerCausality(same_bin="always").analyse(_rates(x), rng).estimate
    assert not blind.any()
    np.testing.assert_array_equal(np.argwhere(seen["decided"]), [[0, 1], [1, 0]])
    assert seen["sign"][0, 1] == 1
