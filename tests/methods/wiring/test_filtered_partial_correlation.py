"""The challenge's winner: filters by their formulas, precision by the library, right links, and honest nulls."""

import numpy as np
import pytest
from planted_connectivity import poisson_spikes
from planted_signals import RATE, any_discovery, bursty_spikes, gaussian_graph, of_signal, slow_signals
from scipy.signal import lfilter

from methods.wiring.filtered_partial_correlation import (
    FilteredPartialCorrelation,
    onsets,
    precedence,
    weighted,
)
from simlab.data import recording

RNG = np.random.default_rng
METHOD = FilteredPartialCorrelation()


def _analyse(world, method=METHOD):
    return method.analyse(world, RNG(0))


def _followed(n_trials=20, steps=500):
    """Spikes of 8 units in bins of 20 ms; 1 fires with 0, 3 one bin after 2, each half of the time."""
    rng = RNG(1)
    on = rng.random((n_trials, steps, 8)) < 0.08
    on[:, :, 1] |= on[:, :, 0] & (rng.random((n_trials, steps)) < 0.5)
    on[:, 1:, 3] |= on[:, :-1, 2] & (rng.random((n_trials, steps - 1)) < 0.5)
    return on


def _spikes(on):
    trial, step, unit = np.nonzero(on)
    world = (trial, (step + 0.5) / RATE, unit)
    return recording(duration=on.shape[1] / RATE, n_units=on.shape[2], n_trials=len(on), spikes=world)


@pytest.mark.parametrize("low_pass", ["symmetric", "causal"])
def test_onsets_follow_the_formulas(low_pass):
    x = RNG(0).normal(size=(1, 30, 2))
    found = onsets(x, low_pass, 0.11, np.ones(2))
    for t in range(4, 29):
        smooth = {
            "symmetric": lambda s: x[0, s - 1] + x[0, s] + x[0, s + 1],
            "causal": lambda s: 0.4 * x[0, s - 3] + 0.8 * x[0, s - 2] + x[0, s - 1] + x[0, s],
        }[low_pass]
        rise = smooth(t) - smooth(t - 1)
        first = 2 if low_pass == "symmetric" else 4  # of the times that have all their samples
        np.testing.assert_allclose(found[0, t - first], np.where(rise >= 0.11, rise, 0.0), atol=1e-12)


def test_weights_follow_the_formula_for_the_challenges_size():
    rows = np.zeros((3, 1000))
    rows[0, :2] = 0.5, 0.25
    rows[1, 4] = 2.0
    found = weighted(rows, 1000)
    assert found[0, 0] == pytest.approx(1.5 ** (1 + 1 / 0.75))
    assert found[1, 4] == pytest.approx(3**1.5)
    assert (found[2] == 1).all()
    # the same share of fewer units is as active a network
    np.testing.assert_allclose(weighted(rows[:, :100], 1000)[0, 0], 1.5 ** (1 + 1 / 7.5))


def test_noise_of_any_size_is_scaled_to_the_challenges():
    x = RNG(2).normal(size=(4, 10_000, 3)) * (1.0, 50.0, 0.01)
    kept = (onsets(x, "symmetric", 0.11, None) > 0).mean(axis=(0, 1))
    # 2.59 deviations: .0048 of a normal
    np.testing.assert_allclose(kept, 0.0048, atol=0.002)


def test_with_all_components_links_are_those_of_the_plain_precision():
    rises = RNG(5).random((2, 200, 4)) * (RNG(6).random((2, 200, 4)) < 0.2)
    rows = weighted(rises.reshape(-1, 4), 1000)
    precision = np.linalg.inv(np.cov(rows.T))
    scale = np.sqrt(np.diag(precision))
    found = FilteredPartialCorrelation(components=1.0)._partial(rises)
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(found[off], (-precision / np.outer(scale, scale))[off], atol=0.02)


def test_units_that_fire_together_are_found_in_counts_and_in_fluorescence():
    on = _followed()
    traces = lfilter([1.0], [1.0, -np.exp(-1 / RATE / 0.5)], on.astype(float), axis=1)
    noisy = traces + 0.1 * RNG(7).normal(size=traces.shape)
    for world in (_spikes(on), of_signal(noisy, "fluorescence")):
        estimate = _analyse(world).estimate
        assert estimate["decided"][0, 1]
        assert estimate["decided"][1, 0]
        assert estimate["sign"][0, 1] == 1
        assert estimate["score"][0, 1] > np.delete(estimate["score"][0], [0, 1]).max()


def test_who_follows_is_counted():
    rises = np.where(_followed(), 0.3, 0.0)
    found = precedence(rises)
    np.testing.assert_array_equal(found, -found.T)
    assert found[2, 3] > 0


def test_who_follows_takes_part_in_the_ranking_as_far_as_it_is_told():
    world = of_signal(lfilter([1.0], [1.0, -0.96], _followed() * RNG(10).uniform(0.5, 2, (20, 500, 8)), axis=1))
    score = _analyse(world, FilteredPartialCorrelation(direction=0.5)).estimate["score"]
    assert not np.array_equal(score, score.T)
    score = _analyse(world, FilteredPartialCorrelation(direction=0.0)).estimate["score"]
    np.testing.assert_allclose(score, score.T)


@pytest.mark.parametrize("n", [3, 8, 20])
def test_independent_units_are_seldom_called_connected(n):
    # pooled surrogates are not exact: allow .1 each. P(more than 4 of 12) = .004
    worlds = [
        *(poisson_spikes(RNG(s), n=n, trials=3) for s in range(4)),
        *(bursty_spikes(RNG(s), n=n, trials=5) for s in range(4)),
        *(slow_signals(RNG(s), n=n, trials=4) for s in range(4)),
    ]
    assert any_discovery(METHOD, worlds) <= 4


def test_bad_input_is_no_answer_or_no_harm():
    assert "at least 3 units" in _analyse(gaussian_graph(RNG(8), n=2)[0]).abstained
    assert "onset" in _analyse(of_signal(np.full((4, 200, 3), 0.7))).abstained
    assert "at least 12 samples" in _analyse(of_signal(RNG(9).normal(size=(9, 8, 3)))).abstained
    on = _followed(n_trials=1)
    on[:, :, 5], on[:, :, 6] = False, on[:, :, 7]
    estimate = _analyse(_spikes(on)).estimate
    assert np.isfinite(estimate["score"]).all()
    assert not estimate["decided"][5].any()
