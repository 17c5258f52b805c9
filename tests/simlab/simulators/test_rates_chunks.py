"""A trial's rates are its own: to the bit the same however trials and steps are cut up."""

import numpy as np
import pytest

from simlab.session import Effect, Session
from simlab.simulators import rates_chunk, rates_integration
from simlab.simulators.rates import RateNetwork, simulate
from simlab.simulators.rates_noise import TrialNoise
from simlab.simulators.transfers import logistic
from simlab.streams import stream


def chaotic(n):
    """Logistic units, centred, with weights five times past the onset of chaos (Sompolinsky, Crisanti & Sommers 1988).

    The logistic's slope at its midpoint is 1/4, so the onset is at a standard deviation of 4 / sqrt(n).
    """
    weights = np.random.default_rng(n).normal(0, 20 / np.sqrt(n), (n, n))
    return RateNetwork(weights, 0.01, logistic, bias=-weights.sum(axis=0) / 2, input_noise=0.1)


def run(network, session, **options):
    return simulate(network, session, stream(1, "rates"), **({"dt": 1e-3, "sample_interval": 1e-3} | options))[1]


@pytest.mark.parametrize("n_units", [100, 300])
def test_roundings_grow_in_the_networks_that_these_tests_use(n_units):
    network, session = chaotic(n_units), Session(1, 1.2)
    start = np.full((1, n_units), 0.5)
    same, nudged = (run(network, session, initial=start + push) for push in (0.0, 1e-14))
    assert np.abs(same - nudged)[:, -100:].max() > 1e-3


# 300 units are past the size from which several trials share a product; 6 and 25 fill no whole vector of a processor.
@pytest.mark.parametrize("n_units", [6, 25, 100, 300])
def test_a_trial_is_the_same_alone_and_among_others_to_the_bit(n_units):
    network, trials, duration = chaotic(n_units), 11, 1.2
    together = run(network, Session(trials, duration))
    assert np.array_equal(together[:1], run(network, Session(1, duration)))
    assert np.array_equal(together[:5], run(network, Session(5, duration)))
    apart = run(network, Session(trials, duration), memory_limit=5 * n_units * 8 * 12)
    assert np.array_equal(together, apart)


@pytest.mark.parametrize("block", [1, 120, 1300])
def test_rates_do_not_depend_on_the_length_of_a_block(block, monkeypatch):
    network, session = chaotic(5), Session(4, 0.3)
    options = {"sample_interval": 7e-3, "burn_in": 0.016}
    whole = run(network, session, **options)
    monkeypatch.setattr(rates_chunk, "BLOCK", block)
    assert np.array_equal(whole, run(network, session, **options))


def test_a_sample_is_the_mean_of_its_steps():
    network, session = chaotic(5), Session(2, 0.21)
    steps = run(network, session, burn_in=0.016).reshape(2, 30, 7, 5)
    samples = run(network, session, burn_in=0.016, sample_interval=7e-3)
    np.testing.assert_allclose(samples, steps.mean(axis=2), rtol=3e-7, atol=3e-7)  # stored in single precision


@pytest.mark.parametrize("few", [4, 0])  # kinds of gains up to which all trials are multiplied with all of them
def test_other_trials_gains_leave_a_trial_as_it_is(few, monkeypatch):
    monkeypatch.setattr(rates_integration, "FEW_KINDS", few)
    rates_integration.advance.clear_cache()
    network, session = chaotic(100), Session(3, 1.0)
    cut = Effect("gain", np.zeros((100, 100)), 0.2, 0.6, trials=(1,), over="pair")
    free, with_cut = run(network, session), run(network, session.perturbed(cut))
    assert np.array_equal(free[[0, 2]], with_cut[[0, 2]])
    assert not np.array_equal(free[1], with_cut[1])


def test_a_kind_of_noise_draws_the_same_numbers_whether_or_not_there_is_another():
    quiet = RateNetwork(np.zeros((3, 3)), 1e-3, lambda drive: drive, input_noise=1.0)
    loud = RateNetwork(np.zeros((3, 3)), 1e-3, lambda drive: drive, input_noise=1.0, state_noise=1e-9)
    np.testing.assert_allclose(run(quiet, Session(2, 0.1)), run(loud, Session(2, 0.1)), atol=1e-6)


def test_numbers_are_those_of_a_generator_of_numpy_in_whatever_portions():
    noise = TrialNoise(np.random.default_rng(0), 2)
    expected = []
    for words in noise.words[:, 1]:
        generator = np.random.Generator(np.random.SFC64())
        generator.bit_generator.state = {"bit_generator": "SFC64", "state": {"state": words.copy()},
                                         "has_uint32": 0, "uinteger": 0}  # fmt: skip
        expected.append(generator.standard_normal((1000, 3)))
    drawn = np.empty((2, 1000, 3))
    for first, last in ((0, 1), (1, 600), (600, 1000)):
        noise.fill("state", range(2), drawn[:, first:last])
    assert np.array_equal(drawn, expected)


def test_streams_of_trials_and_kinds_differ_and_do_not_depend_on_how_many_trials_there_are():
    few, many = (TrialNoise(np.random.default_rng(3), trials).words for trials in (2, 50))
    assert np.array_equal(few, many[:2])
    assert len(np.unique(many[..., :3])) == 50 * 2 * 3


def test_what_is_recorded_of_a_held_unit_is_what_others_receive():
    weights = np.array([[0.0, 1.0], [0.0, 0.0]])
    network = RateNetwork(weights, 1e-3, lambda drive: drive, bias=np.array([1.0, 0.0]))
    hold = Effect("hold", np.array([5.0, np.nan]), 0.01, 0.02)
    held, follower = run(network, Session(1, 0.03, perturbations=(hold,)))[0].T
    # With dt = tau a follower is, at each step, what it received at the one before.
    assert np.array_equal(follower[1:], held[:-1])
    assert set(held[10:20]) == {5.0}
