"""The coupling GLM beyond its filters: history, robust covariance, the same bin, group lasso, hidden input."""

from dataclasses import replace

import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes, ring_weight
from wiring_manners import independent

from methods.wiring._baseline import LOG_GAINS, baseline, interval_runs
from methods.wiring._group_lasso import selected
from methods.wiring._lagged_design import LaggedDesign
from methods.wiring._pairs import on_grid
from methods.wiring._poisson import Regression
from methods.wiring._sandwich import blocks, scores
from methods.wiring.coupling_glm import CouplingGLM, raised_cosines
from simlab.data import recording

BASIS = raised_cosines(20, 4)
TRUTH = ring_weight(8) != 0


@pytest.fixture(scope="module")
def ring():
    return coupled_spikes(ring_weight(8), np.random.default_rng(5), trials=25, duration=4.0)


@pytest.fixture(scope="module")
def bursty():
    return [independent("bursty", 8, 20, np.random.default_rng([seed, 9])) for seed in range(4)]


def _analyse(method, world):
    return method.analyse(world, np.random.default_rng(0))


def _small_p(method, worlds):
    off = ~np.eye(worlds[0].sizes["unit"], dtype=bool)
    return np.mean([_analyse(method, world).estimate["p"][off] < 0.05 for world in worlds])


def test_time_since_the_last_spike_is_counted_right():
    ticks = on_grid(independent("bursty", 2, 3, np.random.default_rng(0)), 0.001)
    edges = np.array([1, 2, 5, 30, 200])
    mine = ticks.unit == 0
    when = np.unique(ticks.trial[mine] * ticks.n_ticks + ticks.tick[mine])
    runs = interval_runs(when, ticks, edges)
    found = np.repeat(np.tile(np.arange(6), len(runs)), runs.ravel())
    spikes, last, by_hand = set(when.tolist()), None, []
    for time in range(ticks.n_trials * ticks.n_ticks):
        last = None if time % ticks.n_ticks == 0 else last
        by_hand.append(0 if last is None else np.searchsorted(edges, time - last, side="right"))
        last = time if time in spikes else last
    np.testing.assert_array_equal(found, by_hand)


def test_the_hazard_is_that_of_the_process():
    world = independent("refractory", 2, 200, np.random.default_rng(1))
    ticks = on_grid(world, 0.001)
    made = baseline(ticks, 0.001, n_intervals=8, reach=0.5, n_latents=0)
    gains = np.exp(LOG_GAINS[made.codes])
    rate = ticks.counts / ticks.n_bins
    last = ticks.trial[0] * ticks.n_ticks + ticks.tick[ticks.unit == 0][0]
    # silent for 5 ms, then as if nothing had been: 1 / (1 - 5 ms x rate)
    assert gains[last + 2, 0] < 0.1
    assert abs(gains[last + 60, 0] * (1 - 5 * rate[0]) - 1) < 0.15
    np.testing.assert_allclose((gains * rate).sum(axis=0), ticks.counts, rtol=0.05)


def test_bursts_are_not_taken_for_influence(bursty):
    # 4 x 56 p-values at .05: sd .015, and a little more for what is shared among pairs
    assert _small_p(CouplingGLM(n_history=0), bursty) > 0.09
    assert _small_p(CouplingGLM(), bursty) < 0.09


@pytest.mark.parametrize(
    "method",
    [CouplingGLM(covariance="sandwich"), CouplingGLM(penalty="group_lasso"), CouplingGLM(n_latents=2)],
    ids=["sandwich", "group_lasso", "latents"],
)
def test_every_variant_finds_planted_couplings(method, ring):
    found = _analyse(method, ring).estimate
    assert found["decided"][TRUTH].all()
    assert (found["decided"] & ~TRUTH).sum() <= 2
    np.testing.assert_array_equal(found["sign"][TRUTH], np.sign(ring_weight(8)[TRUTH]))


