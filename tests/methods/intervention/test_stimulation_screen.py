"""Stimulation: what brings the behaviour about without its stimulus need not be what the behaviour needs."""

from __future__ import annotations

import pytest
from parts_rigs import BOTH, EITHER, NOBODY, PATH, layout, subject
from parts_rigs import found as found_without

from methods.intervention.stimulation_screen import StimulationScreen
from simlab.contracts import Budget

SCREEN = StimulationScreen(trials_each=60)


def found(method, animal, budget):
    return found_without(method, animal, budget, stimulus=True)


def test_whatever_leads_to_the_behaviour_brings_it_about():
    """a -> b -> c, and d that follows b: driving any of the path will do, and driving d will not."""
    finding = found(SCREEN, subject(PATH), Budget(1000))
    assert finding.estimate["decided"].tolist() == [True, True, True, False]
    assert finding.notes["control_outcome"] == 0.0
    # 0.9^3, 0.9^2 and 0.9: the further upstream, the more can lapse; four standard errors of 60 trials
    assert finding.estimate["importance"][:3] == pytest.approx([0.73, 0.81, 0.9], abs=0.24)


def test_copies_that_silencing_misses_are_found():
    estimate = found(SCREEN, subject(EITHER, 0.0), Budget(1000)).estimate
    assert estimate["decided"].tolist() == [True, True, True, False]
    assert estimate["importance"].tolist() == [1.0, 1.0, 1.0, 0.0]  # the Shapley values are 1/6, 1/6, 2/3, 0


def test_parts_that_only_work_together_are_missed():
    estimate = found(SCREEN, subject(BOTH, 0.0), Budget(1000)).estimate
    assert estimate["decided"].tolist() == [False, False, True, False]


def test_an_unneeded_way_to_the_output_is_held_for_a_part():
    """e drives the output strongly and is never on by itself: nobody needs it."""
    areas = layout({("a", "c"): 1, ("e", "c"): 1}, "a", "c")
    assert found(SCREEN, subject(areas), Budget(1000)).estimate["decided"].tolist() == [True, True, True]


def test_on_top_of_the_stimulus_there_is_little_to_add():
    present = StimulationScreen(stimulus="present", trials_each=60)
    assert not found(present, subject(EITHER, 0.0), Budget(1000)).estimate["decided"].any()


def test_where_the_stimulus_does_not_matter_it_abstains():
    finding = found(SCREEN, subject(NOBODY), Budget(1000))
    assert "nothing that driving a unit could bring back" in finding.abstained


def test_it_spends_what_it_says_and_abstains_where_that_is_too_much():
    assert found(SCREEN, subject(PATH), Budget(123)).notes["spent"] == Budget(120, 24.0, 80, 4)
    for budget in (Budget(29), Budget(perturbations=19), Budget(interventions=3)):
        finding = found(SCREEN, subject(PATH), budget)
        assert "does not buy 5 trials of each of 4 units" in finding.abstained
        assert finding.notes["spent"].trials == 0
