"""Regression of dynamics: known evidence, known couplings through blood, and what it cannot see."""

import numpy as np
import pytest
from planted_signals import any_discovery, autoregressive, of_signal, slow_signals
from scipy.stats import multivariate_t
from wiring_manners import odd_signals, odd_spikes

from circuits.networks.bold_nodes import BoldNodes
from methods.wiring.state_space_regression import Posterior, StateSpaceRegression, smoothed, spectra
from simlab.instruments.recording.bold import Bold
from simlab.questions.connectivity import Connectivity
from simlab.session import Session

RNG = np.random.default_rng


def chain(n=6, weight=0.4):
    """i drives i + 1, with a sign that changes."""
    found = np.zeros((n, n))
    for i in range(n - 1):
        found[i, i + 1] = -weight if i % 2 else weight
    return found


def scanned(circuit, scanner, *methods, subjects=3, duration=600.0):
    """For each method the metrics of each subject's wiring, seen by the scanner."""
    question, found = Connectivity(), [[] for _ in methods]
    for seed in range(subjects):
        subject = circuit.subject(RNG(seed))
        activity = subject.run(Session(2, duration), RNG(seed))
        implant = scanner.implant(subject.anatomy, RNG(seed))
        truth = question.project(subject.truth("connectivity", activity, RNG(0)), implant.key)
        recording = implant.record(activity, RNG(seed))
        for method, metrics in zip(methods, found, strict=True):
            metrics.append(question.score(method.analyse(recording, RNG(0)), truth))
    return found


def test_weights_are_those_of_least_squares_in_time():
    trace = RNG(0).normal(size=(3, 401, 2)).cumsum(axis=1) * 0.1
    change, state = spectra(trace)
    found = Posterior.of(change[:, :, 0], state, np.ones(change.shape[1]), 1e9).mean
    now, step = trace[:, :-1] - trace[:, :-1].mean(axis=1, keepdims=True), np.diff(trace[:, :, 0], axis=1)
    step = step - step.mean(axis=1, keepdims=True)
    expected = np.linalg.lstsq(now.reshape(-1, 2), step.ravel(), rcond=None)[0]
    np.testing.assert_allclose(found, expected, atol=0.01)  # beside the highest frequency, which is left out


def test_the_bayes_factor_is_the_ratio_of_evidences():
    rng = RNG(1)
    state = rng.normal(size=(1, 40, 2)) + 1j * rng.normal(size=(1, 40, 2))
    change = 0.2 * state[:, :, 0] + rng.normal(size=(1, 40)) + 1j * rng.normal(size=(1, 40))
    log_factor = Posterior.of(change, state, np.ones(40), 1.0).evidence(1.0)
    x = np.concatenate([state[0].real, state[0].imag])
    y = np.concatenate([change[0].real, change[0].imag])

    def evidence(columns):
        # y is multivariate t once weights and variance are integrated out (inverse gamma: shape 1, scale var y)
        spread = y.var() * (np.eye(80) + x[:, columns] @ x[:, columns].T)
        return multivariate_t(np.zeros(80), spread, df=2).logpdf(y)

    # the prior's density at zero is taken at the posterior's variance rather than at its own: within a unit or so
    np.testing.assert_allclose(log_factor, [evidence([0, 1]) - evidence([k]) for k in (1, 0)], atol=0.7)


def test_spectra_are_smoothed_without_bias():
    np.testing.assert_allclose(smoothed(np.ones(60)), 1.0)
    assert smoothed(RNG(2).exponential(size=2000)).mean() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_planted_couplings_are_found_with_their_signs(seed):
    weight = chain()
    estimate = StateSpaceRegression().analyse(autoregressive(RNG(seed), weight), RNG(0)).estimate
    np.testing.assert_array_equal(estimate["decided"], weight != 0)
    np.testing.assert_array_equal(estimate["sign"][weight != 0], np.sign(weight[weight != 0]))


def test_slow_connections_are_found_through_blood_only_if_its_colour_is_reckoned_with():
    slow = BoldNodes(lag=1.0, up=0.5, down=2.0, burn_in=20.0)
    scanner = Bold(repetition_time=0.5, noise=0.001, delay_spread=0.0, haemodynamics="canonical")
    found, white = scanned(slow, scanner, StateSpaceRegression(), StateSpaceRegression(iterations=1))
    assert np.mean([m["direction_accuracy"] for m in found]) >= 0.9
    assert np.mean([m["mcc"] for m in found]) >= 0.6
    assert np.mean([m["n_false"] for m in found]) < np.mean([m["n_false"] for m in white])


def test_fast_connections_are_not_seen_at_a_slow_repetition():
    seen = Bold(haemodynamics="canonical")
    (found,) = scanned(BoldNodes(), seen, StateSpaceRegression(), subjects=6, duration=300.0)
    assert np.mean([m["direction_accuracy"] for m in found]) < 0.85  # 30 connections, chance .5 +- .09
    assert np.mean([m["mcc"] for m in found]) < 0.4


@pytest.mark.parametrize("n", [3, 8, 20])
def test_independent_slow_signals_are_seldom_called_connected(n):
    assert any_discovery(StateSpaceRegression(), (slow_signals(RNG(s), n=n, trials=5) for s in range(6))) <= 1


def test_bad_input_is_no_answer_or_no_harm():
    for what, world in (*odd_spikes(), *odd_signals()):
        finding = StateSpaceRegression().analyse(world, RNG(0))
        if not finding.abstained:
            assert np.isfinite(finding.estimate["score"]).all(), what
            assert not finding.estimate["decided"].diagonal().any(), what
    short = StateSpaceRegression().analyse(of_signal(RNG(3).normal(size=(1, 100, 6))), RNG(0))
    assert "too few for their dynamics" in short.abstained
