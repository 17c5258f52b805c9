import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes, ring_weight, unequal

from methods.wiring._lagged_design import LaggedDesign
from methods.wiring._pairs import on_grid
from methods.wiring._poisson import Regression, fit_couplings
from methods.wiring.coupling_glm import CouplingGLM, raised_cosines
from simlab.contracts import SimlabError
from simlab.data import recording

N_LAGS = 20
BASIS = raised_cosines(N_LAGS, 4)


@pytest.fixture(scope="module")
def world():
    return coupled_spikes(ring_weight(6), np.random.default_rng(2), trials=20, duration=5.0)


def _dense(world):
    """Laid out in full: design on the basis (row, unit x basis), lagged (row, unit x lag), and counts (row, unit)."""
    ticks = on_grid(world, 0.001)
    counts = np.zeros((ticks.n_trials, ticks.n_ticks, ticks.n_units))
    np.add.at(counts, (ticks.trial, ticks.tick, ticks.unit), 1)
    lagged = np.stack([counts[:, N_LAGS - lag : ticks.n_ticks - lag] for lag in range(1, N_LAGS + 1)], axis=-1)
    flat = lagged.reshape(-1, ticks.n_units, N_LAGS)
    return (flat @ BASIS).reshape(len(flat), -1), flat.reshape(len(flat), -1), counts[:, N_LAGS:].reshape(len(flat), -1)


def _dense_of_trials(world):
    """The same of trials that differ in length, laid out trial by trial."""
    ticks = on_grid(world, 0.001)
    parts = []
    for trial, end in enumerate(ticks.ends):
        counts = np.zeros((end, ticks.n_units))
        mine = ticks.trial == trial
        np.add.at(counts, (ticks.tick[mine], ticks.unit[mine]), 1)
        lagged = np.stack([counts[N_LAGS - lag : end - lag] for lag in range(1, N_LAGS + 1)], axis=-1)
        parts.append((lagged.reshape(-1, ticks.n_units * N_LAGS), counts[N_LAGS:]))
    return (np.concatenate(column) for column in zip(*parts, strict=True))


def _fit(world, ridge=1.0, tolerance=1e-8):
    model = Regression(LaggedDesign(on_grid(world, 0.001), N_LAGS), BASIS, ridge, np.arange(world.sizes["unit"]))
    return model, model.fit(max_iterations=50, tolerance=tolerance)[0]


def test_sums_over_the_design_equal_those_of_the_matrix_in_full(world):
    _, lagged, counts = _dense(world)
    design = LaggedDesign(on_grid(world, 0.001), N_LAGS)
    assert design.n_rows == len(lagged)
    np.testing.assert_allclose(design.events, lagged.T @ counts)
    np.testing.assert_allclose(design.squares, (lagged**2).sum(axis=0))
    rng = np.random.default_rng(0)
    intercept, filters = rng.normal(-4, 0.1, 6), rng.normal(0, 0.3, (lagged.shape[1], 6))
    rate = np.exp(lagged @ filters + intercept)
    moments = design.moments(intercept, filters)
    np.testing.assert_allclose(moments.columns, lagged.T @ rate)
    np.testing.assert_allclose(moments.total, rate.sum(axis=0))


def test_sums_over_unequal_trials_equal_those_of_the_matrix_in_full(world):
    cut = unequal(world, np.linspace(0.03, 5.0, 20))
    lagged, counts = _dense_of_trials(cut)
    design = LaggedDesign(on_grid(cut, 0.001), N_LAGS)
    assert design.n_rows == len(lagged)
    np.testing.assert_allclose(design.events, lagged.T @ counts)
    np.testing.assert_allclose(design.squares, (lagged**2).sum(axis=0))
    np.testing.assert_allclose(design.spikes, counts.sum(axis=0))
    rng = np.random.default_rng(0)
    intercept, filters = rng.normal(-4, 0.1, 6), rng.normal(0, 0.3, (lagged.shape[1], 6))
    rate = np.exp(lagged @ filters + intercept)
    moments = design.moments(intercept, filters)
    np.testing.assert_allclose(moments.columns, lagged.T @ rate)
    np.testing.assert_allclose(moments.total, rate.sum(axis=0))


