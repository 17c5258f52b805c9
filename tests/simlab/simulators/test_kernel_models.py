"""Model neurons fire as their authors and independent integrations say; what is drawn has its proper moments."""

import numpy as np
import pytest
from model_bench import (
    N_POISSON,
    N_WALKERS,
    QUADRATIC,
    RATE,
    RELEASE,
    SECONDS,
    SIGMA,
    STEP,
    TAU,
    TRIALS,
    adex_times,
    drawn,
    hodgkin_huxley_times,
    izhikevich_times,
    models,
)
from network_bench import ENGINES, assert_same, both, times

ADEX, IZHIKEVICH, QIF, HH = 0, 2, 5, 7
"""The first neuron of each population."""


@pytest.mark.parametrize("duration", [0.03, pytest.param(0.12, marks=pytest.mark.slow)])
def test_both_engines_find_the_same(duration):
    found = models(both, duration)
    assert_same(found)
    silent = set(range(9)) - set(found[0].neuron)
    assert len(silent) <= 2  # the quadratic neurons alone take longer


@pytest.mark.parametrize(
    ("first", "cells", "reference"),
    [(ADEX, 2, adex_times), (IZHIKEVICH, 3, izhikevich_times), (HH, 2, hodgkin_huxley_times)],
)
def test_spikes_are_where_an_independent_integration_has_them(first, cells, reference):
    for i in range(cells):
        found, expected = times(models(), first + i), reference(i)
        n = min(len(found), len(expected))
        assert abs(len(found) - len(expected)) <= 1
        # First-order methods lag by what a step is of the fastest rise: 2% for the sodium gate, and less with shorter
        # steps (3.5, 1.8, 0.8 and 0.4% at 50, 25, 12.5 and 6.25 us).
        np.testing.assert_allclose(found[:n], expected[:n], rtol=0.03, atol=2e-4)


def test_quadratic_neurons_have_the_period_that_is_known_in_closed_form():
    for i, drive in enumerate(QUADRATIC):
        period = 10e-3 * 2 * np.arctan(20 / drive**0.5) / drive**0.5
        assert np.diff(times(models(), QIF + i)) == pytest.approx(period, abs=1.01 * 2.5e-5)


def test_adaptive_exponential_neurons_adapt_unless_they_have_no_adaptation():
    adapting, tonic = (np.diff(times(models(), ADEX + i)) for i in (0, 1))
    assert np.all(np.diff(adapting) > 0)
    assert np.ptp(tonic) < 2 * 2.5e-5 + 1e-9


def test_izhikevichs_neurons_spike_regularly_fast_and_in_bursts():
    regular, fast, chattering = (np.diff(times(models(), IZHIKEVICH + i)) for i in range(3))
    assert regular[1] > regular[0]
    assert fast[5:].max() < 0.01 < regular.min()
    assert chattering.min() < 5e-3
    assert chattering.max() > 8 * chattering.min()


# --- what draws numbers ----------------------------------------------------------------------------------------------

engines = pytest.mark.parametrize("engine", range(2), ids=ENGINES)


@engines
def test_a_threshold_by_chance_makes_poisson_neurons(engine):
    spikes = drawn()[engine]
    counts = np.zeros((TRIALS, N_POISSON))
    np.add.at(counts, (spikes.trial, spikes.neuron), 1)
    expected = np.linspace(0.5, 1.5, N_POISSON) * RATE * SECONDS
    score = (counts - expected) / expected**0.5
    assert abs(score.mean()) < 4 / counts.size**0.5
    assert score.var() == pytest.approx(1.0, abs=4 * (2 / counts.size) ** 0.5)


@engines
def test_shot_noise_has_campbells_moments(engine):
    g = drawn()[engine].samples["g"][..., N_POISSON].astype(float)
    kept = np.exp(-STEP / TAU)
    p = np.linspace(0.5, 1.5, N_POISSON) * RATE * STEP
    mean, sd = p.sum() / (1 - kept), ((p * (1 - p)).sum() / (1 - kept**2)) ** 0.5
    independent = g.size * 1e-3 / (2 * TAU)
    assert g.mean() == pytest.approx(mean, abs=4 * sd / independent**0.5)
    assert g.std() == pytest.approx(sd, rel=4 / (2 * 2 * independent) ** 0.5 * 2)


@engines
def test_vesicles_are_released_with_their_probability(engine):
    heard, released = (drawn()[engine].samples[name][:, -1, N_POISSON].astype(float) for name in ("heard", "released"))
    n = heard.sum()
    assert released.sum() / n == pytest.approx(RELEASE, abs=4 * (RELEASE * (1 - RELEASE) / n) ** 0.5)


@engines
def test_walks_by_xi_by_several_xi_and_by_eta_have_their_variance(engine):
    samples, first = drawn()[engine].samples, N_POISSON + 1
    for name, sources in (("x", 1), ("y", 2), ("z", 1)):
        walk = samples[name][:, 100:, first:].astype(float)  # 300 ms after a start at 0
        assert walk.shape[-1] == N_WALKERS
        independent = walk.size * 1e-3 / TAU
        expected = sources * SIGMA**2 / (1 - STEP / (2 * TAU))  # of Euler's steps
        assert walk.var() == pytest.approx(expected, rel=4 * (2 / independent) ** 0.5)
        lag = 20
        after = (walk[:, lag:] * walk[:, :-lag]).mean() / walk.var()
        assert after == pytest.approx(np.exp(-lag * 1e-3 / TAU), abs=0.06)
