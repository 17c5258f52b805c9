"""Exhaustive search: a smallest circuit whatever the interactions, at its stated error rate and exponential cost."""

from __future__ import annotations

import pytest
from parts_rigs import BOTH, EITHER, NOBODY, PATH, found, layout, scores, subject

from methods.intervention import exhaustive_search
from methods.intervention.exhaustive_search import ExhaustiveSearch
from simlab.contracts import Budget

SEARCH = ExhaustiveSearch()


@pytest.mark.parametrize("areas", [EITHER, BOTH, PATH], ids=["a or b", "a and b", "a path"])
def test_a_smallest_circuit_is_found_whatever_the_interactions(areas):
    finding = found(SEARCH, subject(areas), Budget(2000))
    assert scores(finding, subject(areas), "circuit")["exact"] == 1
    assert finding.notes["sure"]


def test_it_keeps_to_its_error_rate():
    findings = [found(SEARCH, subject(EITHER), Budget(2000), seed) for seed in range(5)]
    wrong = sum(scores(finding, subject(EITHER), "circuit")["exact"] != 1 for finding in findings)
    assert wrong <= 2  # Binomial(5, 0.05) for the accepted set: more than 2 has a chance of 0.001


def test_sets_of_a_size_are_tried_before_any_larger_one():
    finding = found(SEARCH, subject(EITHER, lapse=0.0), Budget(2000))
    assert finding.notes["size"] == 2
    assert finding.notes["spent"].interventions == 1 + 4 + 6  # all silenced, all single ones, all pairs


def test_where_all_units_are_needed_the_whole_is_the_answer():
    chain = layout({("a", "b"): 1, ("b", "c"): 1}, "a", "c")
    finding = found(SEARCH, subject(chain, lapse=0.0), Budget(2000))
    assert finding.estimate["members"].all()


def test_where_nothing_matters_the_circuit_is_empty():
    assert not found(SEARCH, subject(NOBODY), Budget(400)).estimate["members"].any()


@pytest.mark.parametrize("budget", [Budget(60), Budget(2000, interventions=4), Budget(2000, perturbations=45)])
def test_a_budget_that_ends_first_is_an_abstention(budget):
    finding = found(SEARCH, subject(BOTH), budget)
    assert "the budget ended among the sets of" in finding.abstained
    assert finding.notes["spent"].interventions <= 15


def test_more_sets_than_can_be_tried_are_an_abstention(monkeypatch):
    monkeypatch.setattr(exhaustive_search, "MOST_SETS", 5)
    finding = found(SEARCH, subject(BOTH), Budget(1000))
    assert "there are 6 sets of 2 units: too many to try" in finding.abstained
