"""Causes among correlates: invariance finds them or says little, regression calls effects causes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from causal_rigs import World
from scipy.stats import linregress

from circuits.causal.dormant_path import DormantPath
from circuits.causal.invariant_causes import InvariantCauses
from circuits.causal.reversed_causes import ReversedCauses
from methods.intervention._predictors import Samples, least_squares, samples
from methods.intervention.invariant_causal_prediction import InvariantCausalPrediction, invariances
from methods.intervention.mediation import Mediation
from methods.intervention.regression_causes import RegressionCauses
from simlab.data import recording

CLEAR = InvariantCauses(environments=4, shift=2.0)  # units: causes 0, 1; effects 2, 3; sibling 4; bystander 5
ICP, PLAIN, ONE_BY_ONE, MEDIATION = (
    InvariantCausalPrediction(), RegressionCauses(), RegressionCauses(jointly=False), Mediation(resamples=250)
)  # fmt: skip
METHODS = (ICP, PLAIN, MEDIATION)


@cache
def seen(circuit, seed, trials=300):
    return World(circuit, seed).recording(trials)


def decided(method, circuit, seeds, trials=300):
    """(seed, unit) of those that did not abstain."""
    found = [method.analyse(seen(circuit, s, trials), np.random.default_rng(s)) for s in range(seeds)]
    return np.array([f.estimate["decided"] for f in found if not f.abstained])


def test_environments_that_differ_much_tell_causes_from_all_others():
    found = decided(ICP, CLEAR, 4)
    assert found[:, :2].mean() > 0.8
    # a chance of .05 each of any at all: 2 of 4 and more has one of 0.014
    assert found[:, 2:].any(axis=1).sum() <= 1
    turned = decided(ICP, ReversedCauses(CLEAR), 4)
    assert turned[:, 2:4].mean() > 0.8
    assert turned[:, [0, 1, 4, 5]].any(axis=1).sum() <= 1


def test_its_error_rate_is_what_it_says_where_environments_differ_a_little():
    """40 animals: Binomial(40, 0.05) is above 6 with a chance of 0.003."""
    small = InvariantCauses(causes=1, effects=2, siblings=1, bystanders=0, environments=3, shift=0.6)
    found = decided(ICP, small, 40, trials=150)
    assert found[:, 1:].any(axis=1).sum() <= 6


def test_where_environments_are_alike_it_says_nothing():
    found = decided(ICP, InvariantCauses(shift=0.0), 8)
    assert found.any(axis=1).sum() <= 2  # 0.05 each: 3 of 8 has a chance of 0.006


def test_where_the_environment_moves_the_behaviour_itself_it_abstains_or_is_wrong():
    broken = InvariantCauses(environments=5, shift=1.0, behaviour_shift=2.0)
    reasons = [ICP.analyse(seen(broken, s), np.random.default_rng(0)).abstained for s in range(6)]
    assert sum("none makes the behaviour invariant" in reason for reason in reasons) >= 4


def test_regression_takes_effects_for_causes_on_either_side():
    for circuit in (InvariantCauses(), ReversedCauses()):
        assert decided(PLAIN, circuit, 5)[:, :4].all()
    # one at a time, a unit that follows a cause is one too
    assert decided(ONE_BY_ONE, InvariantCauses(), 5)[:, :5].all()
    # within one environment a sibling has no slope of its own: false discovery rate 5%
    home = decided(PLAIN, InvariantCauses(environments=1), 8)
    assert home[:, 4:].mean() < 0.2


def test_mediation_takes_effects_that_the_environment_moves_for_mediators():
    found = decided(MEDIATION, CLEAR, 3)
    assert found[:, :2].mean() > 0.8
    assert found[:, 2:4].mean() > 0.8
    assert not decided(MEDIATION, InvariantCauses(shift=0.0), 3).any(axis=1).sum() > 1


def test_on_a_path_from_stimulus_to_behaviour_mediation_finds_the_carrier():
    finding = MEDIATION.analyse(seen(DormantPath(noise=0.3), 1), np.random.default_rng(0))
    assert finding.estimate["decided"].tolist() == [False, False, True]
    # x goes from 1 to -1 and the carrier passes all of it on; b is known to 0.2 / (0.3 sqrt 300) = 0.04
    assert finding.estimate["importance"][2] == pytest.approx(2, abs=0.3)
    assert finding.estimate["importance"][:2] == pytest.approx([0, 0], abs=0.3)


def test_a_chain_through_the_behaviour_by_hand():
    """x1 -> y -> x2 with y = x1 + e, x2 = y + f, and x1 of variance 1, then 4 in the other environment.

    y on x1 leaves e in both. y on x2 has the slope (v + 1) / (v + 2): .667 or .833, and leaves different variances.
    """
    rng, n = np.random.default_rng(0), 4000
    environment = np.repeat([0, 1], n // 2)
    x1 = rng.standard_normal(n) * np.where(environment, 2.0, 1.0)
    y = x1 + rng.standard_normal(n)
    x2 = y + rng.standard_normal(n)
    world = Samples(np.column_stack([x1, x2]), y, environment)
    sets = [(), (0,), (1,), (0, 1)]
    accepted = invariances(world, environment, sets) > 0.05
    # {x1, x2} leaves (e - f) / 2 of all environments alike: it is invariant too, as f and e do not change
    assert accepted.tolist() == [False, True, False, True]
    moved = Samples(np.column_stack([x1, x2 + 2.0 * environment]), y, environment)
    assert (invariances(moved, environment, sets) > 0.05).tolist() == [False, True, False, False]


def test_of_many_units_those_are_tested_that_the_lasso_takes_first():
    many = InvariantCauses(environments=4, shift=2.0, bystanders=8)
    finding = ICP.analyse(seen(many, 0), np.random.default_rng(0))
    assert finding.notes["tested"] == 256
    assert finding.estimate["decided"].any()
    assert not finding.estimate["decided"][2:].any()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_they_abstain_without_variation_trials_or_environments(method):
    flat = seen(InvariantCauses(), 0)
    flat = flat.assign(behaviour=flat["behaviour"] * 0)
    assert "the behaviour is the same" in method.analyse(flat, np.random.default_rng(0)).abstained
    assert (
        "are too few to regress" in method.analyse(seen(InvariantCauses(), 0, 12), np.random.default_rng(0)).abstained
    )
    if method.needs.conditions:
        alone = seen(InvariantCauses(environments=1), 0)
        assert "one condition" in method.analyse(alone, np.random.default_rng(0)).abstained


def test_samples_begin_with_the_stimulus_and_several_factors_are_one():
    rng, trials = np.random.default_rng(0), 20
    time = np.arange(10) * 0.1
    stimulus = np.full((trials, 10, 1), np.nan)
    stimulus[:, 4:] = 1.0
    both = np.outer(rng.standard_normal(trials), [3.0, -4.0])
    behaviour = np.where(time[:, None] < 0.4, 100.0, both[:, None])
    signal = np.where(time[:, None] < 0.4, 50.0, rng.standard_normal((trials, 1, 2)))
    told = recording(
        duration=1.0, n_units=2, n_trials=trials, signal=signal, modality="rate", signal_units="Hz", sample_time=time,
        time=time, stimulus=stimulus, behaviour=behaviour,
    )  # fmt: skip
    found = samples(told)
    np.testing.assert_allclose(found.units, signal[:, -1])
    assert abs(np.corrcoef(found.behaviour, both[:, 0])[0, 1]) == pytest.approx(1)
    assert np.std(found.behaviour) == pytest.approx(np.std(both[:, 0]) * 5 / 3)


def test_least_squares_is_that_of_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 40))
    fitted, other = least_squares(x[:, None], y), linregress(x, y)
    assert fitted.slope[0] == pytest.approx(other.slope)
    assert fitted.p[0] == pytest.approx(other.pvalue)