@pytest.mark.parametrize("n_history", [0, 12])
def test_scores_of_blocks_add_up_to_the_slope_of_the_likelihood(ring, n_history):
    ticks = on_grid(ring, 0.001)
    design = LaggedDesign(ticks, 20, baseline(ticks, 0.001, n_intervals=n_history, reach=0.5, n_latents=0))
    model = Regression(design, BASIS, 1.0, np.array([1, 6]))
    state = model.fit(max_iterations=30, tolerance=1e-8)[0]
    block, n_blocks = blocks(design, 2000)
    assert n_blocks == 50
    slope = scores(model, state, block, n_blocks).sum(axis=0)
    np.testing.assert_allclose(slope[1:], state.weights.reshape(-1, 2), atol=0.02)  # what the ridge holds back
    np.testing.assert_allclose(slope[0], 0, atol=0.02)


def test_a_sandwich_is_wider_where_the_model_is_wrong_and_never_narrower(bursty):
    plain, robust = CouplingGLM(n_history=0), CouplingGLM(n_history=0, covariance="sandwich")
    off = ~np.eye(8, dtype=bool)
    wide, narrow = (
        np.array([_analyse(each, world).estimate["p"][off] for world in bursty]) for each in (robust, plain)
    )
    assert (wide >= narrow - 1e-9).all()
    assert (wide < 0.05).mean() < 0.8 * (narrow < 0.05).mean()
    assert "fewer than 20 blocks" in _analyse(robust, poisson_spikes(np.random.default_rng(0), n=2, trials=3)).abstained


def test_in_coarse_bins_the_same_bin_counts():
    weight = np.zeros((4, 4))
    weight[0, 1] = 3.0
    world = coupled_spikes(weight, np.random.default_rng(3), trials=20)
    coarse = CouplingGLM().at_resolution(0.033)
    found, blind = _analyse(coarse, world), _analyse(replace(coarse, same_bin="never"), world)
    assert found.estimate["decided"][0, 1]
    assert found.estimate["decided"][1, 0]
    assert found.notes["same_bin"][0, 1] == pytest.approx(found.notes["same_bin"][1, 0])
    assert not blind.estimate["decided"][0, 1]
    assert found.estimate["score"][0, 1] > found.estimate["score"][2:].max()
    assert "same_bin" not in _analyse(CouplingGLM(), world).notes


def test_a_group_lasso_drops_what_adds_nothing():
    rng = np.random.default_rng(0)
    information = np.kron(np.eye(6) + 0.2, np.eye(3)) * 50
    fitted = rng.normal(0, 1, (6, 3)) @ np.eye(3) * 0.1
    fitted[2] += 1.0
    np.testing.assert_array_equal(selected(information, fitted, 500.0), np.arange(6) == 2)
    empty = [
        _analyse(CouplingGLM(penalty="group_lasso"), poisson_spikes(np.random.default_rng(s), n=8)) for s in range(3)
    ]
    assert sum(found.estimate["decided"].sum() for found in empty) <= 2


def _shared(rng, strength, n=8, trials=30, duration=4.0):
    """Poisson units of 12 Hz whose log rates share a factor that fluctuates within some 50 ms."""
    from scipy.ndimage import gaussian_filter1d

    factor = gaussian_filter1d(rng.normal(size=(trials, round(duration * 1000))), 40, axis=1)
    factor /= factor.std()
    rate = 0.012 * np.exp(strength * factor - strength**2 / 2)
    trial, step, unit = np.nonzero(rng.random((*rate.shape, n)) < rate[:, :, None])
    return recording(duration=duration, n_units=n, n_trials=trials, spikes=(trial, (step + 0.5) * 0.001, unit))


def test_hidden_input_shows_in_what_is_left_over_and_latents_take_it_up():
    world = _shared(np.random.default_rng(0), 0.8)
    plain = _analyse(CouplingGLM(hidden_input=True), world)
    taken = _analyse(CouplingGLM(n_latents=1), world)
    assert plain.notes["hidden_input_p"] <= 0.01
    assert plain.notes["hidden_input"] > 0.15
    off = ~np.eye(8, dtype=bool)
    assert (taken.estimate["p"][off] < 0.05).mean() < 0.7 * (plain.estimate["p"][off] < 0.05).mean()
    alone = _analyse(CouplingGLM(hidden_input=True), _shared(np.random.default_rng(1), 0.0))
    assert alone.notes["hidden_input_p"] > 0.01
