"""Sufficiency: candidates in series pass, one of several that replace each other does not, correlates slip in."""

from __future__ import annotations

from parts_rigs import BOTH, EITHER, NOBODY, PATH, found, scores, subject

from methods.intervention.sufficiency_test import SufficiencyTest
from simlab.contracts import Budget

BY_LESIONS, BY_CORRELATION = SufficiencyTest(), SufficiencyTest("correlation")


def test_what_single_lesions_find_in_series_suffices():
    finding = found(BY_LESIONS, subject(BOTH), Budget(2000))
    assert scores(finding, subject(BOTH), "circuit")["exact"] == 1
    assert finding.notes["sure"]


def test_what_single_lesions_find_among_copies_does_not():
    finding = found(BY_LESIONS, subject(EITHER, lapse=0.0), Budget(2000))
    assert finding.abstained == (
        "the 1 candidates by lesions do not suffice: alone they achieve 0.00, and 0.80 is asked for"
    )


def test_what_follows_the_behaviour_passes_for_a_part_of_it():
    """d only listens to b. It goes with the outcome; lesions see that nobody needs it."""
    assert found(BY_CORRELATION, subject(PATH), Budget(2000)).estimate["members"].tolist() == [True] * 4
    assert found(BY_LESIONS, subject(PATH), Budget(2000)).estimate["members"].tolist() == [True] * 3 + [False]


def test_candidates_by_correlation_are_tested_too():
    """Where the copies are on nearly always, only the gate goes with the outcome."""
    finding = found(BY_CORRELATION, subject(EITHER, lapse=0.05), Budget(600))
    assert "1 candidates by correlation do not suffice" in finding.abstained


def test_without_candidates_there_is_nothing_to_test():
    assert "no unit is a candidate" in found(BY_LESIONS, subject(NOBODY), Budget(400)).abstained
    assert "never varies" in found(BY_CORRELATION, subject(NOBODY), Budget(400)).abstained


def test_too_small_a_budget_is_an_abstention_that_spends_nothing():
    for method, budget in ((BY_LESIONS, Budget(49)), (BY_CORRELATION, Budget(19))):
        finding = found(method, subject(BOTH), budget)
        assert "does not buy" in finding.abstained
        assert finding.notes["spent"].trials == 0
