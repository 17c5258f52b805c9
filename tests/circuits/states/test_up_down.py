"""Up and down states with two modes and durations as in cortex, and the rival that has everything but the states."""

from functools import cache

import numpy as np
import pytest

import simlab
from circuits.states.slow_drive_states import SlowDriveStates, fluctuations
from circuits.states.up_down import UpDown
from simlab.activity_statistics import interval_cv, pairwise_correlations
from simlab.data import bin_spikes, mean_rates
from simlab.session import Effect, Session

CIRCUIT = UpDown(n_excitatory=40, n_inhibitory=10)
RNG = np.random.default_rng


@cache
def activity(circuit):
    return circuit.subject(RNG(1)).run(Session(20, 4.0), RNG(2))


def pooled(circuit):
    """Counts (trial, bin) of all neurons in bins of 50 ms."""
    return bin_spikes(activity(circuit), 0.05).values.sum(axis=2)


@pytest.mark.slow  # a compilation for each effect
@pytest.mark.parametrize("circuit", [CIRCUIT, SlowDriveStates(CIRCUIT)])
def test_it_keeps_the_contract(circuit):
    assert simlab.check(circuit).ok


def test_its_fixed_points_are_those_of_the_mean_field():
    subject = CIRCUIT.subject(RNG(1))
    down, up = sorted(subject.rests(), key=np.sum)
    assert str(subject.truth("dynamics", None, RNG(1))["label"].values) == "bistable"
    assert np.abs(down).max() < 1e-9
    # E (1 - J_ee + a + J_ei g_i J_ie / (1 + g_i J_ii)) = J_ei g_i theta_i / (1 + g_i J_ii) - theta_e,   g_e = 1
    assert up[:40].mean() == pytest.approx((4 * 25 / 3 - 4.8) / (1 - 5 + 1 + 40 / 3), rel=1e-3)


def test_without_recurrent_excitation_silence_is_all_there_is():
    weak = UpDown(coupling_ee=0.5)
    assert str(weak.subject(RNG(1)).truth("dynamics", None, RNG(1))["label"].values) == "fixed point"


def test_states_last_about_half_a_second():
    up = pooled(CIRCUIT) > 2  # of 50 neurons: 1 Hz
    switches = np.abs(np.diff(up.astype(int), axis=1)).sum()
    assert 0.4 < up.mean() < 0.8
    assert 0.2 < 80 / switches < 0.9  # s, mean length of a state


def test_the_rival_has_the_rates_and_the_slow_fluctuations_and_one_mode():
    rival = SlowDriveStates().imitating(CIRCUIT)
    rates, others = (mean_rates(activity(circuit)) for circuit in (CIRCUIT, rival))
    # 80 s of a relative variance of .55 and .2 s: sqrt(2 * .55 * .2 / 80) = 5% of either mean
    assert others.mean() == pytest.approx(rates.mean(), rel=0.2)
    assert np.corrcoef(rates, others)[0, 1] > 0.9
    alike = fluctuations(CIRCUIT)
    counts = pooled(rival).astype(float)
    away = counts - counts.mean()
    share = (away[:, 1:] * away[:, :-1]).mean() / counts.mean() ** 2
    assert share == pytest.approx(alike.relative_variance * np.exp(-0.05 / alike.time_constant), rel=0.35)
    low, middle = (np.mean((counts > a) & (counts <= b)) for a, b in ((-1, 0), (0, 3)))
    nothing, few = (np.mean((pooled(CIRCUIT) > a) & (pooled(CIRCUIT) <= b)) for a, b in ((-1, 0), (0, 3)))
    assert low < middle
    assert nothing > few


def test_one_strong_push_ends_a_silence_in_neurons_that_were_not_pushed():
    push = Effect("drive", np.where(np.arange(50) < 20, 5.0, 0.0), 0.1, 0.15)
    quiet = UpDown(n_excitatory=40, n_inhibitory=10, noise=0.0)
    subject, late = quiet.subject(RNG(1)), np.s_[:, 60:, 20:40]
    runs = (subject.rates(Session(20, 0.4, perturbations=p), RNG(3))[late].mean(axis=(1, 2)) for p in ((), (push,)))
    before, after = runs
    assert (before < 0.01).any()
    assert (after > 1).all()


def test_spikes_are_more_irregular_than_poisson_and_rise_and_fall_together():
    seen = activity(CIRCUIT)
    assert 1.0 < np.nanmean(interval_cv(seen)) < 2.0
    assert 0.05 < np.nanmean(pairwise_correlations(seen, 0.1)) < 0.4
