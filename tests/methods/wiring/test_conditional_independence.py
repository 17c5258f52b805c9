from importlib.util import find_spec

import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes, ring_weight
from wiring_manners import check_answers, discoveries, odd_signals, odd_spikes, signal_recording

from methods.wiring import conditional_independence
from methods.wiring.conditional_independence import ConditionalIndependence, fisher_z, lagged
from simlab.contracts import SimlabError

METHOD = ConditionalIndependence()
needs_library = pytest.mark.skipif(
    find_spec("causallearn") is None, reason="causal-learn is in the extra `causality`, which `all` does not hold"
)


def _autoregression(links, n, *, trials=4, samples=1500, own=0.5, seed=0):
    """x_post(t) += gain x_pre(t - lag) for (pre, post, lag, gain) of links, on processes of order one."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(trials, samples, n))
    for t in range(2, samples):
        x[:, t] += own * x[:, t - 1]
        for pre, post, lag, gain in links:
            x[:, t, post] += gain * x[:, t - lag, pre]
    return signal_recording(x)


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(conditional_independence, "find_spec", lambda name: None)
    reason = METHOD.analyse(poisson_spikes(np.random.default_rng(0), n=3), None).abstained
    assert "simlab[causality]" in reason


@needs_library
def test_planted_couplings_are_found_with_their_sign_and_direction():
    weight = ring_weight(8)
    world = coupled_spikes(weight, np.random.default_rng(5), trials=30)
    found = ConditionalIndependence(bin_width=0.003).analyse(world, None).estimate
    true = weight != 0
    assert found["decided"][true].all()
    np.testing.assert_array_equal(found["sign"][true], np.sign(weight[true]))
    assert (found["score"][true] > found["score"].T[true]).all()


@needs_library
def test_neither_chains_nor_common_input_make_links():
    links = [(0, 1, 1, 0.4), (1, 2, 1, -0.4), (0, 3, 2, 0.4)]
    true = np.zeros((4, 4), dtype=bool)
    true[0, 1] = true[1, 2] = true[0, 3] = True
    false = 0
    for seed in range(6):
        found = METHOD.analyse(_autoregression(links, 4, seed=seed), None)
        assert found.estimate["decided"][true].all()
        assert found.estimate["sign"][1, 2] == -1
        assert found.notes["linked_by_pc"][true].all()
        false += found.estimate["decided"][~true].any()
    # with three of twelve pairs true, the rate of .05 allows a false one in .15 to .2 of worlds: 4 of 20 measured, and
    # P(more than 3 of 6 | .2) = .017
    assert false <= 3


@needs_library
def test_a_link_from_past_to_past_or_within_a_bin_is_never_made():
    # x1 is x0 of the same bin and noise: the one link that there is cannot be told a direction by lags
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 1000, 3))
    x[:, :, 1] += x[:, :, 0]
    assert not METHOD.analyse(signal_recording(x), None).estimate["decided"].any()


def test_fisher_z_is_that_of_the_residuals_correlation():
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(500, 4)) @ rng.normal(size=(4, 4))
    given = np.column_stack([np.ones(500), rows[:, 2:]])
    left = rows[:, :2] - given @ np.linalg.lstsq(given, rows[:, :2], rcond=None)[0]
    expected = np.arctanh(np.corrcoef(left.T)[0, 1]) * np.sqrt(500 - 2 - 3)
    assert fisher_z(np.corrcoef(rows.T), 0, 1, [2, 3], 500) == pytest.approx(expected)


def test_lags_stay_within_their_trial():
    trace = np.arange(2 * 5 * 2).reshape(2, 5, 2)
    rows = lagged(trace, 2)
    assert rows.shape == (6, 6)
    np.testing.assert_array_equal(rows[0], [*trace[0, 2], *trace[0, 1], *trace[0, 0]])
    np.testing.assert_array_equal(rows[3], [*trace[1, 2], *trace[1, 1], *trace[1, 0]])
    assert lagged(trace, 5).shape == (0, 12)


@needs_library
@pytest.mark.parametrize("kind", ["refractory", "autocorrelated"])
def test_independent_units_are_seldom_called_connected(kind):
    # some .07 of worlds measured; P(more than 2 of 6 | .1) = .016
    assert discoveries(METHOD, kind, 2) <= 2


@needs_library
def test_odd_recordings_get_an_answer_or_a_reason():
    reasons = check_answers(METHOD, odd_spikes())
    assert set(reasons) == {"no spike", "one unit", "short trials", "twin units"}
    assert "copies" in reasons["twin units"]
    reasons = check_answers(METHOD, odd_signals())
    assert set(reasons) == {"short traces", "constant traces", "twin traces"}


@needs_library
def test_values_that_are_not_finite_are_a_reason():
    trace = np.random.default_rng(7).normal(size=(2, 100, 3))
    trace[0, 5, 1] = np.nan
    assert "finite" in METHOD.analyse(signal_recording(trace), None).abstained


def test_no_lag_is_refused():
    with pytest.raises(SimlabError, match="max_lag"):
        ConditionalIndependence(max_lag=0)
