"""Pairs: the redundancy of two is found, that of three is not, and series come out at nothing."""

from __future__ import annotations

import pytest
from parts_rigs import BOTH, EITHER, NOBODY, found, layout, subject

from methods.intervention.pairwise_silencing import PairwiseSilencing
from simlab.contracts import Budget

THREE = layout({("a", "d"): 1, ("b", "d"): 1, ("c", "d"): 1}, "abc", "d")
PAIRS = PairwiseSilencing()


def test_two_that_do_the_same_are_found_by_what_they_lose_together():
    finding = found(PAIRS, subject(EITHER, lapse=0.0), Budget(1100))
    assert finding.estimate["decided"].tolist() == [True, True, True, False]
    # L_a = L_b = 0, L_c = L_ab = L_ac = L_bc = 1: a gets half of the pair's loss, and c all of its own
    assert finding.estimate["importance"] == pytest.approx([0.5, 0.5, 1.0, 0.0])
    assert finding.notes["interaction"][0, 1] == 1.0
    assert finding.notes["spent"].interventions == 10


def test_with_lapses_as_well():
    estimate = found(PAIRS, subject(EITHER), Budget(1100)).estimate
    assert estimate["decided"].tolist() == [True, True, True, False]
    assert min(estimate["importance"][:2]) > estimate["importance"][3] + 0.1


def test_of_three_that_do_the_same_nothing_is_seen():
    finding = found(PAIRS, subject(THREE, lapse=0.0), Budget(1100))
    assert finding.estimate["decided"].tolist() == [False, False, False, True]


def test_in_a_series_of_three_the_second_order_takes_all_importance_away():
    """L = 1 for each and each pair: 1 + 1/2 (2 (1 - 2)) = 0, where the Shapley value is 1/3. Decided they are."""
    finding = found(PAIRS, subject(BOTH, lapse=0.0), Budget(1100))
    assert finding.estimate["importance"] == pytest.approx([0.0] * 4)
    assert finding.estimate["decided"].tolist() == [True, True, True, False]


def test_where_nothing_matters_nothing_is_decided():
    assert not found(PAIRS, subject(NOBODY), Budget(350)).estimate["decided"].any()


def test_too_small_a_budget_is_an_abstention_that_spends_nothing():
    finding = found(PAIRS, subject(BOTH), Budget(54))
    assert "4 units and 6 pairs" in finding.abstained
    assert finding.notes["spent"].trials == 0
