"""The rival with shared gain: matched rates, correlations that the gain's equations give, and no synapse."""

from functools import cache

import numpy as np
import pytest
from spiking_bench import count_correlations

import simlab
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.comodulated_gain import ComodulatedGain
from simlab.data import bin_spikes, mean_rates
from simlab.session import Effect, Session
from simlab.streams import stream

SMALL = BalancedEI(n_neurons=40)
STRONG = ComodulatedGain(SMALL, shared_variance=0.15, private_variance=0.1)


@cache
def subject(circuit=STRONG):
    return circuit.subject(stream(1, "subject"))


@cache
def spontaneous(circuit=STRONG):
    """Ten minutes in trials of 4 s: 1200 time constants of the shared gain."""
    return subject(circuit).run(Session(150, 4.0), stream(1, "run"))


def test_it_keeps_the_contract():
    assert simlab.check(ComodulatedGain(), raises=False).ok


def test_rates_are_the_twins_on_average_and_exactly_so_without_gain():
    twin = SMALL.subject(stream(1, "subject")).working_point.rate
    np.testing.assert_allclose(subject().matched.rate, twin)
    # The mean of the shared gain over 600 s: sqrt(0.15 * 2 * 0.5 / 600) = 1.6%; each private one sqrt(.1*10/600) = 4%.
    assert mean_rates(spontaneous()).mean() / twin.mean() == pytest.approx(1, abs=0.06)
    still = spontaneous(ComodulatedGain(SMALL, shared_variance=0.0, private_variance=0.0))
    np.testing.assert_allclose(mean_rates(still), twin, rtol=0.08)  # 2000 spikes and more each
    assert abs(count_correlations(still, 0.5).mean()) < 0.004  # 1200 windows, 780 pairs: +- 0.001


def test_gains_have_the_mean_variances_and_memories_that_are_stated():
    circuit = ComodulatedGain(SMALL, 0.15, 0.1, loading_spread=0.0, private_time_constant=2.0)
    starts = np.arange(0, 4, 0.25)
    gain = subject(circuit).gains(Session(500, 4.0), starts, np.random.default_rng(3))
    path = np.swapaxes(gain, 0, 1).reshape(-1, 40)  # 2000 s
    common = path.mean(axis=1)
    assert path.mean() == pytest.approx(1, abs=0.02)
    assert common.var() == pytest.approx(0.15, rel=0.2)
    assert path.var(axis=0).mean() == pytest.approx(1.15 * 1.1 - 1, rel=0.1)
    for lag in (1, 2, 15, 16):  # within a trial and over its end
        memory = np.mean((common[lag:] - 1) * (common[:-lag] - 1)) / common.var()
        assert memory == pytest.approx(np.expm1(np.log1p(0.15) * np.exp(-lag * 0.5)) / 0.15, abs=0.1)


def expected_covariance(rate, shared_sd, tau, width):
    """Count covariance (pair,) of two doubly stochastic neurons in windows of `width` [s], by quadrature."""
    lag = np.linspace(0, width, 400)
    product = (shared_sd[:, None] * shared_sd)[np.triu_indices(len(rate), 1)]
    excess = np.expm1(product[:, None] * np.exp(-lag / tau))
    integral = 2 * np.trapezoid((width - lag) * excess, lag, axis=1)
    return np.outer(rate, rate)[np.triu_indices(len(rate), 1)] * integral


def test_counts_covary_as_the_equations_say_and_the_more_the_higher_both_rates():
    counts = bin_spikes(spontaneous(), 0.5).values.reshape(-1, 40)
    found = np.cov(counts.T)[np.triu_indices(40, 1)]
    expected = expected_covariance(mean_rates(spontaneous()), subject().log_sd[0], 0.5, 0.5)
    # The shared gain's variance over 1200 time constants, lognormal: +- 8%.
    assert found.mean() == pytest.approx(expected.mean(), rel=0.3)
    assert np.corrcoef(found, expected)[0, 1] > 0.7
    assert count_correlations(spontaneous(), 0.5).mean() > 0.1


def test_no_direction_is_in_it():
    counts = bin_spikes(spontaneous(), 0.05).values.astype(float)
    counts -= counts.mean(axis=(0, 1))
    later = np.einsum("tka,tkb->ab", counts[:, :-1], counts[:, 1:])
    upper = np.triu_indices(40, 1)
    one_way = (later - later.T)[upper]
    assert later[upper].mean() > 10 * abs(one_way.mean())
    assert abs(one_way.mean()) < 4 * one_way.std() / np.sqrt(len(one_way))


def test_perturbations_act_on_their_targets_alone():
    index = np.arange(40)
    pulses = (
        Effect("drive", np.where(index < 10, -10.0, 0.0), 0.0, 1.0),
        Effect("hold", np.where((index >= 10) & (index < 20), 30.0, np.nan), 0.0, 1.0),
    )
    seen = bin_spikes(subject().run(Session(60, 2.0, perturbations=pulses), stream(4, "run")), 1.0).values
    assert seen[:, 0, :10].sum() == 0
    assert seen[:, 0, 10:20].mean() == pytest.approx(30, abs=1)
    assert seen[:, 0, 20:].mean() == pytest.approx(seen[:, 1, 20:].mean(), rel=0.15)


def test_the_truth_is_no_synapses():
    assert not subject().truth("connectivity", None, np.random.default_rng(0))["weight"].values.any()
    with pytest.raises(LookupError, match="can answer connectivity, effect, got"):
        subject().truth("topology", None, np.random.default_rng(0))
