"""Lagged correlations and least squares: known weights, known statistics, and silence where nothing is linked."""

import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes, ring_weight
from planted_signals import any_discovery, autoregressive, bursty_spikes, of_signal, slow_signals

import simlab
from methods.wiring.lagged_correlation import LaggedCorrelation, least_squares

RNG = np.random.default_rng
BOTH = (LaggedCorrelation(), LaggedCorrelation(least_squares=True))
either = pytest.mark.parametrize("method", BOTH, ids=["correlation", "least_squares"])


def _chain(n=6, weight=0.4):
    """i drives i + 1, with a sign that changes."""
    found = np.zeros((n, n))
    for i in range(n - 1):
        found[i, i + 1] = -weight if i % 2 else weight
    return found


def _analyse(method, world):
    return method.analyse(world, RNG(0))


def test_correlations_are_those_of_shifted_samples():
    x = RNG(0).normal(size=(1, 4000, 2))
    x[0, 3:, 1] += 0.5 * x[0, :-3, 0]
    estimate = _analyse(LaggedCorrelation(lag=3), of_signal(x)).estimate
    r = np.corrcoef(x[0, :-3, 0], x[0, 3:, 1])[0, 1]
    assert estimate["score"][0, 1] == pytest.approx(
        np.arctanh(r) * np.sqrt(4000), rel=0.1
    )  # white: N_eff is N, beside its error
    np.testing.assert_array_equal(estimate["decided"], [[False, True], [False, False]])


def test_least_squares_are_those_of_statsmodels():
    import statsmodels.api as sm

    x = autoregressive(RNG(1), _chain(4), trials=1, samples=400)["signal"].values
    x -= x.mean(axis=1, keepdims=True)
    _, t, residual, _ = least_squares(x[:, :-1], x[:, 1:])
    for post in range(4):
        theirs = sm.OLS(x[0, 1:, post], x[0, :-1]).fit()
        # they do not know of the mean that was taken out: 395 degrees of freedom, not 394
        np.testing.assert_allclose(t[:, post], theirs.tvalues * np.sqrt(394 / 395), rtol=1e-6)
        np.testing.assert_allclose(residual[0, :, post], theirs.resid, atol=1e-7)


def test_least_squares_find_direct_links_only():
    weight = _chain()
    world = autoregressive(RNG(2), weight)
    estimate = _analyse(LaggedCorrelation(least_squares=True, alpha=0.01), world).estimate
    np.testing.assert_array_equal(estimate["decided"], weight != 0)
    np.testing.assert_array_equal(estimate["sign"][weight != 0], np.sign(weight[weight != 0]))


def test_correlation_finds_the_links_and_their_paths():
    weight = _chain()
    estimate = _analyse(LaggedCorrelation(), autoregressive(RNG(3), weight)).estimate
    assert estimate["decided"][weight != 0].all()
    assert (estimate["score"][weight != 0] > estimate["score"].T[weight != 0]).all()
    assert estimate["decided"].sum() > (weight != 0).sum()


@either
def test_planted_couplings_of_spikes_are_found(method):
    weight = ring_weight(8)
    estimate = _analyse(method, coupled_spikes(weight, RNG(5), trials=10)).estimate
    excites = weight > 0
    assert estimate["decided"][excites].all()
    assert (estimate["sign"][excites] == 1).all()


@either
def test_no_lag_reaches_over_a_trial_edge(method):
    x = RNG(4).normal(size=(500, 4, 2))
    x[1:, 0, 1] = x[:-1, -1, 0]
    assert not _analyse(method, of_signal(x)).estimate["decided"].any()


@either
@pytest.mark.parametrize("n", [3, 8, 20])
def test_independent_units_are_seldom_called_connected(method, n):
    # .05 each, allow .1 for estimated autocorrelations: P(more than 4 of 12) = .004
    worlds = [
        *(poisson_spikes(RNG(s), n=n, trials=3) for s in range(4)),
        *(bursty_spikes(RNG(s), n=n, trials=5) for s in range(4)),
        *(slow_signals(RNG(s), n=n, trials=5) for s in range(4)),
    ]
    assert any_discovery(method, worlds) <= 4


@either
def test_bad_input_is_no_answer_or_no_harm(method):
    assert "too few" in _analyse(method, of_signal(RNG(6).normal(size=(1, 12, 10)))).abstained or not (
        method.least_squares
    )
    assert _analyse(method, of_signal(np.full((4, 200, 3), 0.7))).abstained
    x = RNG(7).normal(size=(1, 200, 4))
    x[:, :, 1], x[:, :, 3] = x[:, :, 0], 0.7
    estimate = _analyse(method, of_signal(x)).estimate
    assert np.isfinite(estimate["score"]).all()
    assert not estimate["decided"][3].any()


@either
def test_keeps_the_contract(method):
    simlab.check(method)
