"""What the methods of `effect` share: contrasts against SciPy, groups, and sessions that keep to the budget."""

from __future__ import annotations

import numpy as np
import pytest
from pulse_rigs import PulseRig, sparse
from scipy.stats import ttest_ind

from methods.intervention._pulses import Pulse, affordable, contrast, effects, pulse_units, random_groups
from simlab.contracts import Budget


def test_a_contrast_is_the_pooled_t_test_of_the_trials_that_may_be_read():
    rng = np.random.default_rng(0)
    values, on = rng.poisson(1.0, (60, 4)).astype(float), rng.random((60, 4)) < 0.3
    used = rng.random((60, 4)) < 0.8
    found, finding = contrast(values, on, ~on, used), effects(contrast(values, on, ~on, used), 0.05)
    for pre, post in ((0, 1), (3, 2)):
        a, b = (values[chosen & used[:, post], post] for chosen in (on[:, pre], ~on[:, pre]))
        test = ttest_ind(a, b)
        interval = test.confidence_interval(0.95)
        assert found.difference[pre, post] == pytest.approx(a.mean() - b.mean())
        assert finding.estimate["p"][pre, post] == pytest.approx(test.pvalue)
        assert finding.estimate["low"][pre, post] == pytest.approx(interval.low)
        assert finding.estimate["high"][pre, post] == pytest.approx(interval.high)


def test_where_there_is_nothing_to_test_nothing_is_decided_and_no_interval_is_given():
    values, on = np.ones((10, 3)), np.zeros((10, 3), dtype=bool)
    estimate = effects(contrast(values, on, ~on, ~on), 0.05).estimate
    assert not estimate["decided"].any()
    assert not estimate["response"].any()
    assert (estimate["p"] == 1).all()
    assert "low" not in estimate


def test_the_brief_says_what_a_pulse_is_and_the_usual_one_stands_in():
    assert Pulse.told({"pulse_strength": 2.0, "response_window": 0.03}) == Pulse(2.0, 10e-3, 0.03)
    assert Pulse.told({"candidates": ("this", "that")}) == Pulse()


def test_groups_are_of_everybody_alike_and_aims_of_two_units_know_nothing_of_each_other():
    groups = random_groups(4000, 20, 0.1, np.random.default_rng(0))
    assert groups.sum(axis=1).mean() == pytest.approx(2.0, abs=0.1)  # standard error .02
    others = np.corrcoef(groups.T)[~np.eye(20, dtype=bool)]
    assert abs(others.mean()) < 0.005  # of groups of one size -1/19
    # each unit is in a tenth of 4000 trials: 400 +- 19
    assert np.abs(groups.sum(axis=0) - 400).max() < 80
    assert random_groups(1000, 2, 1.0, np.random.default_rng(0)).mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("budget", [Budget(100, 3.0, 100), Budget(30, 100.0, 100), Budget(100, 100.0, 20)])
def test_trials_are_as_many_as_the_scarcest_part_of_the_budget_buys(budget):
    rig = PulseRig(sparse(), remaining=budget)
    trials = affordable(rig, 0.06, 1000)
    assert trials == min(budget.trials, int(budget.seconds / 0.06 + 1e-6), budget.perturbations)
    aimed = random_groups(trials, 8, 0.25, np.random.default_rng(0))
    pulsed = pulse_units(rig, Pulse(), aimed, 0.01)
    assert pulsed.response.shape == aimed.shape
    assert rig.sessions[0].n_perturbed_trials() == aimed.any(axis=1).sum() <= trials  # the others are controls
    # light makes those aimed at fire: 1 spike more than the 0.5 +- 0.7 of 50 ms, less where they had just fired
    assert pulsed.response[aimed].mean() > pulsed.response[~aimed].mean() + 0.5
