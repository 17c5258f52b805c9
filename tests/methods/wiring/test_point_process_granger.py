import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes, ring_weight
from wiring_manners import check_answers, discoveries, odd_spikes

from methods.wiring._lagged_design import LaggedDesign
from methods.wiring._pairs import on_grid
from methods.wiring.point_process_granger import PointProcessGranger
from simlab.contracts import SimlabError

N_LAGS = 10


def _windowed(world):
    """The design in full: spikes of each unit in five windows of 2 ms, (row, unit x window), and counts (row, unit)."""
    ticks = on_grid(world, 0.001)
    counts = np.zeros((ticks.n_trials, ticks.n_ticks, ticks.n_units))
    np.add.at(counts, (ticks.trial, ticks.tick, ticks.unit), 1)
    lagged = np.stack([counts[:, N_LAGS - lag : ticks.n_ticks - lag] for lag in range(1, N_LAGS + 1)], axis=-1)
    windows = lagged.reshape(*lagged.shape[:-1], 5, 2).sum(axis=-1)
    return windows.reshape(-1, ticks.n_units * 5), counts[:, N_LAGS:].reshape(-1, ticks.n_units)


def _log_likelihood(design, counts):
    """Of the Poisson regression that statsmodels fits, but for a constant."""
    import statsmodels.api as sm

    whole = np.column_stack([np.ones(len(design)), design])
    fitted = sm.GLM(counts, whole, family=sm.families.Poisson()).fit()
    return counts @ np.log(fitted.mu) - fitted.mu.sum()


def test_planted_couplings_are_found_with_their_sign_and_direction():
    weight = ring_weight(8)
    found = PointProcessGranger().analyse(coupled_spikes(weight, np.random.default_rng(5), trials=30), None).estimate
    true = weight != 0
    assert found["decided"][true].all()
    np.testing.assert_array_equal(found["sign"][true], np.sign(weight[true]))
    assert (found["score"][true] > found["score"].T[true]).all()


def test_deviances_are_those_of_models_fitted_anew():
    weight = np.zeros((3, 3))
    weight[0, 1], weight[2, 0] = 1.0, -1.0
    world = coupled_spikes(weight, np.random.default_rng(1), trials=5, rate=25.0, duration=4.0)
    design, counts = _windowed(world)
    found = PointProcessGranger(tolerance=1e-6, ridge=1e-6).analyse(world, None).notes["deviance"]
    for post in range(3):
        full = _log_likelihood(design, counts[:, post])
        for pre in set(range(3)) - {post}:
            kept = np.repeat(np.arange(3) != pre, 5)
            refitted = 2 * (full - _log_likelihood(design[:, kept], counts[:, post]))
            # one Newton step: nulls to a fiftieth, large ones a little overstated
            np.testing.assert_allclose(found[pre, post], refitted, rtol=0.02 if refitted < 20 else 0.1)
            assert found[pre, post] > refitted - 1e-3


def test_deviances_of_unconnected_units_are_chi_square():
    found = [
        PointProcessGranger()
        .analyse(poisson_spikes(np.random.default_rng(seed), n=8, rate=8.0), None)
        .notes["deviance"]
        for seed in range(3)
    ]
    off = np.array(found)[:, ~np.eye(8, dtype=bool)]
    # chi-square with 5 degrees: mean 5, sd sqrt(10); 168 statistics, so the mean has sd .24: four of them
    assert abs(off.mean() - 5) < 0.98


def test_a_chain_of_influences_has_no_shortcut():
    weight = np.zeros((3, 3))
    weight[0, 1] = weight[1, 2] = 3.0
    world = coupled_spikes(weight, np.random.default_rng(2), trials=20, rate=20.0, duration=5.0, decay=0.001)
    found = PointProcessGranger().analyse(world, None)
    assert found.estimate["decided"][0, 1]
    assert found.estimate["decided"][1, 2]
    assert found.notes["deviance"][0, 2] < 0.05 * found.notes["deviance"][1, 2]


def test_large_designs_that_are_not_kept_give_the_same(monkeypatch):
    world = coupled_spikes(ring_weight(4), np.random.default_rng(3), trials=5)
    expected = PointProcessGranger().analyse(world, None).notes["deviance"]
    monkeypatch.setattr("methods.wiring._lagged_design.CACHE_ENTRIES", 0)
    monkeypatch.setattr("methods.wiring._lagged_design.CHUNK_ENTRIES", 20_000)
    monkeypatch.setattr("methods.wiring.point_process_granger.GROUP_ENTRIES", 1)
    assert LaggedDesign(on_grid(world, 0.001), N_LAGS)._cache is None
    np.testing.assert_allclose(PointProcessGranger().analyse(world, None).notes["deviance"], expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["refractory", "autocorrelated"])
def test_independent_units_are_seldom_called_connected(kind):
    # at most .05 of worlds each; P(more than 2 of 6 | .05) = .002
    assert discoveries(PointProcessGranger(), kind, 2) <= 2


def test_odd_recordings_get_an_answer_or_a_reason():
    reasons = check_answers(PointProcessGranger(), odd_spikes())
    assert set(reasons) == {"no spike", "one unit", "short trials"}


def test_no_ridge_is_refused():
    with pytest.raises(SimlabError, match="ridge"):
        PointProcessGranger(ridge=0.0)