def test_sums_over_pairs_of_spikes_equal_those_of_the_matrix_in_full(world):
    cut = unequal(world, np.linspace(0.03, 5.0, 20))
    lagged, _ = _dense_of_trials(cut)
    design = LaggedDesign(on_grid(cut, 0.001), N_LAGS)
    rng = np.random.default_rng(0)
    intercept, filters = rng.normal(-4, 0.1, 6), rng.normal(0, 0.3, (lagged.shape[1], 6))
    rate = np.exp(lagged @ filters + intercept)
    pairs = design.moments(intercept, filters).pairs.reshape(6, 6, design.reach + 1, N_LAGS, 6)
    seen = lagged.reshape(-1, 6, N_LAGS)
    for apart in (1, design.reach):  # a spike of unit 1, l + 1 bins ago, and one of unit 4, `apart` bins later
        for lag in range(apart, N_LAGS):
            both = seen[:, 1, lag] * seen[:, 4, lag - apart]
            np.testing.assert_allclose(pairs[1, 4, apart, lag], both @ rate, atol=1e-12)
    models = np.tile(np.arange(6), 2)
    twice = design.expected(np.tile(intercept, 2), np.tile(filters, 2), models)
    np.testing.assert_allclose(twice, np.tile(rate.sum(axis=0), 2))


def test_a_design_built_in_pieces_on_demand_is_the_same(world, monkeypatch):
    whole = LaggedDesign(on_grid(world, 0.001), N_LAGS)
    monkeypatch.setattr("methods.wiring._lagged_design.CHUNK_ENTRIES", 20_000)
    monkeypatch.setattr("methods.wiring._lagged_design.CACHE_ENTRIES", 0)
    pieces = LaggedDesign(on_grid(world, 0.001), N_LAGS)
    np.testing.assert_allclose(pieces.events, whole.events)
    np.testing.assert_allclose(pieces.sums, whole.sums)
    assert pieces.n_busy == whole.n_busy


def test_the_fit_is_the_maximum_of_the_penalised_likelihood(world):
    design, _, counts = _dense(world)
    _, state = _fit(world)
    for target in range(6):
        weights = state.weights[:, :, target].ravel()
        residual = counts[:, target] - np.exp(state.intercept[target] + design @ weights)
        scale = np.sqrt((design**2).T @ np.exp(state.intercept[target] + design @ weights))
        # the slope, in units of its own sampling deviation
        assert np.abs((design.T @ residual - weights) / scale).max() < 1e-3
        assert abs(residual.sum()) < 1e-3 * np.sqrt(counts[:, target].sum())


def _exact_information(design, state, target):
    rows = np.column_stack([np.ones(len(design)), design])
    rate = np.exp(state.intercept[target] + design @ state.weights[:, :, target].ravel())
    return (rows * rate[:, None]).T @ rows


def test_the_information_is_exact(world):
    model, state = _fit(world)
    design, _, _ = _dense(world)
    for target in (0, 3):
        exact = _exact_information(design, state, target)
        np.testing.assert_allclose(model.information(state, target), exact, rtol=1e-8, atol=1e-8)


def test_the_information_is_nearly_exact_where_far_pairs_are_only_averaged(world, monkeypatch):
    monkeypatch.setattr("methods.wiring._lagged_design.EXACT_WORK", 0)
    model, state = _fit(world)
    assert model.design.reach == 0
    prior = np.diag([0.0] + [1.0] * 24)
    design, _, _ = _dense(world)
    for target in range(6):
        ours, exact = (
            np.sqrt(np.diag(np.linalg.inv(information + prior)))
            for information in (model.information(state, target), _exact_information(design, state, target))
        )
        # 1% is less than what a standard error is known to from these 1000 spikes, 1/sqrt(2 x 1000) = 2%
        np.testing.assert_allclose(ours, exact, rtol=0.01)


def test_targets_fitted_in_groups_are_the_same(world, monkeypatch):
    settings = {"ridge": 1.0, "max_iterations": 30, "tolerance": 1e-8}
    together = fit_couplings(LaggedDesign(on_grid(world, 0.001), N_LAGS), BASIS, **settings)
    monkeypatch.setattr("methods.wiring._poisson.GROUP_ENTRIES", 1)
    apart = fit_couplings(LaggedDesign(on_grid(world, 0.001), N_LAGS), BASIS, **settings)
    np.testing.assert_allclose(apart.weights, together.weights, atol=1e-6)
    np.testing.assert_allclose(apart.wald, together.wald, rtol=1e-4)


