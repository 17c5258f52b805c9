"""Patel's kappa and tau: known tables, skewed chains that have a direction, Gaussian ones that have none, silence."""

import numpy as np
import pytest
from planted_signals import any_discovery, of_signal, slow_signals
from wiring_manners import check_answers, odd_signals, odd_spikes

from methods.wiring.patel_tau import PatelTau, activations, association, direction

RNG = np.random.default_rng


def table(both, first, second, neither):
    """Activations (1, sample, 2) with so many samples of each kind."""
    kinds = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, first, second, neither], axis=0)
    return kinds[None].astype(float)


def driven(rng, samples=2000, weight=1.0, skewed=True):
    """0 drives 1, and 2 stands alone; inputs are 1 one time in five, or Gaussian."""
    u = (rng.random((1, samples, 3)) < 0.2).astype(float) if skewed else rng.normal(size=(1, samples, 3))
    u += 0.05 * rng.normal(size=u.shape)
    u[..., 1] += weight * u[..., 0]
    return of_signal(u)


def test_kappa_and_tau_are_those_of_a_table_of_four_counts():
    active = table(30, 10, 20, 40)
    # P(1) = .4, P(2) = .5, P(1, 2) = .3; expected .2, at most .4, at least 0; D = .5 + .1 / .4 = .75
    assert association(active)[0, 1] == pytest.approx(0.1 / (0.75 * 0.2 + 0.25 * 0.2))
    assert direction(active)[0, 1] == pytest.approx(1 - 0.4 / 0.5)  # the first is active less often: it drives
    assert direction(active)[1, 0] == pytest.approx(-(1 - 0.4 / 0.5))
    apart = table(5, 35, 45, 15)  # expected .2, at least 0; D = .5 + .15 / .4 towards the other end
    assert association(apart)[0, 1] == pytest.approx(-0.15 / ((0.5 - 0.375) * 0.2 + (1 - 0.125) * 0.2))
    assert association(table(40, 0, 0, 60))[0, 1] == pytest.approx(1.0)
    assert association(table(20, 20, 30, 30))[0, 1] == pytest.approx(0.0)


def test_activations_run_from_the_tenth_to_the_ninetieth_percentile():
    trace = np.linspace(0, 1, 1001)[None, :, None]
    graded = activations(trace, 0.0)[0, :, 0]
    assert graded[0] == 0 == graded[99]
    assert graded[500] == pytest.approx(0.5)
    assert graded[901] == 1
    assert activations(trace, 0.75).mean() == pytest.approx(0.3, abs=0.002)  # above .1 + .75 * .8 = .7
    assert not activations(np.ones((1, 50, 1)), 0.0).any()


@pytest.mark.parametrize("threshold", [0.0, 0.75])
def test_a_skewed_input_shows_who_drives_whom(threshold):
    for seed in range(4):
        estimate = PatelTau(threshold=threshold, surrogates=50).analyse(driven(RNG(seed)), RNG(0)).estimate
        np.testing.assert_array_equal(estimate["decided"], [[0, 1, 0], [0, 0, 0], [0, 0, 0]])
        assert estimate["score"][0, 1] > estimate["score"][1, 0] > 0
        assert estimate["sign"][0, 1] == 1


def test_gaussian_inputs_have_no_direction():
    ways = [
        estimate["score"][0, 1] > estimate["score"][1, 0]
        for estimate in (
            PatelTau(surrogates=2).analyse(driven(RNG(s), 500, skewed=False), RNG(0)).estimate for s in range(40)
        )
    ]
    assert 8 <= sum(ways) <= 32  # 20 +- 3.2


@pytest.mark.parametrize("n", [3, 8])
def test_independent_units_are_seldom_called_connected(n):
    # .05 each: P(more than 3 of 20) = .016; of slow signals 2 and 3 of 20 were measured at these seeds
    assert any_discovery(PatelTau(surrogates=50), (slow_signals(RNG(s), n=n, trials=5) for s in range(20))) <= 3


def test_bad_input_is_no_answer_or_no_harm():
    reasons = check_answers(PatelTau(surrogates=20), (*odd_spikes(), *odd_signals()))
    assert {"no spike", "constant traces", "short traces"} & set(reasons)
