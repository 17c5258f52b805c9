"""The rival with drifting rates: matched on average, uncorrelated in truth, and slowly varying."""

from functools import cache

import numpy as np
import pytest
from spiking_bench import count_correlations

import simlab
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.drifting_units import DriftingUnits
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.session import Effect, Session
from simlab.streams import stream


@cache
def subject(spread=0.5):
    return DriftingUnits(spread=spread).subject(stream(1, "subject"))


@cache
def spontaneous(spread=0.5):
    """Ten minutes in trials of ten seconds."""
    return subject(spread).run(Session(60, 10.0), stream(1, "run"))


def counts(activity, width=2.0):
    return bin_spikes(activity, width).values.reshape(-1, 100)


def test_it_keeps_the_contract():
    assert simlab.check(DriftingUnits(), raises=False).ok


def test_rates_are_the_twins_on_average_and_exactly_so_without_drift():
    twin = BalancedEI().subject(stream(1, "subject")).working_point.rate
    # Ten time constants: a neuron's mean is known to 0.53 sqrt(2/10), the mean of 100 to 2.4%.
    assert mean_rates(spontaneous()).mean() / twin.mean() == pytest.approx(1, abs=0.08)
    np.testing.assert_allclose(mean_rates(spontaneous(0.0)), twin, rtol=0.08)  # 2000 spikes and more each: +- 2%


def test_a_circuit_value_is_imitated():
    circuit = BalancedEI(n_neurons=20, external_mean=10e-3)
    rival = DriftingUnits(spread=0.0).imitating(circuit).subject(stream(2, "subject"))
    twin = circuit.subject(stream(2, "subject")).working_point.rate
    np.testing.assert_allclose(rival.matched.rate, twin)
    assert rival.anatomy.sizes["neuron"] == 20


def test_rates_wander_as_an_ornstein_uhlenbeck_process_does():
    starts = np.arange(0, 10, 0.5)
    log = np.log(subject().factors(Session(600, 10.0), starts, np.random.default_rng(3)))  # (segment, trial, neuron)
    path = np.swapaxes(log, 0, 1).reshape(-1, 100) + 0.125  # 100 time constants of 100 neurons
    assert path.mean() == pytest.approx(0, abs=0.03)
    assert path.std() == pytest.approx(0.5, rel=0.05)
    for lag in (1, 19, 20, 120, 240):  # within a trial, over its end, and one and two time constants
        found = (path[lag:] * path[:-lag]).mean() / path.var()
        assert found == pytest.approx(np.exp(-lag * 0.5 / 60), abs=0.04)


def test_counts_vary_by_what_the_drift_adds_to_chance():
    rate, width = mean_rates(spontaneous()), 2.0
    fano = counts(spontaneous(), width).var(axis=0) / (rate * width)
    # Variance of the factor: exp(0.25) - 1 = 0.28, less what the mean of ten minutes takes along, 2/10 of it.
    expected = 1 + rate * width * 0.28 * 0.8
    assert fano.mean() == pytest.approx(expected.mean(), rel=0.2)
    still = counts(spontaneous(0.0), width)
    assert (still.var(axis=0) / still.mean(axis=0)).mean() == pytest.approx(0.96, abs=0.05)


def test_nobody_is_correlated_but_in_any_one_session_pairs_seem_to_be():
    drifting, still = (count_correlations(spontaneous(spread), 2.0) for spread in (0.5, 0.0))
    assert abs(drifting.mean()) < 0.02
    assert still.std() == pytest.approx(1 / np.sqrt(300), rel=0.1)
    assert drifting.std() > 3 * still.std()


def test_perturbations_act_on_their_targets_alone_and_what_cannot_be_is_refused():
    index = np.arange(100)
    pulses = (
        Effect("drive", np.where(index < 20, -10.0, 0.0), 0.0, 1.0),
        Effect("hold", np.where((index >= 20) & (index < 40), 30.0, np.nan), 0.0, 1.0),
    )
    activity = subject().run(Session(20, 2.0, perturbations=pulses), stream(4, "run"))
    seen = bin_spikes(activity, 1.0).values
    assert seen[:, 0, :20].sum() == 0
    assert seen[:, 1, :20].sum() > 0
    assert seen[:, 0, 20:40].mean() == pytest.approx(30, abs=1)
    assert seen[:, 0, 40:].mean() == pytest.approx(seen[:, 1, 40:].mean(), rel=0.1)
    with pytest.raises(SimlabError, match="cannot be held above 500 Hz"):
        subject().run(Session(1, 0.2, perturbations=(Effect("hold", np.full(100, 501.0), 0, 0.1),)), stream(5))


def test_the_truth_is_no_synapses():
    assert not subject().truth("connectivity", None, np.random.default_rng(0))["weight"].values.any()
    with pytest.raises(LookupError, match="can answer connectivity, effect, got"):
        subject().truth("topology", None, np.random.default_rng(0))
