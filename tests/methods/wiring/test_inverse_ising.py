"""The inverse Ising model: log odds ratios, the couplings that made the words, and silence where there are none."""

import itertools

import numpy as np
import pytest
from planted_connectivity import poisson_spikes
from planted_signals import any_discovery, bursty_spikes

import simlab
from methods.wiring.inverse_ising import InverseIsing, binary_words, couplings, lasso_couplings
from simlab.data import recording

RNG = np.random.default_rng
WIDTH = 0.02
both = pytest.mark.parametrize("method", [InverseIsing(), InverseIsing(penalty="l1")], ids=["l2", "l1"])


def _coupling(n=6, strength=1.2):
    found = np.zeros((n, n))
    for i in range(n):
        found[i, (i + 1) % n] = found[(i + 1) % n, i] = -strength if i % 3 == 2 else strength
    return found


def _words(coupling, n_words, rng, field=-1.0):
    """Independent draws from the model itself, all of its states enumerated."""
    states = np.array(list(itertools.product((0, 1), repeat=len(coupling))), dtype=float)
    energy = field * states.sum(axis=1) + np.einsum("si,ij,sj->s", states, np.triu(coupling), states)
    chance = np.exp(energy) / np.exp(energy).sum()
    return states[rng.choice(len(states), n_words, p=chance)]


def _spikes(words, n_trials):
    """A recording in which a unit fires once in the middle of each bin that it is on in."""
    per_trial = len(words) // n_trials
    row, unit = np.nonzero(words[: per_trial * n_trials])
    trial, step = np.divmod(row, per_trial)
    spikes = (trial, (step + 0.5) * WIDTH, unit)
    return recording(duration=per_trial * WIDTH, n_units=words.shape[1], n_trials=n_trials, spikes=spikes)


def _analyse(method, world):
    return method.analyse(world, RNG(0))


def test_of_two_units_the_coupling_is_the_log_odds_ratio():
    words = _words(_coupling(3)[:2, :2], 4000, RNG(0))
    n = [[np.sum((words[:, 0] == a) & (words[:, 1] == b)) for b in (0, 1)] for a in (0, 1)]
    found, error, _ = couplings(words, np.arange(4000), 1e-6)
    assert found[0, 1] == pytest.approx(np.log(n[1][1] * n[0][0] / (n[1][0] * n[0][1])), abs=1e-4)
    # every word its own part: the classical standard error of a log odds ratio
    assert error[0, 1] == pytest.approx(np.sqrt(sum(1 / k for row in n for k in row)), rel=1e-3)


def test_the_couplings_that_made_the_words_lie_within_their_errors():
    truth = _coupling()
    words = _words(truth, 8000, RNG(1))
    found, error, parts = couplings(words, np.arange(8000) // 80, 1e-6)
    upper = np.triu_indices(6, 1)
    z = (found - truth)[upper] / error[upper]
    assert parts == 100
    assert np.mean(z**2) < 25.0 / 15  # chi-square of 15, slightly dependent: P(above 25) = .05
    assert np.abs(z).max() < 4


@both
def test_links_are_found_with_their_sign(method):
    truth = _coupling()
    estimate = _analyse(method, _spikes(_words(truth, 8000, RNG(2)), 40)).estimate
    np.testing.assert_array_equal(estimate["decided"], truth != 0)
    np.testing.assert_array_equal(estimate["sign"][truth != 0], np.sign(truth[truth != 0]))


def test_lasso_meets_the_conditions_of_its_optimum():
    from scipy.special import expit, ndtri

    words = _words(_coupling(), 3000, RNG(3))
    found = lasso_couplings(words, 0.05)
    chance = words.mean(axis=0)
    spread = np.sqrt(chance * (1 - chance))
    limit = -ndtri(0.05 / 72) * spread[0] * np.sqrt(3000)
    drive = words[:, 1:] @ found[0, 1:]
    fields = np.linspace(-5, 5, 20001)
    misfit = [abs(np.sum(expit(field + drive) - words[:, 0])) for field in fields]
    left = words[:, 0] - expit(fields[int(np.argmin(misfit))] + drive)
    gradient = ((words - chance) / spread)[:, 1:].T @ left
    kept = found[0, 1:] != 0
    assert kept.any()
    np.testing.assert_allclose(gradient[kept], limit * np.sign(found[0, 1:][kept]), rtol=0.05)
    assert (np.abs(gradient[~kept]) <= 1.05 * limit).all()


@both
@pytest.mark.parametrize("n", [3, 8, 20])
def test_independent_units_are_seldom_called_connected(method, n):
    # .05 each: P(more than 2 of 6) = .002. Bursts are no evidence where trials are the parts; bins, by l1, have none.
    assert any_discovery(method, [poisson_spikes(RNG(s), n=n, trials=5) for s in range(6)]) <= 2
    if method.penalty == "l2":
        assert any_discovery(method, [bursty_spikes(RNG(s), n=n, trials=20) for s in range(4)]) <= 2


def test_words_of_unequal_trials_are_those_within_them():
    spikes = (np.array([0, 1]), np.array([0.3, 0.05]), np.array([0, 1]))
    world = recording(duration=np.array([0.4, 0.1]), n_units=2, n_trials=2, spikes=spikes)
    words, block = binary_words(world, WIDTH)
    assert words.shape == (25, 2)
    assert words.sum() == 2
    assert block.max() + 1 <= 25


@both
def test_silent_and_twin_units_do_no_harm(method):
    words = _words(_coupling(), 2000, RNG(4))
    words[:, 4], words[:, 5] = words[:, 3], 0
    estimate = _analyse(method, _spikes(words, 10)).estimate
    assert np.isfinite(estimate["score"]).all()
    assert not estimate["decided"][5].any()
    assert estimate["decided"][3, 4]


@both
def test_two_units_in_one_trial_are_enough_and_a_handful_of_words_is_not(method):
    words = _words(_coupling(3)[:2, :2], 2000, RNG(5))
    assert _analyse(method, _spikes(words, 1)).estimate["decided"][0, 1]
    assert "too few" in _analyse(method, _spikes(words[:3], 1)).abstained


def test_keeps_the_contract_with_its_other_penalty():
    simlab.check(InverseIsing(penalty="l1"))
