import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes, ring_weight
from scipy.optimize import minimize
from wiring_manners import check_answers, discoveries, odd_spikes

from methods.wiring._pairs import on_grid
from methods.wiring.glmcc import GLMCC, correlograms, fit, kernels, posterior_deviation
from simlab.contracts import SimlabError
from simlab.data import recording

SHAPE = kernels(50, 0.001, 0.003, 0.004)


def _counts(coupling, level, seed):
    """A correlogram (lag, 1) with a swell of .3 around zero lag and these couplings."""
    lag = np.arange(-49.5, 50)
    log_rate = np.log(level) + 0.3 * np.exp(-0.5 * (lag / 20) ** 2) + SHAPE @ coupling
    return np.random.default_rng(seed).poisson(np.exp(log_rate)).astype(float)[:, None]


def test_planted_couplings_are_found_with_their_sign_and_direction():
    weight = ring_weight(8)
    world = coupled_spikes(weight, np.random.default_rng(5), trials=30)
    finding = GLMCC().analyse(world, np.random.default_rng(0))
    found, true = finding.estimate, weight != 0
    assert found["decided"][true].all()
    np.testing.assert_array_equal(found["sign"][true], np.sign(weight[true]))
    assert (found["score"][true] > found["score"].T[true]).all()
    # effects are felt in the second bin after a spike, and in the bins that follow
    assert (finding.notes["delay"][true] <= 0.003).all()


@pytest.mark.parametrize("coupling", [(0.8, 0.0), (-0.7, 0.4)])
def test_the_mode_of_the_posterior_is_that_of_a_general_optimiser(coupling):
    counts, prior = _counts(coupling, 30.0, 1), 200.0

    def loss(parameters):
        log_rate = parameters[:100] + SHAPE @ parameters[100:]
        steps = np.diff(parameters[:100])
        slope = np.exp(log_rate) - counts[:, 0]
        pull = -prior * np.diff(np.concatenate([[0], steps, [0]]))
        value = -(counts[:, 0] @ log_rate - np.exp(log_rate).sum()) + prior / 2 * steps @ steps
        return value, np.concatenate([slope + pull, slope @ SHAPE])

    start = np.append(np.full(100, np.log(counts.mean())), [0.0, 0.0])
    best = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-6, "maxiter": 5000})
    ours = fit(counts, SHAPE[:, None], prior)
    np.testing.assert_allclose(ours.coupling[0], best.x[100:], atol=1e-4)
    np.testing.assert_allclose(ours.background[:, 0], best.x[:100], atol=1e-3)
    assert ours.log_posterior[0] == pytest.approx(-best.fun, abs=1e-5)


def test_couplings_are_recovered_beside_a_background_that_swells():
    counts = np.concatenate([_counts((0.5, -0.5), 400.0, seed) for seed in range(20)], axis=1)
    found = fit(counts, np.broadcast_to(SHAPE[:, None], (100, 20, 2)), 4000.0).coupling
    # 1600 counts under a kernel: each has a standard error of some 1.6 / sqrt(1600) = .04, their mean of .009
    np.testing.assert_allclose(found.mean(axis=0), [0.5, -0.5], atol=0.05)


@pytest.mark.parametrize("level", [5.0, 10.0, 20.0])
def test_at_few_counts_the_posterior_has_the_deviation_that_the_paper_states(level):
    # their cut, 1.277 sqrt(16.3 / (tau level)), is 3.29 deviations (.001, two-sided) of 1.57 / sqrt(tau level); on a
    # background that is known it would be sqrt(2 / (tau level)), and at more counts it is freer to bend: 1.84 at 100
    deviation = posterior_deviation(np.full((100, 1), np.log(level)), SHAPE[:, None], 4000.0)
    np.testing.assert_allclose(deviation * np.sqrt(4 * level), 1.277 * np.sqrt(16.3) / 3.29, rtol=0.05)


def test_the_posterior_deviation_is_that_of_the_whole_hessian():
    background = np.log(np.linspace(5, 20, 100))
    rate, prior = np.exp(background), 4000.0
    hessian = np.zeros((102, 102))
    hessian[:100, :100] = np.diag(rate) + prior * np.diff(np.eye(100), axis=0).T @ np.diff(np.eye(100), axis=0)
    hessian[:100, 100:] = rate[:, None] * SHAPE
    hessian[100:, :100] = hessian[:100, 100:].T
    hessian[100:, 100:] = SHAPE.T @ (rate[:, None] * SHAPE)
    expected = np.sqrt(np.diag(np.linalg.inv(hessian))[100:])
    found = posterior_deviation(background[:, None], SHAPE[:, None], prior)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)


def test_correlograms_hold_every_close_pair_once_and_mirror_each_other():
    ticks = on_grid(poisson_spikes(np.random.default_rng(2), n=3, rate=30.0, trials=2), 0.0002)
    counts = correlograms(ticks, 20)
    np.testing.assert_array_equal(counts, counts.transpose(1, 0, 2)[:, :, ::-1])
    when, trial = ticks.tick, ticks.trial
    first, second = ticks.unit == 0, ticks.unit == 1
    lag = when[second][None] - when[first][:, None]
    same = trial[second][None] == trial[first][:, None]
    assert counts[0, 1].sum() == (same & (np.abs(lag) <= 100)).sum()
    assert counts[0, 1, 21] == (same & (lag > 5) & (lag <= 10)).sum()


def test_kernels_are_mirror_images_that_begin_at_the_delay():
    assert (SHAPE[:53, 0] == 0).all()
    np.testing.assert_array_equal(SHAPE[::-1, 0], SHAPE[:, 1])
    assert SHAPE[53, 0] == pytest.approx(4 * (1 - np.exp(-0.25)))
    assert SHAPE[:, 0].sum() == pytest.approx(4, rel=1e-4)


@pytest.mark.parametrize("kind", ["refractory", "autocorrelated"])
def test_independent_units_are_seldom_called_connected(kind):
    # at most .05 of worlds each; P(more than 2 of 6 | .05) = .002
    assert discoveries(GLMCC(), kind, 2) <= 2


def test_a_pair_that_never_fires_together_is_inhibited_within_bounds():
    rng = np.random.default_rng(3)
    world = coupled_spikes(np.array([[0.0, -20.0], [0.0, 0.0]]), rng, rate=20.0, trials=20)
    finding = GLMCC().analyse(world, rng)
    assert finding.estimate["decided"][0, 1]
    assert finding.estimate["sign"][0, 1] == -1
    assert -3 <= finding.notes["coupling"][0, 1] < -1


def test_odd_recordings_get_an_answer_or_a_reason():
    reasons = check_answers(GLMCC(), odd_spikes())
    assert set(reasons) == {"no spike", "one unit", "short trials"}


def test_few_counts_are_no_evidence():
    spikes = (np.zeros(6, int), np.arange(6) * 1.0 + np.array([0, 0.003] * 3), np.array([0, 1] * 3))
    found = GLMCC().analyse(recording(duration=10.0, n_units=2, n_trials=1, spikes=spikes), None).estimate
    assert (found["p"] == 1).all()


def test_a_window_that_cannot_hold_the_kernel_is_refused():
    with pytest.raises(SimlabError, match="window"):
        GLMCC(window=0.005)
    with pytest.raises(SimlabError, match="delays"):
        GLMCC(delays=())
