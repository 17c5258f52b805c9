"""Forward search: right where units help one by one, led astray where they help only together."""

from __future__ import annotations

import numpy as np
from parts_rigs import EITHER, NOBODY, found, layout, scores, subject

from methods.intervention.greedy_search import GreedySearch
from simlab.contracts import Budget

WIDE = layout({("c", "z"): 0, ("b", "z"): 0}, "bcz", "z")
"""z alone answers its stimulus: the circuit is z."""


def test_a_unit_that_helps_by_itself_is_found_first():
    finding = found(GreedySearch(), subject(WIDE), Budget(400))
    assert finding.notes["order"] == [2]
    assert scores(finding, subject(WIDE), "circuit")["exact"] == 1


def test_units_that_only_help_together_are_found_in_company():
    """Nothing helps alone in (a or b) and c: the first choice is chance, and right in three of four cases at best."""
    findings = [found(GreedySearch(), subject(EITHER), Budget(600), seed) for seed in range(4)]
    achieved = [scores(finding, subject(EITHER), "circuit") for finding in findings]
    assert all(score["faithfulness"] > 0.8 for score in achieved)
    assert any(score["exact"] == 0 for score in achieved)
    assert any(f.notes["order"][0] == 3 for f in findings)  # the bystander


def test_where_nothing_matters_the_circuit_is_empty():
    finding = found(GreedySearch(), subject(NOBODY), Budget(400))
    assert not finding.estimate["members"].any()
    assert finding.notes["all_units_add_at_most"] < 0.1


def test_where_little_was_tried_that_is_not_said():
    assert "neither nothing nor enough" in found(GreedySearch(), subject(NOBODY), Budget(20)).abstained


def test_a_budget_that_ends_on_the_way_is_an_abstention_that_tells_what_was_released():
    finding = found(GreedySearch(), subject(EITHER), Budget(40))
    assert "the budget ended with units" in finding.abstained
    assert finding.notes["spent"].trials <= 40
    assert "does not buy 5 trials with all units intact" in found(GreedySearch(), subject(EITHER), Budget(9)).abstained


def test_scores_fall_with_the_order_of_release():
    finding = found(GreedySearch(), subject(EITHER), Budget(1000))
    score = finding.estimate["score"]
    assert (np.diff(score[finding.notes["order"]]) < 0).all()
    assert score[~finding.estimate["members"]].tolist() == [0.0] * int((~finding.estimate["members"]).sum())
