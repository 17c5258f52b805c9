"""Pruning: one of the minimal circuits, whichever the order of going leaves."""

from __future__ import annotations

import numpy as np
import pytest
from parts_rigs import BOTH, EITHER, PATH, found, scores, subject

from circuits.causal.elsewhere import Elsewhere
from methods.intervention.pruning import Pruning
from simlab.contracts import Budget


@pytest.mark.parametrize("areas", [PATH, BOTH], ids=["a path", "a and b"])
def test_what_works_in_series_is_the_circuit(areas):
    finding = found(Pruning(), subject(areas), Budget(2000))
    assert finding.estimate["members"].tolist() == [True, True, True, False]
    assert finding.notes["spent"].interventions == 5


def test_of_two_that_do_the_same_one_stays_and_which_is_chance():
    findings = [found(Pruning(), subject(EITHER), Budget(1000), seed) for seed in range(5)]
    assert [scores(f, subject(EITHER), "circuit")["exact"] for f in findings] == [1.0] * 5
    assert len({tuple(f.estimate["members"].tolist()) for f in findings}) == 2  # by chance one alone: 2^-4


def test_with_few_trials_noise_decides():
    """At 6 trials each, the bar of 0.65 and a circuit's 0.73 are less than half a standard error apart."""
    findings = [found(Pruning(), subject(BOTH), Budget(42), seed) for seed in range(6)]
    assert 0 < sum(scores(f, subject(BOTH), "circuit")["exact"] for f in findings) < 6


def test_too_small_a_budget_is_an_abstention_that_spends_nothing():
    finding = found(Pruning(), subject(PATH), Budget(29))
    assert "does not buy 5 trials of each of 5 interventions" in finding.abstained
    assert finding.notes["spent"] == Budget(0, 0.0, 0, 0)


def test_where_silencing_everything_costs_nothing_nobody_is_needed():
    """At a level of .05 one animal of twenty gets an answer all the same: of twelve, three are beyond chance."""
    animal = Elsewhere().subject(np.random.default_rng(0))
    findings = [found(Pruning(), animal, Budget(1000), seed) for seed in range(12)]
    assert sum(f.estimate["members"].any() for f in findings) <= 3
