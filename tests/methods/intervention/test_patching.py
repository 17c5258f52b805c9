"""Patches: one unit at a time is right about the path, a direction of many is fooled by one that is dormant."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from causal_rigs import World
from scipy.stats import ttest_ind

from circuits.causal.direct_path import DirectPath
from circuits.causal.dormant_path import DormantPath
from circuits.causal.invariant_causes import InvariantCauses
from methods.intervention._patching import significance
from methods.intervention.activation_patching import ActivationPatching
from methods.intervention.subspace_patching import SubspacePatching
from methods.intervention.zero_out_and_edit import ZeroOutAndEdit
from simlab.contracts import Budget
from simlab.questions.circuit import Circuit

METHODS = (ActivationPatching(), SubspacePatching(), ZeroOutAndEdit())
FROZEN = Budget(40, 40.0, 40)


@cache
def found(circuit, method):
    return World(circuit).found(method)


def members(circuit, method):
    return found(circuit, method).estimate["members"].tolist()


@pytest.mark.parametrize("circuit", [DormantPath(), DirectPath()])
def test_one_unit_at_a_time_finds_the_path_whatever_is_dormant(circuit):
    assert members(circuit, ActivationPatching()) == [False, False, True]
    # 20 trials of each with a standard deviation of y of 0.3 in 2, controls likewise: 0.05
    assert found(circuit, ActivationPatching()).estimate["score"] == pytest.approx([0, 0, 1], abs=0.2)


def test_the_best_direction_goes_through_the_dormant_path_and_counts_all_three():
    finding = found(DormantPath(), SubspacePatching())
    assert finding.estimate["members"].all()
    # v = b / |b| + d / |d| with b = (0, 2, 1), d = (1, 0, 1): an effect of (sqrt 5 sqrt 2 + 1) / 2 = 2.08
    v = np.array([0, 2, 1]) / np.sqrt(5) + np.array([1, 0, 1]) / np.sqrt(2)
    assert finding.estimate["score"] == pytest.approx(v / np.linalg.norm(v), abs=0.05)
    assert finding.notes["effect"] == pytest.approx((np.sqrt(10) + 1) / 2, abs=0.3)
    scores = World(DormantPath()).scored(SubspacePatching())
    assert scores["exact"] == 0
    assert scores["false_share"] == pytest.approx(2 / 3)


def test_where_no_path_is_dormant_the_best_direction_is_led_by_the_one_that_is_walked():
    assert members(DirectPath(), SubspacePatching()) == [False, False, True]


def test_a_decoder_cannot_tell_what_is_read_from_what_is_not():
    for circuit in (DormantPath(), DirectPath()):
        assert members(circuit, SubspacePatching(direction="decoder")) == [True, False, True]


def test_an_edit_of_the_dormant_unit_does_as_well_and_the_method_says_so():
    assert "an edit outside the localised units [2]" in found(DormantPath(), ZeroOutAndEdit()).abstained
    assert members(DirectPath(), ZeroOutAndEdit()) == [False, False, True]


def test_zeroing_localises_the_dormant_unit_which_the_game_of_zeros_bears_out_and_that_of_means_does_not():
    zeroing = ZeroOutAndEdit(taken_out="zero")
    assert members(DormantPath(), zeroing) == [False, True, True]
    assert World(DormantPath()).scored(zeroing)["exact"] == 0
    assert World(DormantPath(ablation="zero")).scored(zeroing)["exact"] == 1


def test_with_two_carriers_none_is_missed_but_each_has_half_of_the_effect():
    both = DormantPath(carriers=2)
    assert "no unit is missed" in found(both, ZeroOutAndEdit()).abstained
    assert members(both, ActivationPatching()) == [False, False, True, True]
    assert found(both, ActivationPatching()).estimate["score"][2:] == pytest.approx([0.5, 0.5], abs=0.2)


def test_noise_alone_is_rarely_called_a_member():
    """Of 7 units off the path in each of 3 worlds: at a false discovery rate of 5% and an effect of a tenth."""
    crowd = DormantPath(disconnected=4, dormant=3, carriers=1, behaviour_noise=1.0)
    false = [World(crowd, seed).found(ActivationPatching()).estimate["members"][:7].sum() for seed in range(3)]
    # 21 units, 1 expected: more than 4 has a chance of 0.004
    assert sum(false) <= 4


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_they_abstain_on_a_small_budget_and_where_there_is_one_condition(method):
    poor = World(DormantPath(), budget=FROZEN)
    assert "does not buy" in poor.found(method).abstained
    assert not poor.sessions
    assert "fewer than two conditions" in World(InvariantCauses(environments=1)).found(method).abstained


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_they_abstain_where_the_behaviour_ignores_the_condition(method):
    unread = DormantPath(disconnected=2, carriers=1, behaviour_noise=10.0)
    assert "the behaviour is the same in all conditions" in World(unread, seed=4).found(method).abstained


def test_effects_of_few_interventions_are_not_bought():
    few = World(DormantPath(), budget=Budget(5000, 5000.0, 50_000, interventions=5))
    assert "5 interventions does not buy" in few.found(ActivationPatching()).abstained


def test_significance_is_welchs_test():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 12), rng.normal(1, 3, 30)
    assert significance(np.append(a, np.nan), b) == pytest.approx(ttest_ind(a, b, equal_var=False).pvalue)
    assert significance(np.ones(5), np.ones(5)) == 1
    assert significance(np.ones(5), np.zeros(5)) == 0
    assert significance(np.ones(1), np.zeros(5)) == 1


def test_all_of_them_ask_for_the_circuit():
    assert {method.question for method in METHODS} == {Circuit.name}
