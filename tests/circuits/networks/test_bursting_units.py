"""The rival with intervals of a chosen variability: matched rates, renewal statistics, nothing in common."""

from functools import cache

import numpy as np
import pytest
from spiking_bench import count_correlations, interval_cvs

import simlab
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.bursting_units import BurstingUnits
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.session import Effect, Session
from simlab.streams import stream

each_cv = pytest.mark.parametrize("cv", [0.5, 1.0, 1.5])


@cache
def subject(cv=1.5):
    return BurstingUnits(cv=cv).subject(stream(1, "subject"))


@cache
def spontaneous(cv):
    return subject(cv).run(Session(6, 60.0), stream(1, "run"))


def test_it_keeps_the_contract():
    assert simlab.check(BurstingUnits(), raises=False).ok


@each_cv
def test_each_neuron_fires_at_its_twins_rate_with_intervals_of_the_variability_asked_for(cv):
    twin = BalancedEI().subject(stream(1, "subject")).working_point.rate
    rates = mean_rates(spontaneous(cv))
    # Some 3000 spikes each: +- cv x 2%.
    assert np.abs(rates / twin - 1).max() < 0.15
    assert rates.mean() / twin.mean() == pytest.approx(1, abs=0.01)
    assert interval_cvs(spontaneous(cv)).mean() == pytest.approx(cv, rel=0.03)


@each_cv
def test_counts_in_long_windows_have_the_fano_factor_of_renewal_theory_and_nothing_correlates(cv):
    counts = bin_spikes(spontaneous(cv), 5.0).values.reshape(-1, 100)
    # 72 windows of 100 neurons: +- 1.7%; at 40 spikes in a window the limit cv^2 is near, though from below above 1.
    assert (counts.var(axis=0, ddof=1) / counts.mean(axis=0)).mean() == pytest.approx(cv**2, rel=0.12)
    assert abs(count_correlations(spontaneous(cv), 1.0).mean()) < 0.004  # 360 bins, 4950 pairs: +- 0.0008


def test_nobody_fires_again_within_the_refractory_period_of_its_twin():
    trial, time, neuron = (spontaneous(1.5)[f"spike_{column}"].values for column in ("trial", "time", "neuron"))
    order = np.lexsort((time, trial, neuron))
    same = (np.diff(trial[order]) == 0) & (np.diff(neuron[order]) == 0)
    assert np.diff(time[order])[same].min() > BalancedEI().refractory - 1.01e-4  # times are told to a tick


def test_perturbations_act_on_their_targets_alone_and_what_cannot_be_is_refused():
    index = np.arange(100)
    pulses = (
        Effect("drive", np.where(index < 20, -10.0, np.where(index >= 80, 0.5, 0.0)), 0.0, 1.0),
        Effect("hold", np.where((index >= 20) & (index < 40), 30.0, np.nan), 0.0, 1.0),
    )
    activity = subject().run(Session(40, 2.0, perturbations=pulses), stream(4, "run"))
    seen = bin_spikes(activity, 1.0).values
    assert seen[:, 0, :20].sum() == 0
    assert seen[:, 1, :20].sum() > 0
    assert seen[:, 0, 20:40].mean() == pytest.approx(30, abs=1)
    assert seen[:, 0, 40:80].mean() == pytest.approx(seen[:, 1, 40:80].mean(), rel=0.1)
    assert seen[:, 0, 80:].mean() > 3 * seen[:, 1, 80:].mean()
    with pytest.raises(SimlabError, match="cannot be held above 500 Hz"):
        subject().run(Session(1, 0.2, perturbations=(Effect("hold", np.full(100, 501.0), 0, 0.1),)), stream(5))


def test_the_truth_is_no_synapses_and_a_circuit_value_is_imitated():
    circuit = BalancedEI(n_neurons=20, external_mean=10e-3)
    rival = BurstingUnits().imitating(circuit).subject(stream(2, "subject"))
    np.testing.assert_allclose(rival.matched.rate, circuit.subject(stream(2, "subject")).working_point.rate)
    assert not subject().truth("connectivity", None, np.random.default_rng(0))["weight"].values.any()
    with pytest.raises(LookupError, match="can answer connectivity, effect, got"):
        subject().truth("topology", None, np.random.default_rng(0))
