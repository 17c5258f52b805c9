"""Linear dynamical systems with Poisson counts: exact where it can be worked out, and right on draws of their own."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.special import gammaln

from methods.latents._poisson_states import StateSpace, banded, posterior, refitted
from methods.latents._subspace import hankel, identified, log_rate_covariances, realised
from methods.latents.poisson_lds import PoissonLds
from methods.latents.subspace_identification import SubspaceIdentification
from simlab.data import recording

TURN = 0.9 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
"""A damped rotation: eigenvalues .9 exp(+-.3 i)."""


def rotation(units: int = 30) -> StateSpace:
    """Two states of unit variance that turn, read by units at .6 counts per bin."""
    loading = 0.5 * np.random.default_rng(1).standard_normal((units, 2))
    one = np.eye(2)
    return StateSpace(TURN, one * (1 - 0.81), np.zeros(2), one, loading, np.full(units, np.log(0.6)))


@cache
def drawn(trials: int = 60, bins: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """States (trial, bin, state) and counts (trial, bin, unit) of it."""
    rng, model = np.random.default_rng(0), rotation()
    states = rng.standard_normal((trials, bins, 2))
    for t in range(1, bins):
        states[:, t] = states[:, t - 1] @ TURN.T + states[:, t] * np.sqrt(1 - 0.81)
    return states, rng.poisson(model.rates(states)).astype(float)


def test_the_banded_solution_is_that_of_the_whole_matrix():
    rng = np.random.default_rng(0)
    below = 0.4 * rng.standard_normal((2, 2))
    blocks = np.stack([3 * np.eye(2) + 0.1 * (m + m.T) for m in rng.standard_normal((4, 2, 2))])
    right = rng.standard_normal((1, 4, 2))
    whole = np.kron(np.eye(4, k=-1), -below) + np.kron(np.eye(4, k=1), -below.T)
    for t in range(4):
        whole[2 * t : 2 * t + 2, 2 * t : 2 * t + 2] += blocks[t]
    inverse = np.linalg.inv(whole)
    found, spread, with_next, log_det = banded(blocks[None], below, right)
    np.testing.assert_allclose(found.ravel(), inverse @ right.ravel())
    np.testing.assert_allclose(spread[0, 2], inverse[4:6, 4:6])
    np.testing.assert_allclose(with_next[0, 1], inverse[2:4, 4:6])
    assert log_det[0] == pytest.approx(np.linalg.slogdet(whole)[1])


def test_evidence_and_posterior_are_those_of_quadrature():
    one = np.eye(1)
    model = StateSpace(0.8 * one, 0.36 * one, np.array([0.2]), one, np.full((6, 1), 0.5), np.full(6, 0.3))
    counts = np.random.default_rng(0).poisson(1.5, (1, 2, 6)).astype(float)
    grid = np.linspace(-5, 5, 301)
    first, second = np.meshgrid(grid, grid, indexing="ij")
    log = -((first - 0.2) ** 2) / 2 - (second - 0.8 * first) ** 2 / 0.72 - np.log(2 * np.pi * 0.6)
    for t, x in enumerate((first, second)):
        log = log + counts[0, t].sum() * (0.5 * x + 0.3) - 6 * np.exp(0.5 * x + 0.3)
    weight = np.exp(log)
    found = posterior(counts, model)
    # Laplace's approximation is of second order: the posterior of a dozen spikes per bin is nearly Gaussian
    exact = np.log(weight.sum() * (grid[1] - grid[0]) ** 2)
    assert found.evidence[0] == pytest.approx(exact, abs=0.02)
    mean = np.array([(x * weight).sum() for x in (first, second)]) / weight.sum()
    np.testing.assert_allclose(found.mean[0, :, 0], mean, atol=0.06)
    variance = (first**2 * weight).sum() / weight.sum() - mean[0] ** 2
    assert found.spread[0, 0, 0, 0] == pytest.approx(variance, rel=0.08)


def test_moments_of_counts_become_those_of_log_rates():
    _, counts = drawn()
    model = rotation()
    covariance = log_rate_covariances(counts, 3)
    # the standard error of an entry, of 4800 correlated samples, is some .05; the slope over 900 of them, a few %
    for lag in (0, 3):
        wanted = model.loading @ np.linalg.matrix_power(TURN, lag) @ model.loading.T
        slope = (covariance[lag] * wanted).sum() / np.square(wanted).sum()
        assert slope == pytest.approx(1.0, abs=0.1)


def test_exact_covariances_give_the_exact_system():
    model = rotation(units=5)
    power = [np.linalg.matrix_power(TURN, lag) for lag in range(6)]
    covariance = np.stack([model.loading @ p @ model.loading.T for p in power])
    transition, loading = realised(hankel(covariance), 5, 2)
    np.testing.assert_allclose(np.sort_complex(np.linalg.eigvals(transition)), np.sort_complex(np.linalg.eigvals(TURN)))
    assert np.linalg.matrix_rank(np.hstack([loading, model.loading]), tol=1e-8) == 2


def test_identification_and_fit_find_the_rotation_and_the_fit_is_likelier():
    states, counts = drawn()
    first = identified(counts, 2, 5)
    found = posterior(counts, first)
    better = refitted(counts, first, found, ridge=1.0)
    after = posterior(counts, better, found.mean)
    assert after.evidence.mean() > found.evidence.mean()
    for model in (first, better):
        value = np.linalg.eigvals(model.transition)
        np.testing.assert_allclose(np.abs(value), 0.9, atol=0.04)
        np.testing.assert_allclose(np.abs(np.angle(value)), 0.3, atol=0.04)
    told = posterior(counts, rotation()).mean  # the best that can be had
    errors = [np.square(states - _mapped(x, states)).mean() for x in (told, after.mean)]
    assert errors[1] < 1.1 * errors[0]


def _mapped(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    flat = x.reshape(-1, 2)
    return (flat @ np.linalg.lstsq(flat, y.reshape(-1, 2), rcond=None)[0]).reshape(y.shape)


def test_no_evidence_is_made_of_constants_that_cancel():
    counts = np.array([[[0.0], [3.0]]])
    one, tight = np.eye(1), 1e-8 * np.eye(1)
    still = StateSpace(one, tight, np.zeros(1), tight, np.ones((1, 1)), np.zeros(1))
    # states that cannot move leave counts of mean one: log P(0) + log P(3), but for the factorials
    assert posterior(counts, still).evidence[0] - gammaln(4) == pytest.approx(-2 - np.log(6), abs=1e-5)


def test_trials_that_are_shorter_than_past_and_future_are_refused():
    rng = np.random.default_rng(0)
    spikes = (rng.integers(0, 20, 2000), rng.uniform(0, 0.3, 2000), rng.integers(0, 8, 2000))
    short = recording(duration=0.3, n_units=8, n_trials=20, spikes=spikes)
    for method in (PoissonLds(), SubspaceIdentification()):
        assert "needs trials of 20 bins" in method.analyse(short, rng).abstained
