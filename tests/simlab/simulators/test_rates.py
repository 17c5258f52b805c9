"""The rate engine against analytic solutions of the equations it integrates."""

import numpy as np
import pytest

from simlab.contracts import SimlabError
from simlab.progress import listening
from simlab.session import Effect, Perturbation, Session
from simlab.simulators.rates import RateNetwork, fixed_point, settle, simulate
from simlab.simulators.transfers import logistic, threshold_linear
from simlab.streams import stream


def linear(drive):
    return drive


PAIR = np.array([[0.0, 0.5], [0.2, 0.0]])  # (pre, post)


def run(network, session, **options):
    return simulate(network, session, stream(1, "rates"), **({"dt": 1e-3, "sample_interval": 1e-3} | options))


def test_an_unconnected_unit_relaxes_exponentially_to_its_input():
    network = RateNetwork(np.zeros((1, 1)), 0.02, linear, bias=3.0)
    time, rate = run(network, Session(1, 0.1), dt=1e-4, sample_interval=1e-4)
    # Euler with h = dt/tau = 0.005 is off by less than h/2 of the step response.
    assert np.allclose(rate[0, :, 0], 3.0 * (1 - np.exp(-time / 0.02)), atol=3.0 * 0.0025)


def test_row_is_the_presynaptic_neuron():
    network = RateNetwork(PAIR, 0.01, linear, bias=np.array([1.0, 0.0]))
    expected = np.linalg.solve(np.eye(2) - PAIR.T, [1.0, 0.0])
    assert np.allclose(settle(network, np.zeros(2), duration=1.0, dt=1e-3), expected)
    assert expected[1] == pytest.approx(0.5 * expected[0])


def test_newton_finds_the_linear_solution_and_its_eigenvalues():
    point = fixed_point(RateNetwork(PAIR, 0.01, linear, bias=1.0), np.zeros(2))
    assert np.allclose(point.state, np.linalg.solve(np.eye(2) - PAIR.T, np.ones(2)))
    assert np.allclose(point.eigenvalues.real, (np.array([1, -1]) * np.sqrt(0.1) - 1) / 0.01)
    assert point.stable


def test_a_self_exciting_logistic_unit_has_two_stable_points_and_one_unstable_between():
    network = RateNetwork(np.array([[8.0]]), 0.01, logistic, bias=-4.0)
    points = [fixed_point(network, np.array([guess])) for guess in (0.0, 0.45, 1.0)]
    assert [point.stable for point in points] == [True, False, True]
    assert points[1].state[0] == pytest.approx(0.5)


def test_the_jacobian_is_the_derivative_of_the_simulated_equation():
    rng = stream(2, "jacobian")
    network = RateNetwork(rng.normal(size=(4, 4)), np.array([0.01, 0.02, 0.01, 0.05]), logistic, bias=0.3)
    state, step = rng.random(4), 1e-6
    numeric = [
        (network.velocity(state + step * e) - network.velocity(state - step * e)) / (2 * step) for e in np.eye(4)
    ]
    assert np.allclose(network.jacobian(state), np.transpose(numeric), rtol=1e-5, atol=1e-5)


def test_newton_says_when_there_is_no_fixed_point():
    with pytest.raises(SimlabError, match="no fixed point"):
        fixed_point(RateNetwork(np.array([[1.0]]), 0.01, linear, bias=1.0), np.zeros(1), max_steps=20)


def test_state_noise_has_the_variance_of_an_ornstein_uhlenbeck_process():
    network = RateNetwork(np.zeros((50, 50)), 0.01, linear, state_noise=2.0)
    _, rate = run(network, Session(20, 0.5), burn_in=0.1)
    # Variance sigma^2/2, times 1/(1 - h/2) for Euler with h = 0.1. 1000 units x 0.5 s / (2 tau) = 2.5e4 independent
    # samples: standard error sqrt(2/2.5e4) = 0.9% of it; 4 of them.
    assert rate.var() == pytest.approx(2.0 / 0.95, rel=0.036)


def test_shot_noise_has_the_variance_of_low_passed_poisson_spikes():
    network = RateNetwork(np.zeros((50, 50)), 0.1, linear, bias=20.0, shot_noise=1.0)
    _, rate = run(network, Session(20, 2.0), initial=np.full((20, 50), 20.0), dt=2e-3, sample_interval=1e-2)
    # Campbell: r / (2 tau) = 100, reached after three tau. 1000 units x 1.7 s / (2 tau): 8500 samples, standard error
    # 1.5%; Euler's bias is 1%, and the mean over a sample takes off 3%.
    assert rate[:, 30:].var() == pytest.approx(100.0, rel=0.08)


