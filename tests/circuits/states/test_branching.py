"""A branching process with its mean, variance and memory, and the rival that has them without any branching."""

from functools import cache

import numpy as np
import pytest

import simlab
from circuits.states.branching import Branching
from circuits.states.common_drive_avalanches import CommonDriveAvalanches
from simlab.data import mean_rates
from simlab.session import Effect, Session

CIRCUIT = Branching(n_neurons=1000, branching_ratio=0.95, mean_rate=5.0)
RIVAL = CommonDriveAvalanches().imitating(CIRCUIT)
STEPS = 500


@cache
def activity(circuit):
    """100 trials of 2 s: 2500 time constants of 20 steps."""
    return circuit.subject(np.random.default_rng(1)).run(Session(100, 2.0), np.random.default_rng(2))


def counts(circuit):
    seen = activity(circuit)
    step = np.floor(seen["spike_time"].values / CIRCUIT.step + 1e-9).astype(int)
    return np.bincount(seen["spike_trial"].values * STEPS + step, minlength=100 * STEPS).reshape(100, STEPS)


def covariance(values, lag):
    away = values - values.mean()
    return (away[:, : STEPS - lag] * away[:, lag:]).mean()


@pytest.mark.parametrize("circuit", [Branching(n_neurons=60), CommonDriveAvalanches(Branching(n_neurons=60))])
def test_it_keeps_the_contract(circuit):
    assert simlab.check(circuit).ok


@pytest.mark.parametrize("circuit", [CIRCUIT, RIVAL])
def test_mean_variance_and_memory_are_those_of_the_equations(circuit):
    # 2500 memories: mean +- sqrt(2 * 205 / 2500) = .4 of 20; variance and covariances about 5%.
    seen = counts(circuit)
    assert seen.mean() == pytest.approx(20, rel=0.06)
    assert seen.var() == pytest.approx(20 / (1 - 0.95**2), rel=0.15)
    for lag in (1, 20, 40):
        short = 1 if circuit is CIRCUIT else 0.95**2
        assert covariance(seen, lag) == pytest.approx(seen.var() * 0.95**lag * short, rel=0.2)
    told = circuit.subject(np.random.default_rng(1)).truth("timescale", None, np.random.default_rng(1))
    assert float(told["timescale"]) == pytest.approx(-0.004 / np.log(0.95))


def test_the_next_step_follows_the_spikes_themselves_in_the_network_alone():
    """Spikes beyond the rate that called for them are followed by m of their own, or by none."""
    follow = {}
    for circuit in (CIRCUIT, RIVAL):
        seen = counts(circuit).astype(float)
        # Given the step before, a step's excess is counting noise: what comes after it tells who causes what.
        before, now, after = seen[:, :-2].ravel(), seen[:, 1:-1].ravel(), seen[:, 2:].ravel()
        excess = now - np.polyval(np.polyfit(before, now, 1), before)
        follow[circuit.name] = np.polyfit(excess, after, 1)[0]
    assert follow["branching"] == pytest.approx(0.95, abs=0.05)
    assert follow["common_drive_avalanches"] < 0.85


def test_neurons_are_alike_and_fire_once_in_a_step():
    seen = activity(CIRCUIT)
    rates = mean_rates(seen)
    assert rates.std() / rates.mean() == pytest.approx(1 / np.sqrt(1000), rel=0.2)  # Poisson: 1000 spikes each
    step = np.floor(seen["spike_time"].values / CIRCUIT.step + 1e-9).astype(np.int64)
    cell = (seen["spike_trial"].values * STEPS + step) * 1000 + seen["spike_neuron"].values
    assert len(np.unique(cell)) > 0.998 * len(cell)  # a time that the clock rounds up may pass into the next step


def test_what_a_driven_neuron_adds_is_multiplied_by_the_network_and_not_by_the_rival():
    n = 200
    circuit = Branching(n_neurons=n, branching_ratio=0.8, mean_rate=2.0)
    drive = Effect("drive", np.where(np.arange(n) < 10, 5.0, 0.0), 0.0, 2.0)  # 10 x 100 Hz
    more = {}
    for each in (circuit, CommonDriveAvalanches(circuit)):
        subject = each.subject(np.random.default_rng(1))
        runs = (subject.run(Session(20, 2.0, perturbations=p), np.random.default_rng(3)) for p in ((drive,), ()))
        others = [(run["spike_neuron"].values >= 10).sum() / 40 for run in runs]
        more[each.name] = others[0] - others[1]
    # In all 1000/s of their own make 1000 x .8 / (1 - .8) = 4000/s more, of which 95% fall on the others.
    assert more["branching"] == pytest.approx(3800, rel=0.15)
    assert abs(more["common_drive_avalanches"]) < 100


def test_held_neurons_and_cut_synapses_do_as_they_are_told():
    n = 200
    subject = Branching(n_neurons=n, branching_ratio=0.8, mean_rate=5.0).subject(np.random.default_rng(1))
    hold = Effect("hold", np.where(np.arange(n) == 3, 50.0, np.where(np.arange(n) == 4, 0.0, np.nan)), 0.0, 2.0)
    cut = Effect("gain", np.zeros(n), 0.0, 2.0)
    seen = subject.run(Session(50, 2.0, perturbations=(hold, cut)), np.random.default_rng(3))
    rates = mean_rates(seen)
    assert rates[4] == 0
    assert rates[3] == pytest.approx(50, rel=0.06)  # 5000 spikes
    assert rates[5:].mean() == pytest.approx(5 * 0.2, rel=0.1)  # what comes from outside


def test_the_family_is_drawn_from_what_was_measured_in_vivo():
    drawn = [Branching().prior(np.random.default_rng(i)) for i in range(20)]
    assert all(0.94 <= circuit.branching_ratio <= 0.998 for circuit in drawn)


def test_the_rectified_drive_has_the_variance_of_half_a_normal():
    rectified = CommonDriveAvalanches(CIRCUIT, drive="rectified")
    seen = counts(rectified)
    assert seen.mean() == pytest.approx(20, rel=0.1)
    assert (seen.var() - 20) / 20**2 == pytest.approx(np.pi - 1, rel=0.2)
