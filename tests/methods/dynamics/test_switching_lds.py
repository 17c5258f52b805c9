"""Linear dynamics that switch: the likelihood is exact, the maps are found, and only rest counts as a state."""

from __future__ import annotations

import numpy as np
import pytest

from methods.dynamics._switching import Regimes, fitted
from methods.dynamics.switching_lds import SwitchingLds, separation
from simlab.checks.problem import spiking_recording
from simlab.data import recording

RNG = np.random.default_rng
PULLED = Regimes(
    np.array([[[0.6], [-0.8]], [[0.5], [1.0]]]), np.array([[[0.09]], [[0.04]]]),
    np.array([[0.95, 0.05], [0.1, 0.9]]), np.array([0.5, 0.5]),
)  # fmt: skip
"""Two regimes that settle at -2 and 2 within two bins, and last 20 and 10."""


def drawn(regimes: Regimes, trials: int, bins: int, seed: int = 0) -> np.ndarray:
    """x (trial, bin, 1) of them."""
    rng, x = RNG(seed), np.zeros((trials, bins, 1))
    state = rng.choice(2, size=trials, p=regimes.start)
    for t in range(1, bins):
        noise = np.sqrt(regimes.noise[state, 0, 0]) * rng.standard_normal(trials)
        x[:, t, 0] = regimes.maps[state, 0, 0] * x[:, t - 1, 0] + regimes.maps[state, 1, 0] + noise
        state = np.where(rng.random(trials) < regimes.moves[state, state], state, 1 - state)
    return x


def seen(x: np.ndarray, units: int = 8):
    """A recording of units that follow x (trial, bin, 1), 50 ms a bin, each with a little noise of its own."""
    signal = x * RNG(1).uniform(0.5, 1.5, units) + 0.05 * RNG(2).standard_normal((*x.shape[:2], units))
    time = (np.arange(x.shape[1]) + 0.5) * 0.05
    plan = {"duration": 0.05 * x.shape[1], "n_units": units, "n_trials": len(x)}
    return recording(**plan, signal=signal, modality="rate", sample_time=time)


def wandering(trials: int = 20, bins: int = 100) -> np.ndarray:
    """An input with one mode, whose noise grows with its size: a square-root process of relative variance .45."""
    rng, x = RNG(0), np.ones((trials, bins, 1))
    for t in range(1, bins):
        x[:, t] = np.abs(
            x[:, t - 1] + 0.1 * (1 - x[:, t - 1]) + 0.3 * np.sqrt(x[:, t - 1]) * rng.standard_normal((trials, 1))
        )
    return x


def test_the_likelihood_is_that_of_statsmodels():
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

    x = drawn(PULLED, 1, 200)
    model = MarkovRegression(x[0, 1:, 0], k_regimes=2, exog=x[0, :-1, 0], switching_variance=True)
    # stay in 0, 1 to 0, constants, slopes, variances; it begins at the chain's own distribution, two thirds to one
    theirs = model.loglike(np.array([0.95, 0.1, -0.8, 1.0, 0.6, 0.5, 0.09, 0.04]))
    ours = Regimes(PULLED.maps, PULLED.noise, PULLED.moves, np.array([2 / 3, 1 / 3]))
    assert ours.likelihood(x)[0] == pytest.approx(theirs, abs=1e-8)


def test_the_maps_that_were_drawn_from_are_found():
    found, chance = fitted(drawn(PULLED, 30, 100), 2, rounds=20)
    order = np.argsort([found.rest(k)[0][0] for k in (0, 1)])
    np.testing.assert_allclose(found.maps[order], PULLED.maps, atol=0.06)
    np.testing.assert_allclose(found.noise[order], PULLED.noise, rtol=0.15)
    np.testing.assert_allclose(np.diag(found.moves)[order], [0.95, 0.9], atol=0.02)
    # stationary variances .09 / (1 - .36) and .04 / (1 - .25); D = 4 / rms sd
    assert separation(found) == pytest.approx(4 / np.sqrt((0.1406 + 0.0533) / 2), rel=0.15)
    assert chance.shape == (30, 99, 2)


def test_two_states_are_named_and_one_state_or_a_wandering_input_are_not():
    quick = SwitchingLds(smoothing=1e-3, rounds=15, n_components=1)
    found = quick.analyse(seen(drawn(PULLED, 20, 100)), RNG(0))
    assert found.estimate["label"] == "bistable"
    assert max(found.notes["time_constants"]) < 0.2 < min(found.notes["dwell"])  # .1 s, 1 and .5 s
    one = Regimes(PULLED.maps[[0, 0]], PULLED.noise[[0, 0]], PULLED.moves, PULLED.start)
    assert "one linear regime" in quick.analyse(seen(drawn(one, 20, 100)), RNG(0)).abstained
    assert "no rest" in SwitchingLds(n_components=1).analyse(seen(wandering()), RNG(0)).abstained


def test_what_it_cannot_use_it_abstains_from():
    method = SwitchingLds()
    assert "trials" in method.analyse(seen(drawn(PULLED, 3, 100)), RNG(0)).abstained
    assert "units" in method.analyse(seen(drawn(PULLED, 10, 100), units=3), RNG(0)).abstained
    assert (
        "are active"
        in method.analyse(seen(np.zeros((10, 100, 1))).map(np.zeros_like, keep_attrs=True), RNG(0)).abstained
    )
    assert method.analyse(spiking_recording(20, 2.0), RNG(0)).abstained