def test_a_contaminated_unit_does_not_break_the_fit():
    # unit 6 holds, besides spikes of its own, a fifth of unit 0's: as with electrodes that share a neuron
    clean = coupled_spikes(ring_weight(6), np.random.default_rng(8), trials=20)
    trial, time, unit = (clean[name].values for name in ("spike_trial", "spike_time", "spike_unit"))
    rng = np.random.default_rng(9)
    stray = (unit == 0) & (rng.random(len(unit)) < 0.2)
    own = rng.integers(0, 20, 500), rng.uniform(0, 10, 500), np.full(500, 6)
    columns = [np.concatenate([whole, whole[stray], new]) for whole, new in zip((trial, time, unit), own, strict=True)]
    columns[2][len(unit) : len(unit) + stray.sum()] = 6
    finding = CouplingGLM().analyse(recording(duration=10.0, n_units=7, n_trials=20, spikes=tuple(columns)), rng)
    assert finding.notes["converged"]
    # what was copied is explained by unit 0 itself
    assert not finding.estimate["decided"][6].any()


@pytest.mark.parametrize("ridge", [pytest.param(0.0, marks=pytest.mark.slow), 1.0])
def test_weights_agree_with_nemos(world, ridge):
    import jax
    import nemos

    jax.config.update("jax_enable_x64", True)
    small = coupled_spikes(ring_weight(3), np.random.default_rng(6), trials=5, duration=5.0)
    design, _, counts = _dense(small)
    penalty = {"regularizer": "Ridge", "regularizer_strength": ridge / len(design)} if ridge else {}
    model = nemos.glm.GLM(solver_name="LBFGS", solver_kwargs={"tol": 1e-10, "maxiter": 1000}, **penalty)
    model.fit(design, counts[:, 1])
    _, state = _fit(small, ridge)
    np.testing.assert_allclose(state.weights[:, :, 1].ravel(), np.asarray(model.coef_), atol=0.01)
    np.testing.assert_allclose(state.intercept[1], float(np.ravel(model.intercept_)[0]), atol=1e-3)


def test_wald_statistics_of_unconnected_units_are_chi_square():
    worlds = [poisson_spikes(np.random.default_rng(seed), n=8, rate=8.0, trials=10) for seed in range(4)]
    wald = []
    for world in worlds:
        model, state = _fit(world, tolerance=1e-4)
        wald.append(model.wald(state)[~np.eye(8, dtype=bool)])
    # chi-square with 4 degrees: mean 4, sd sqrt(8); 224 statistics, so the mean has sd .19: four of them
    assert abs(np.mean(wald) - 4) < 0.76


def test_a_prior_does_not_change_the_level_of_the_test():
    world = poisson_spikes(np.random.default_rng(7), n=12, rate=1.0, trials=20)  # some 20 coincidences in a window
    model, state = _fit(world, ridge=3.0, tolerance=1e-4)
    off = model.wald(state)[~np.eye(12, dtype=bool)]
    # mean 4, sd of the mean of 132 statistics sqrt(8/132) = .25: four of them
    assert abs(off.mean() - 4) < 1.0


def test_units_that_never_fire_together_get_finite_filters():
    rng = np.random.default_rng(3)
    world = coupled_spikes(np.array([[0.0, -20.0], [0.0, 0.0]]), rng, rate=20.0, trials=10)
    finding = CouplingGLM().analyse(world, rng)
    assert np.isfinite(finding.estimate["score"]).all()
    assert finding.notes["converged"]
    assert finding.estimate["decided"][0, 1]
    assert finding.estimate["sign"][0, 1] == -1


def test_a_common_source_that_is_recorded_explains_its_targets_away():
    # Ten cosines follow the abrupt onset of these effects. Four cannot, and what they leave over is passed on to the
    # other target: 9 of 80 true nulls were rejected at .05 (measured over 40 worlds).
    weight = np.zeros((3, 3))
    weight[0, 1:] = 2.5
    spurious = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        found = CouplingGLM(n_basis=10).analyse(coupled_spikes(weight, rng, trials=30, duration=5.0), rng)
        assert found.estimate["decided"][weight != 0].all()
        spurious += found.estimate["decided"][weight == 0].any()
    # with two of six edges true, the rate of .05 allows a false one in up to .15 of worlds: P(more than 4 of 8) = .003
    assert spurious <= 4


def test_the_basis_covers_the_window():
    assert BASIS.shape == (N_LAGS, 4)
    assert (BASIS.sum(axis=1) > 0.2).all()
    assert np.linalg.matrix_rank(BASIS) == 4


def test_impossible_windows_are_refused():
    with pytest.raises(SimlabError, match="bin_width < window"):
        CouplingGLM(window=0.0005)
    with pytest.raises(SimlabError, match="ridge"):
        CouplingGLM(ridge=-1.0)
