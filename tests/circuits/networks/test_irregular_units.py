"""The rival of irregular, mixed and autocorrelated units: matched rates, stated statistics, nothing in common."""

from functools import cache

import numpy as np
import pytest
from spiking_bench import count_correlations, interval_cvs

import simlab
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.bursting_units import BurstingUnits
from circuits.networks.irregular_units import IrregularUnits
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.session import Session
from simlab.streams import stream

SMALL = BalancedEI(n_neurons=40)
MIXED = IrregularUnits(SMALL, cv=(0.5, 2.0), fluctuation=0.0)
AUTOCORRELATED = IrregularUnits(SMALL, cv=(1.0, 1.0), fluctuation=0.8, correlation_time=0.5)


@cache
def subject(circuit):
    return circuit.subject(stream(1, "subject"))


@cache
def spontaneous(circuit):
    """Five minutes in long trials, which cut few intervals off."""
    return subject(circuit).run(Session(10, 30.0), stream(1, "run"))


def intervals(activity):
    """Each interval [s], whose it is, and the one after it of the same train."""
    trial, time, neuron = (activity[f"spike_{column}"].values for column in ("trial", "time", "neuron"))
    order = np.lexsort((time, trial, neuron))
    same = (np.diff(trial[order]) == 0) & (np.diff(neuron[order]) == 0)
    gap = np.diff(time[order])
    both = same[:-1] & same[1:]
    return gap[same], gap[:-1][both], gap[1:][both], neuron[order][:-2][both]


def test_it_keeps_the_contract():
    assert simlab.check(IrregularUnits(), raises=False).ok


@pytest.mark.parametrize("circuit", [MIXED, AUTOCORRELATED, IrregularUnits(SMALL)], ids=["mixed", "slow", "default"])
def test_each_unit_fires_at_its_twins_rate_never_within_its_refractory_period_and_on_its_own(circuit):
    twin, rates = SMALL.subject(stream(1, "subject")).working_point.rate, mean_rates(spontaneous(circuit))
    # 2300 spikes of CV 1 to 2: 2 to 4% each; lognormal rates of memory 0.5 s: sqrt(0.9 * 2 * 0.5 / 300) = 5%.
    np.testing.assert_allclose(rates, twin, rtol=0.2)
    assert rates.mean() / twin.mean() == pytest.approx(1, abs=0.04)
    assert intervals(spontaneous(circuit))[0].min() > SMALL.refractory - 1.01e-4  # times are told to a tick
    assert abs(count_correlations(spontaneous(circuit), 0.5).mean()) < 0.006  # 600 windows, 780 pairs: +- 0.0015


def test_each_unit_is_as_irregular_as_was_drawn_for_it():
    drawn, found = subject(MIXED).cv, interval_cvs(spontaneous(MIXED))
    assert drawn.min() < 0.7 < 1.8 < drawn.max()
    np.testing.assert_allclose(found, drawn, rtol=0.15)
    assert (found / drawn).mean() == pytest.approx(1, abs=0.03)


def test_of_one_variability_and_at_a_steady_rate_they_are_the_bursting_units():
    alike = IrregularUnits(SMALL, cv=(1.3, 1.3), fluctuation=0.0)
    one, other = (
        c.subject(stream(1, "subject")).run(Session(3, 2.0), stream(1)) for c in (alike, BurstingUnits(SMALL))
    )
    np.testing.assert_array_equal(one["spike_time"], other["spike_time"])


def test_a_fluctuating_rate_makes_short_intervals_follow_short_ones_and_counts_vary():
    serial, fano = {}, {}
    for circuit in (MIXED, AUTOCORRELATED):
        _, now, after, who = intervals(spontaneous(circuit))
        pairs = ((now[who == i], after[who == i]) for i in range(40))
        serial[circuit] = np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs])
        counts = bin_spikes(spontaneous(circuit), 0.5).values.reshape(-1, 40)
        fano[circuit] = (counts.var(axis=0) / counts.mean(axis=0)).mean()
    assert abs(serial[MIXED]) < 0.02  # a renewal process: 40 x 2300 intervals, +- 0.003, and no theory needed
    assert serial[AUTOCORRELATED] > 0.1
    # Doubly stochastic: 1 + rate x 2 / T x integral of (T - u)(exp(s^2 exp(-u / tau)) - 1), and dead time.
    rate, lag = subject(AUTOCORRELATED).matched.rate, np.linspace(0, 0.5, 500)
    excess = 2 / 0.5 * np.trapezoid((0.5 - lag) * np.expm1(0.64 * np.exp(-lag / 0.5)), lag)
    assert fano[AUTOCORRELATED] == pytest.approx((1 + rate * excess).mean(), rel=0.12)


def test_the_truth_is_no_synapses_and_a_range_upside_down_is_refused():
    assert not subject(MIXED).truth("connectivity", None, np.random.default_rng(0))["weight"].values.any()
    with pytest.raises(LookupError, match="can answer connectivity, effect, got"):
        subject(MIXED).truth("topology", None, np.random.default_rng(0))
    with pytest.raises(SimlabError, match=r"cv must be \(lowest, highest\), got \(2.0, 0.5\)"):
        IrregularUnits(cv=(2.0, 0.5))
