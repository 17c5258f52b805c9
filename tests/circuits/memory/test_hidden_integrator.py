"""The hidden integrator: its regime, its match to a line attractor as recorded, and what a part of it tells a model."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov

from circuits.memory.hidden_integrator import HiddenIntegrator, noisy_line
from circuits.memory.line_attractor import LineAttractor
from circuits.memory.remembered import kept_states
from methods.dynamics.data_constrained_network import modes
from simlab.contracts import SimlabError
from simlab.streams import stream

LINE, CHAIN = noisy_line(), HiddenIntegrator()
RECORDED = np.random.default_rng(3).permutation(LINE.n_neurons)[:25]


@pytest.fixture(scope="module")
def subjects():
    return [circuit.subject(stream(1, "subject")) for circuit in (LINE, CHAIN)]


@pytest.fixture(scope="module")
def recorded(subjects):
    """Values shown (trial,) and rates (trial, sample, neuron) of a quarter of either circuit, in one session."""
    session = subjects[0].session(trials=60, duration=2.0, rng=stream(5))
    rates = [subject.rates(session, stream(6, "run"))[1][:, :, RECORDED] for subject in subjects]
    return session.stimulus.values[:, 0, 0], rates


def regime(subject):
    return subject.truth("dynamics", None, np.random.default_rng(0))["label"].item()


def test_it_integrates_without_a_slow_mode(subjects):
    line, chain = subjects
    assert [regime(line), regime(chain)] == ["line attractor", "non-normal integrator"]
    weights = chain.network.weights
    # nilpotent: what 30 stages and the output hand on is gone after 32 steps, so that every eigenvalue is zero
    assert np.abs(np.linalg.matrix_power(weights, 32)).max() < 1e-9 * np.abs(np.linalg.matrix_power(weights, 15)).max()
    size = {s: np.linalg.norm(kept_states(chain, np.array([0.5]), duration=s) - chain.rest) for s in (1.0, 2.0, 7.0)}
    assert size[2.0] > 0.9 * size[1.0]
    # 30 stages of .1 s: 7 s are their mean and more than seven standard deviations
    assert size[7.0] < 0.01 * size[1.0]


def test_what_is_recorded_of_it_looks_like_the_line(recorded):
    values, (line, chain) = recorded
    assert min(line.min(), chain.min()) > 0
    # 25 units of sd 4 Hz in 60 trials, all moved by one value: a mean has a standard error of about .5 Hz
    assert chain[:, 60:].mean() == pytest.approx(line[:, 60:].mean(), abs=1.5)
    tuning = [(x[:, 100] - x[:, 100].mean(0)).T @ values / (values @ values) for x in (line, chain)]
    assert np.corrcoef(*tuning)[0, 1] > 0.85
    assert np.polyfit(*tuning, 1)[0] == pytest.approx(1.0, rel=0.2)
    fast = [np.diff(x[:, 60:], axis=1).std() for x in (line, chain)]
    spread = [x.std() for x in (line, chain)]
    assert fast[1] == pytest.approx(fast[0], rel=0.15)
    assert spread[1] == pytest.approx(spread[0], rel=0.25)
    drift = []
    for rates, slope in zip((line, chain), tuning, strict=True):
        moved = (rates[:, 120] - rates[:, 60]) @ slope / np.linalg.norm(slope)
        drift.append((moved - np.polyval(np.polyfit(values, moved, 1), values)).std())
    # sixty trials: a standard error of 13% of their ratio; noise of the later stages leaves within .6 s: less, by 10%
    assert drift[1] == pytest.approx(drift[0], rel=0.4)


def exact_fit(subject, neurons, step=0.01):
    """What a fit to endless noise of these neurons alone would be: (exp(J dt) C)_oo (C_oo)^-1."""
    jacobian = np.asarray(subject.network.jacobian(subject.rest), dtype=float)
    tau, noise = LINE.time_constant, CHAIN.private_noise
    covariance = solve_continuous_lyapunov(jacobian, -2 * noise**2 / tau * np.eye(len(jacobian)))
    lagged = (expm(jacobian * step) @ covariance)[np.ix_(neurons, neurons)]
    return np.linalg.solve(covariance[np.ix_(neurons, neurons)], lagged.T)


def test_a_tenth_of_its_neurons_has_one_slow_mode_that_the_whole_has_not(subjects):
    whole, _ = modes(exact_fit(subjects[1], np.arange(100)), 0.01)
    assert whole[0] < 3 * CHAIN.like.time_constant  # exactly once; a chain of equal modes is where rounding shows most
    for draw in range(3):
        tenth, turning = modes(exact_fit(subjects[1], np.random.default_rng(draw).permutation(100)[:10]), 0.01)
        assert tenth[0] > 1.5
        assert tenth[0] > 2 * tenth[1]
        assert turning[0] == 0


def test_it_takes_what_a_given_line_attractor_has():
    like = LineAttractor(n_neurons=20, private_noise=0.2)
    assert CHAIN.imitating(like) == HiddenIntegrator(like, stages=19, private_noise=0.2)
    assert CHAIN.imitating(replace(like, private_noise=0.0)).private_noise == CHAIN.private_noise
    with pytest.raises(SimlabError, match="stages must be fewer"):
        HiddenIntegrator(stages=100)
    with pytest.raises(SimlabError, match="diffusion"):
        HiddenIntegrator(replace(LINE, diffusion=0.0))