def test_input_noise_is_drawn_afresh_at_every_step():
    network = RateNetwork(np.zeros((40, 40)), 1e-3, linear, input_noise=1.5)
    _, rate = run(network, Session(10, 0.5))
    noise = rate[:, 1:]  # with dt = tau a sample is the noise itself; the first is the start
    assert noise.std() == pytest.approx(1.5, rel=0.01)  # 2e5 samples: standard error 0.16%
    lagged = np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]
    assert abs(lagged) < 4 / np.sqrt(noise.size)


def test_a_stimulation_of_one_rheobase_adds_the_networks_rheobase():
    network = RateNetwork(np.zeros((3, 3)), 1e-3, linear, rheobase=np.array([1.0, 2.0, 4.0]))
    pulse = Effect("drive", np.array([1.0, 0.5, 0.0]), 0.2, 0.4, trials=(1,))
    time, rate = run(network, Session(2, 0.6, perturbations=(pulse,)))
    inside = (time > 0.201) & (time < 0.4)
    assert np.allclose(rate[1, inside], [1.0, 1.0, 0.0])
    assert np.allclose(rate[1, time < 0.2], 0)
    assert np.allclose(rate[1, time > 0.402], 0)
    assert np.allclose(rate[0], 0)


def test_silencing_drives_a_unit_below_threshold_and_a_hold_keeps_its_rate():
    network = RateNetwork(np.zeros((3, 3)), 5e-3, threshold_linear, bias=5.0)
    silence = Effect("drive", -10.0 * np.array([1.0, 0, 0]), 0.1, 0.3)
    clamp = Effect("hold", np.array([np.nan, 20.0, np.nan]), 0.1, 0.3)
    time, rate = run(network, Session(1, 0.4, perturbations=(silence, clamp)))
    late = (time > 0.2) & (time < 0.3)
    assert np.allclose(rate[0, late], [0.0, 20.0, 5.0], atol=1e-6)
    assert np.allclose(rate[0, (time > 0.1) & (time < 0.3), 1], 20.0)
    assert np.allclose(rate[0, -1], 5.0, atol=1e-3)


def test_inputs_of_a_task_are_followed_step_by_step():
    inputs = np.array([[[1.0], [3.0]], [[0.0], [2.0]]])  # two trials, two steps of 50 ms, one unit
    network = RateNetwork(np.zeros((1, 1)), 1e-3, linear)
    time, rate = run(network, Session(2, 0.15), inputs=inputs, input_interval=0.05)
    for start, expected in ((0.0, [1, 0]), (0.05, [3, 2]), (0.1, [0, 0])):
        inside = (time > start + 1e-3) & (time < start + 0.05)
        assert np.allclose(rate[:, inside, 0], np.array(expected)[:, None])


def test_results_do_not_depend_on_how_trials_are_chunked():
    network = RateNetwork(PAIR, 0.01, logistic, input_noise=1.0)
    _, together = run(network, Session(7, 0.2))
    _, apart = run(network, Session(7, 0.2), memory_limit=3 * 8 * 2 * (2 * 200 + 12))
    assert np.array_equal(together, apart)


def test_trials_are_independent_and_the_seed_decides_them():
    network = RateNetwork(np.zeros((1, 1)), 1e-3, linear, input_noise=1.0)
    _, rate = run(network, Session(2, 5.0))
    assert abs(np.corrcoef(rate[0, :, 0], rate[1, :, 0])[0, 1]) < 4 / np.sqrt(5000)
    assert np.array_equal(rate, run(network, Session(2, 5.0))[1])


def test_progress_is_reported_up_to_one():
    heard = []
    with listening(lambda done, what: heard.append(done)):
        run(RateNetwork(PAIR, 0.01, logistic), Session(4, 0.1), memory_limit=1)
    assert heard == [0.25, 0.5, 0.75, 1.0]


def test_bad_requests_name_rule_and_value():
    network = RateNetwork(PAIR, 0.01, logistic)
    with pytest.raises(SimlabError, match="whole number of steps"):
        run(network, Session(1, 0.1), sample_interval=1.5e-3)
    with pytest.raises(SimlabError, match="effects on neurons"):
        run(network, Session(1, 0.1, perturbations=(Perturbation("stimulate", (0,), 1.0, 0, 0.1),)))
    with pytest.raises(SimlabError, match="square"):
        RateNetwork(np.zeros((2, 3)), 0.01, logistic)
    with pytest.raises(SimlabError, match="inputs must be"):  # one trial's inputs for two
        run(network, Session(2, 0.1), inputs=np.zeros((1, 1, 2)), input_interval=0.1)
