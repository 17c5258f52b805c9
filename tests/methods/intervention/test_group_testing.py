"""Group testing: a minimal circuit in fewer interventions than units, and what stays where the budget ends."""

from __future__ import annotations

import numpy as np
import pytest
from parts_rigs import BOTH, EITHER, NOBODY, PATH, found, layout, scores, subject

from methods.intervention.group_testing import GroupTesting
from simlab.contracts import Budget

TESTING = GroupTesting()
SPARSE = layout({("a", "b"): 1}, "acdefghijklmnop", "b")
"""a -> b among fourteen bystanders."""


@pytest.mark.parametrize("areas", [EITHER, BOTH, PATH], ids=["a or b", "a and b", "a path"])
def test_a_minimal_circuit_is_found(areas):
    finding = found(TESTING, subject(areas), Budget(2000))
    assert scores(finding, subject(areas), "circuit")["exact"] == 1


def test_of_two_that_do_the_same_one_stays_and_which_is_chance():
    findings = [found(TESTING, subject(EITHER), Budget(400), seed) for seed in range(4)]
    right = [scores(finding, subject(EITHER), "circuit")["exact"] for finding in findings]
    assert sum(right) >= 2  # each of six verdicts at 5%, most of them far from the bar
    assert len({tuple(f.estimate["members"].tolist()) for f in findings}) >= 2


def test_two_of_sixteen_take_fewer_interventions_than_pruning():
    finding = found(TESTING, subject(SPARSE, lapse=0.02), Budget(1000))
    assert finding.estimate["members"].nonzero()[0].tolist() == [0, 1]
    # at most 2 (log2(16 / 2) + 1) + 1 splits with up to two tests each; a plain search has one per unit
    assert finding.notes["tests"] <= 2 * (2 * 3 + 1)
    assert finding.notes["spent"].interventions < 16 + 1  # pruning: all of them, and each


def test_a_budget_that_ends_leaves_a_set_that_suffices():
    finding = found(TESTING, subject(SPARSE, lapse=0.02), Budget(60))
    assert finding.notes["untested"] > 0
    assert finding.notes["spent"].trials <= 60
    assert finding.estimate["members"][:2].all()
    assert finding.estimate["members"].sum() > 2


def test_few_interventions_are_not_exceeded():
    finding = found(TESTING, subject(BOTH), Budget(2000, interventions=3))
    assert finding.notes["spent"].interventions == 3
    assert finding.estimate["members"].all()


def test_where_nothing_matters_the_circuit_is_empty():
    assert not found(TESTING, subject(NOBODY), Budget(400)).estimate["members"].any()


def test_members_score_highest_and_the_first_to_go_lowest():
    finding = found(TESTING, subject(PATH), Budget(1000))
    score, members = finding.estimate["score"], finding.estimate["members"]
    assert score[members].min() == 1.0
    assert np.all(score[~members] < 1.0)
