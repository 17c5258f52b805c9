"""The screen: right where units work in series, blind where they replace one another."""

from __future__ import annotations

import numpy as np
import pytest
from parts_rigs import BOTH, EITHER, NOBODY, PATH, found, subject

from methods.intervention.shapley_exact import ShapleyExact
from methods.intervention.silencing_screen import SilencingScreen
from simlab.contracts import Budget

SCREEN = SilencingScreen(trials_each=200)


@pytest.mark.parametrize("areas", [PATH, BOTH], ids=["a path", "a and b"])
def test_what_works_in_series_is_found_and_what_only_follows_is_not(areas):
    finding = found(SCREEN, subject(areas), Budget(1000))
    assert finding.estimate["decided"].tolist() == [True, True, True, False]
    # 0.9^3 is lost; of 200 trials each the difference has a standard error of 0.03 at most: four of them
    assert finding.estimate["importance"] == pytest.approx([0.729, 0.729, 0.729, 0.0], abs=0.13)


def test_two_that_do_the_same_are_missed_though_their_shapley_values_are_a_sixth():
    finding = found(SCREEN, subject(EITHER, lapse=0.0), Budget(1000))
    assert finding.estimate["decided"].tolist() == [False, False, True, False]
    assert finding.estimate["importance"].tolist() == [0.0, 0.0, 1.0, 0.0]


def test_where_nothing_matters_nothing_is_decided():
    assert not found(SCREEN, subject(NOBODY)).estimate["decided"].any()


def test_a_bystander_is_rarely_decided():
    screen = SilencingScreen(trials_each=50)
    called = [found(screen, subject(BOTH), Budget(250), seed).estimate["decided"][3] for seed in range(10)]
    assert sum(called) <= 3  # Binomial(10, 0.05): more than 3 has a chance of 0.001


def test_it_spends_what_it_says_and_abstains_where_that_is_too_much():
    assert found(SCREEN, subject(PATH), Budget(123)).notes["spent"] == Budget(120, 24.0, 96, 4)
    for budget in (Budget(24), Budget(perturbations=19), Budget(interventions=3)):
        finding = found(SCREEN, subject(PATH), budget)
        assert "does not buy 5 trials of each of 4 units" in finding.abstained
        assert finding.notes["spent"].trials == 0


def test_the_order_of_trials_is_balanced_over_conditions_by_chance_alone():
    """The same numbers come of the same stream: nothing is drawn elsewhere."""
    first, second = (found(SCREEN, subject(PATH), Budget(300)).estimate["importance"] for _ in range(2))
    assert np.array_equal(first, second)


def test_whole_areas_are_silenced_together_and_their_units_share_alike():
    """a and b, either of which is enough, lie in one region: together they cost all, by themselves nothing."""
    animal, regions = subject(EITHER, lapse=0.0), (5, 5, 2, 0)
    screen = found(SilencingScreen(trials_each=40, whole_areas=True), animal, Budget(1000), regions=regions)
    assert screen.estimate["importance"].tolist() == [0.5, 0.5, 1.0, 0.0]
    assert screen.estimate["decided"].tolist() == [True, True, True, False]
    assert screen.notes["spent"].interventions == 3
    shapley = found(ShapleyExact(trials_each=40, whole_areas=True), animal, Budget(1000), regions=regions)
    assert shapley.estimate["importance"] == pytest.approx([0.25, 0.25, 0.5, 0.0])
    assert shapley.notes["spent"].interventions == 7
    alone = found(SilencingScreen(trials_each=40, whole_areas=True), animal, Budget(1000))
    assert alone.estimate["importance"].tolist() == [0.0, 0.0, 1.0, 0.0]  # nobody knows regions
