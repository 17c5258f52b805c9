"""GENIE3: the library's importances, directed links in known worlds, and nulls from rotated targets."""

import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes, ring_weight
from planted_signals import any_discovery, autoregressive, bursty_spikes, of_signal, slow_signals

from methods.wiring.genie3 import Genie3, tail_p

RNG = np.random.default_rng
SMALL = Genie3(trees=10, null_size=60)


def _analyse(world, method=SMALL):
    return method.analyse(world, RNG(0))


def _chain(n=5, weight=0.6):
    found = np.zeros((n, n))
    for i in range(n - 1):
        found[i, i + 1] = weight
    return found


def test_importances_are_those_of_the_library():
    from sklearn.ensemble import ExtraTreesRegressor

    x = autoregressive(RNG(0), _chain(4), trials=2)["signal"].values
    method = Genie3(trees=5)
    design = method._regressors(x)
    targets = x[:, 1:] - x[:, 1:].mean(axis=(0, 1))
    found = method._importances(design, targets, RNG(1))
    seed = int(RNG(1).integers(2**31))
    forest = ExtraTreesRegressor(5, max_features="sqrt", max_depth=3, min_samples_leaf=20, random_state=seed)
    forest.fit(design[:, 0, 1:], targets[:, :, 0].ravel())
    share = found[1:, 0] / found[1:, 0].sum()
    # the library scales each tree's importances to 1 before it averages them, GENIE3 does not
    np.testing.assert_allclose(share, forest.feature_importances_, atol=0.1)
    assert np.argmax(share) == np.argmax(forest.feature_importances_)


def test_regressors_are_the_past_of_the_same_trial():
    x = RNG(2).normal(size=(3, 20, 2)).astype(np.float32)
    design = Genie3(lags=2, same_bin=True)._regressors(x).reshape(3, 18, 3, 2)
    for place, lag in enumerate((0, 1, 2)):
        np.testing.assert_array_equal(design[:, :, place], x[:, 2 - lag : 20 - lag])


def test_the_variance_that_is_taken_away_is_that_of_the_split():
    # one regressor that is on or off, one split: importance is the variance between both means
    on = (RNG(3).random((1, 2000, 2)) < 0.3).astype(float)
    on[0, 1:, 1] = on[0, :-1, 0] + RNG(4).normal(size=1999)
    method = Genie3(trees=3, max_depth=1)
    targets = on[:, 1:]
    found = method._importances(method._regressors(on), targets, RNG(0))[0, 1]
    before, after = on[0, :-1, 0] > 0.5, on[0, 1:, 1]
    gap = after[before].mean() - after[~before].mean()
    assert found == pytest.approx(before.mean() * (1 - before.mean()) * gap**2, rel=1e-3)


@pytest.mark.parametrize("ensemble", ["extra_trees", "random_forest"])
def test_direct_links_of_a_chain_are_found_in_their_direction(ensemble):
    weight = _chain()
    estimate = _analyse(autoregressive(RNG(5), weight), Genie3(trees=15, null_size=60, ensemble=ensemble)).estimate
    assert estimate["decided"][weight != 0].all()
    assert (estimate["score"][weight != 0] > estimate["score"].T[weight != 0]).all()
    assert (estimate["sign"] == 0).all()


def test_planted_excitation_of_spikes_is_found():
    weight = ring_weight(8)
    estimate = _analyse(coupled_spikes(weight, RNG(6), trials=10), Genie3(trees=15, null_size=60)).estimate
    excites = weight > 0
    assert estimate["decided"][excites].all()
    assert estimate["score"][excites].min() > np.median(estimate["score"][weight == 0])


def test_the_same_bin_shows_who_fires_together():
    x = RNG(7).normal(size=(4, 300, 4))
    x[:, :, 1] += x[:, :, 0]
    method = Genie3(trees=10, null_size=60, lags=0, same_bin=True)
    estimate = _analyse(of_signal(x), method).estimate
    assert estimate["decided"][0, 1]
    assert estimate["decided"][1, 0]
    assert not _analyse(of_signal(x)).estimate["decided"][0, 1]
    assert "too few" in _analyse(of_signal(x), Genie3(lags=0)).abstained


def test_p_values_are_ranks_with_an_exponential_tail():
    null = np.broadcast_to(RNG(8).exponential(size=(200, 4, 4)), (200, 4, 4))
    found = np.full((4, 4), 1.0)
    assert tail_p(found, null)[0, 1] == pytest.approx(np.exp(-1), abs=0.02)  # 2400 draws: s.e. .01
    assert tail_p(found * 9, null)[0, 1] == pytest.approx(np.exp(-9), rel=0.6)  # a tail from 240: 6.5% of 6.7
    assert tail_p(found, null)[0, 0] == 1


@pytest.mark.parametrize("n", [3, 8, 14])
def test_independent_units_are_seldom_called_connected(n):
    # .2 each, as few trees and a fitted tail have it: P(more than 2 of 3) = .008
    worlds = [
        poisson_spikes(RNG(n), n=n, trials=2),
        bursty_spikes(RNG(n), n=n, trials=4),
        slow_signals(RNG(n), n=n, trials=4),
    ]
    assert any_discovery(Genie3(trees=8, null_size=40), worlds) <= 2


def test_bad_input_is_no_answer_or_no_harm():
    assert "too few" in _analyse(of_signal(np.full((4, 200, 3), 0.7))).abstained
    assert "too few" in _analyse(of_signal(RNG(11).normal(size=(1, 12, 8)))).abstained
    x = RNG(12).normal(size=(1, 200, 4))
    x[:, :, 1], x[:, :, 3] = x[:, :, 0], 0.7
    estimate = _analyse(of_signal(x)).estimate
    assert np.isfinite(estimate["score"]).all()
    assert not estimate["decided"][3].any()
    assert _analyse(of_signal(x[:, :, :2])).estimate["p"].shape == (2, 2)
