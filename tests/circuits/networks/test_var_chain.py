"""The autoregressive chain: its covariances and spectra by theory, its wiring by perturbation."""

from functools import cache

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov
from scipy.signal import csd, welch

import simlab
from circuits.networks.var_chain import VARChain
from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.streams import stream

# Stokes & Purdon 2017, written out: (pre, post), one step back and two.
FIRST = np.array(
    [
        [1.8 * np.cos(2 * np.pi / 3), -0.356, 0],
        [0, 1.4 * np.cos(np.pi / 6), -0.3098],
        [0, 0, 1.6 * np.cos(5 * np.pi / 6)],
    ]
)
SECOND = np.array([[-0.81, 0.7136, 0], [0, -0.49, 0.5], [0, 0, -0.64]])


@cache
def subject():
    return VARChain().subject(stream(1, "subject"))


@cache
def x():
    """(trial, time, node) of 20 trials of 100 s."""
    return subject().run(Session(20, 100.0), stream(1, "run"))["rate"].values.astype(float)


def spectrum(frequency):
    """(pre, post) [1/Hz], one-sided, by the transfer function."""
    turn = np.exp(-2j * np.pi * frequency / 120)
    transfer = np.linalg.inv(np.eye(3) - FIRST.T * turn - SECOND.T * turn**2)
    return 2 * transfer @ transfer.conj().T / 120


def test_it_keeps_the_contract():
    assert simlab.check(VARChain(), raises=False).ok


def test_the_coefficients_are_those_of_the_paper():
    np.testing.assert_allclose(VARChain().coefficients, [FIRST, SECOND], atol=1e-12)


def test_covariances_are_those_that_the_lyapunov_equation_gives():
    companion = np.block([[FIRST.T, SECOND.T], [np.eye(3), np.zeros((3, 3))]])
    noise = np.zeros((6, 6))
    noise[:3, :3] = np.eye(3)
    state = solve_discrete_lyapunov(companion, noise)
    scale = np.sqrt(np.outer(np.diag(state)[:3], np.diag(state)[:3]))
    for lag in range(6):
        expected = (np.linalg.matrix_power(companion, lag) @ state)[:3, :3]  # of x(t + lag) with x(t)
        found = np.einsum("ktj,kti->ji", x()[:, lag:], x()[:, : 12_000 - lag]) / (20 * (12_000 - lag))
        # 240,000 samples, correlated over some ten steps: +- 0.006 of the variances.
        np.testing.assert_allclose(found / scale, expected / scale, atol=0.025)


def test_spectra_peak_where_the_poles_are_and_have_the_power_that_theory_gives():
    frequency, power = welch(x(), fs=120, nperseg=240, axis=1)
    power = power.mean(axis=0)
    assert abs(frequency[power[:, 0].argmax()] - 40) <= 1
    expected = np.array([np.diag(spectrum(f)).real for f in frequency])
    inside = slice(2, -2)
    # 2000 segments, half of them overlapping: +- 2.5%; and the window blurs over 1 Hz.
    np.testing.assert_allclose(power[inside], expected[inside], rtol=0.15)
    _, cross = csd(x()[..., 0], x()[..., 1], fs=120, nperseg=240, axis=1)
    theory = np.array([spectrum(f)[1, 0] for f in frequency])
    strong = np.abs(theory) > 0.2 * np.abs(theory).max()
    np.testing.assert_allclose(np.angle(cross.mean(axis=0) / theory)[strong], 0, atol=0.1)


def test_a_pulse_runs_down_the_chain_with_the_coefficients_that_the_truth_sums_up():
    step, quiet = 1 / 120, VARChain(noise=1e-6).subject(stream(2, "subject"))
    truth = quiet.truth("connectivity", None, np.random.default_rng(0))["weight"].values
    np.testing.assert_allclose(truth, [[0, 0.7136, 0], [0, 0, 0.5], [0, 0, 0]])
    pulses = tuple(Effect("drive", 1e6 * np.eye(3)[i], 6 * step, 7 * step, trials=(i,)) for i in range(3))
    rate = quiet.run(Session(3, 0.2, perturbations=pulses), stream(2, "run"))["rate"].values  # (pulsed, time, node)
    np.testing.assert_allclose(rate[:, 6], np.eye(3), atol=1e-4)
    np.testing.assert_allclose(rate[:, 7], FIRST, atol=1e-4)
    np.testing.assert_allclose(rate[:, 8], FIRST @ FIRST + SECOND, atol=1e-4)


def test_cutting_a_connection_leaves_the_rest_of_the_chain():
    pairs = np.ones((3, 3))
    pairs[0, 1] = 0
    cut = Effect("gain", pairs, 0.0, 100.0, over="pair")
    alone = subject().run(Session(4, 100.0, perturbations=(cut,)), stream(3, "run"))["rate"].values
    silent = (
        subject()
        .run(Session(4, 100.0, perturbations=(Effect("gain", np.array([0.0, 1, 1]), 0, 100.0),)), stream(3, "run"))[
            "rate"
        ]
        .values
    )
    np.testing.assert_array_equal(alone, silent)  # node 1 sends to node 2 only
    later = np.corrcoef(alone[:, 200:-2, 0].ravel(), alone[:, 202:, 1].ravel())[0, 1]
    assert abs(later) < 0.03  # 46,000 samples, correlated over ten
    assert np.corrcoef(alone[:, 200:-2, 1].ravel(), alone[:, 202:, 2].ravel())[0, 1] > 0.06  # 0.10 +- 0.015


def test_a_held_node_stays_where_it_is_held():
    hold = Effect("hold", np.array([np.nan, 3.0, np.nan]), 0.5, 1.0, trials=(1,))
    rate = subject().run(Session(2, 2.0, perturbations=(hold,)), stream(4, "run"))["rate"].values
    assert np.all(rate[1, 60:120, 1] == 3.0)
    assert np.ptp(rate[0, 60:120, 1]) > 1
    assert rate[1, 120, 1] != 3.0


def test_frequencies_beyond_half_the_sampling_rate_are_refused():
    with pytest.raises(SimlabError, match="half the sampling_rate"):
        VARChain(sampling_rate=90.0)
    with pytest.raises(LookupError, match="can answer connectivity, got"):
        subject().truth("topology", None, np.random.default_rng(0))
