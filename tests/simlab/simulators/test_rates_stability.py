"""A simulation that runs away says when, why, and which step would do; and that step does."""

import re

import numpy as np
import pytest

from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.simulators.rates import RateNetwork, settle, simulate
from simlab.simulators.transfers import logistic, threshold_linear
from simlab.streams import stream


def linear(drive):
    return drive


INHIBITED = RateNetwork(np.array([[0.0, -30.0], [30.0, 0.0]]), np.array([0.01, 0.02]), linear, bias=1.0)


def run(network, session, dt, **options):
    return simulate(network, session, stream(1), dt=dt, **({"sample_interval": 10 * dt} | options))[1]


def limit(network):
    """The longest stable Euler step, by Euler's own matrix."""
    jacobian = (network.weights.T - np.eye(network.size)) / np.broadcast_to(network.time_constant, (2,))[:, None]
    steps = np.geomspace(1e-7, 1.0, 20_000)
    largest = [np.abs(np.linalg.eigvals(np.eye(2) + step * jacobian)).max() for step in steps]
    return steps[np.argmax(np.array(largest) > 1)]


def test_a_step_that_is_too_long_is_told_its_time_and_the_longest_that_is_stable():
    with pytest.raises(SimlabError, match="trial 0 of the rate network ran away at") as caught:
        run(INHIBITED, Session(2, 10.0), dt=1e-3)
    message = str(caught.value)
    assert "shortest time constant is 0.01 s" in message
    longest = float(re.search(r"steps below ([\d.e-]+) s are stable", message)[1])
    assert longest == pytest.approx(limit(INHIBITED), rel=0.01)
    advised = float(re.search(r"take dt=([\d.e-]+) s", message)[1])
    assert np.isfinite(run(INHIBITED, Session(1, 1000 * advised), dt=advised)).all()


def test_the_time_is_that_of_the_first_step_that_single_precision_cannot_hold():
    with pytest.raises(SimlabError) as caught:
        run(INHIBITED, Session(1, 10.0), dt=1e-3)
    x, step = np.zeros(2), 0
    while np.abs(x).max() <= np.finfo(np.float32).max:
        x = x + 1e-3 * (INHIBITED.weights.T @ x + 1 - x) / INHIBITED.time_constant
        step += 1
    assert f"ran away at {step * 1e-3:.6g} s" in str(caught.value)


def test_the_trial_that_ran_away_is_named_and_a_burn_in_has_times_before_zero():
    loud = Effect("gain", np.array([3.0, 1.0]), 0.0, 2.0, trials=(2,))
    network = RateNetwork(np.array([[0.5, 0.0], [0.0, 0.5]]), 0.01, linear, bias=1.0)
    with pytest.raises(SimlabError, match=r"trial 2 .*equations themselves run away \(a mode grows there by 50/s\)"):
        run(network, Session(4, 2.0, perturbations=(loud,)), dt=1e-3)
    with pytest.raises(SimlabError, match=r"ran away at -\d"):
        run(INHIBITED, Session(1, 0.1), dt=1e-3, burn_in=20.0)


def test_equations_that_grow_without_bound_are_not_blamed_on_the_step():
    network = RateNetwork(np.array([[2.0]]), 0.01, threshold_linear, bias=1.0)
    with pytest.raises(SimlabError, match="equations themselves run away"):
        run(network, Session(1, 5.0), dt=1e-4)


def test_settling_says_so_too():
    with pytest.raises(SimlabError, match=r"noise-free state ran away at .*steps below .* are stable; take dt="):
        settle(INHIBITED, np.zeros((3, 2)), duration=10.0, dt=1e-3)
    assert settle(INHIBITED, np.zeros((3, 2)), duration=1.0, dt=1e-5).shape == (3, 2)


@pytest.mark.parametrize("dt", [0.02, 0.0, -1e-3, np.nan])
def test_a_step_at_which_the_leak_alone_is_unstable_is_refused(dt):
    network = RateNetwork(np.zeros((1, 1)), 0.01, logistic)
    for call in (lambda: run(network, Session(1, 0.2), dt=dt), lambda: settle(network, [0.0], duration=1.0, dt=dt)):
        with pytest.raises(SimlabError, match=r"twice its shortest time constant of 0.01 s, got dt"):
            call()


def test_a_transfer_function_that_returns_no_number_is_said_to():
    network = RateNetwork(np.zeros((1, 1)), 0.01, lambda drive: drive * np.nan)
    with pytest.raises(SimlabError, match="no finite slope at the start"):
        run(network, Session(1, 0.1), dt=1e-3)
