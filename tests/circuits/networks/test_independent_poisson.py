"""The rival without any correlation: matched rates, Poisson statistics."""

import numpy as np
import pytest
from spiking_bench import count_correlations, interval_cvs, reliable_spread, spontaneous, subject

from circuits.networks.balanced_ei import BalancedEI
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.session import Effect, Session
from simlab.simulators.renewal import refractory_poisson


def test_each_neuron_fires_at_its_twins_rate():
    twin, rival = mean_rates(spontaneous("balanced_ei")), mean_rates(spontaneous("independent_poisson"))
    # The mean-field rate is a few per cent above the network's; see test_balanced_ei.
    assert 0.98 < rival.mean() / twin.mean() < 1.1
    assert np.corrcoef(twin, rival)[0, 1] > 0.9


def test_intervals_and_counts_are_poisson_but_for_the_refractory_period():
    activity = spontaneous("independent_poisson")
    # Intervals are cut off by trials of 2 s, so a CV of 1 comes out slightly below.
    assert 0.93 < interval_cvs(activity).mean() < 1.02
    counts = bin_spikes(activity, 0.1).values.reshape(-1, 100)
    # A dead time d leaves a Fano factor of (1 - rate d)^2 in windows much longer than d (Cox 1962, Renewal Theory).
    expected = (1 - subject("independent_poisson").matched.rate * BalancedEI().refractory) ** 2
    # Of 1200 counts: +- 0.04 each, +- 0.004 in the mean of 100.
    assert abs((counts.var(axis=0) / counts.mean(axis=0) - expected).mean()) < 0.015


def test_nobody_fires_again_within_the_refractory_period_of_its_twin():
    refractory = BalancedEI().refractory
    for name in ("balanced_ei", "common_drive", "independent_poisson"):
        trial, time, neuron = (spontaneous(name)[f"spike_{column}"].values for column in ("trial", "time", "neuron"))
        order = np.lexsort((time, trial, neuron))
        same = (np.diff(trial[order]) == 0) & (np.diff(neuron[order]) == 0)
        assert np.diff(time[order])[same].min() > refractory - 1e-9


@pytest.mark.parametrize("rate", [5.0, 100.0, 450.0, 500.0])
def test_the_rate_is_exact_from_the_first_moment_on_however_high(rate):
    edges = np.array([0.0, 0.02, 0.3])
    trial, time, neuron = refractory_poisson(
        [np.full((1000, 4), r) for r in (rate, 0.0)], edges, 2e-3, np.random.default_rng(1)
    )
    assert time.max() < 0.02
    early = time < 2e-3  # a process that begins free to fire would be too fast here, one that begins with a spike slow
    for window, inside in ((0.02, time >= 0), (2e-3, early)):
        expected = rate * window * 4000
        assert abs(inside.sum() - expected) < 4 * np.sqrt(expected)
    assert trial.max() < 1000
    assert neuron.max() < 4


def test_nothing_correlates():
    activity = spontaneous("independent_poisson")
    pairs = count_correlations(activity)
    # 1200 bins: each 0 +- 0.029, the mean of 4950 0 +- 0.0004.
    assert abs(pairs.mean()) < 0.0016
    assert abs(pairs.std() - 1 / np.sqrt(1200)) < 0.002
    assert reliable_spread(activity) < 0.008


def test_perturbations_act_on_their_targets_alone():
    rival = subject("independent_poisson")
    index = np.arange(100)
    pulses = (
        Effect("drive", -10.0 * np.where(index < 20, 1.0, 0.0), 0.0, 1.0),
        Effect("hold", np.where((index >= 20) & (index < 40), 30.0, np.nan), 0.0, 1.0),
        Effect("drive", np.where((index >= 40) & (index < 60), 0.5, 0.0), 0.0, 1.0, trials=(0, 1)),
    )
    activity = rival.run(Session(20, 2.0, perturbations=pulses), np.random.default_rng(4))
    counts = bin_spikes(activity, 1.0).values  # (trial, 2, neuron): during and after
    assert counts[:, 0, :20].sum() == 0
    assert abs(counts[:, 0, 20:40].mean() - 30) < 4 * np.sqrt(30 / 400)
    assert counts[:2, 0, 40:60].mean() > 3 * counts[2:, 0, 40:60].mean()
    untouched = counts[:, 0, 60:].mean()
    assert abs(untouched - counts[:, 1, 60:].mean()) < 4 * np.sqrt(2 * untouched / 800)


def test_a_drive_is_followed_over_its_steps_and_a_hold_at_zero_is_silence():
    rival = subject("independent_poisson")
    index = np.arange(100)
    drive = Effect("drive", np.where(index < 50, [[0.5], [-10.0]], 0.0), 0.0, 1.0)
    hold = Effect("hold", np.where(index >= 80, 0.0, np.nan), 0.5, 5.0)  # outlasts the trial
    activity = rival.run(Session(20, 2.0, perturbations=(drive, hold)), np.random.default_rng(5))
    counts = bin_spikes(activity, 0.5).values
    assert counts[:, 0, :50].mean() > 3 * counts[:, 2, :50].mean()
    assert counts[:, 1, :50].sum() == 0
    assert counts[:, 1:, 80:].sum() == 0
    assert counts[:, 0, 80:].sum() > 0


def test_cutting_synapses_that_it_lacks_changes_nothing_and_raises_nothing():
    rival = subject("independent_poisson")
    plain, cut = (
        rival.run(Session(3, 1.0, perturbations=effects), np.random.default_rng(6))
        for effects in ((), (Effect("gain", np.zeros((100, 100)), 0.0, 2.0, over="pair"),))
    )
    np.testing.assert_array_equal(plain["spike_time"], cut["spike_time"])


def test_held_neurons_fire_as_regularly_as_those_of_its_twin():
    """Regular on the one and irregular on the other would tell which is which, whatever the wiring."""
    hold = Effect("hold", np.where(np.arange(100) < 10, 40.0, np.nan), 0.1, 0.9)
    for name in ("balanced_ei", "common_drive", "independent_poisson"):
        activity = subject(name).run(Session(2, 1.0, perturbations=(hold,)), np.random.default_rng(8))
        trial, time, neuron = (activity[f"spike_{column}"].values for column in ("trial", "time", "neuron"))
        held = (neuron < 10) & (time >= 0.1) & (time < 0.9 - 1e-9)
        order = np.lexsort((time[held], trial[held], neuron[held]))
        same = (np.diff(trial[held][order]) == 0) & (np.diff(neuron[held][order]) == 0)
        assert np.diff(time[held][order])[same] == pytest.approx(0.025, abs=1.1e-4), name


def test_it_refuses_what_its_twin_refuses():
    """An error on one of them alone would tell a method which it is."""
    effects = (Effect("hold", np.full(100, 501.0), 0.0, 0.1), Effect("drive", np.ones((2, 100)), 0.0, 1e-4))
    for effect in effects:
        for name in ("balanced_ei", "common_drive", "independent_poisson"):
            with pytest.raises(SimlabError, match="cannot"):
                subject(name).run(Session(1, 0.2, perturbations=(effect,)), np.random.default_rng(7))


def test_the_truth_is_no_synapses_and_its_mechanism_no_wiring():
    rival = subject("independent_poisson")
    assert rival.circuit.mechanism == "independent neurons"
    assert not rival.truth("connectivity", None, np.random.default_rng(0))["weight"].values.any()
    with pytest.raises(LookupError, match="can answer connectivity, effect, got"):
        rival.truth("topology", None, np.random.default_rng(0))
