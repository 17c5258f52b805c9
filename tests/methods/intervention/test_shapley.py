"""Multi-perturbation analysis: exact weights, unbiased samples, intervals that cover, and budgets."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from parts_rigs import BOTH, EITHER, NOBODY, PATH, found, layout, projected, scores, subject

from methods.intervention._shapley import all_sets, one_order, one_round
from methods.intervention.shapley_exact import ShapleyExact
from methods.intervention.shapley_sampling import ShapleySampling
from simlab.coalitions import members, number_of, shapley
from simlab.contracts import Budget

METHODS = (ShapleyExact(), ShapleySampling(), ShapleySampling(by="sets"))
IDS = ("exact", "orders", "sets")


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_weights_of_all_sets_are_shapleys(n):
    values = np.random.default_rng(n).normal(size=2**n)
    design = all_sets(n)
    assert np.array_equal(design.intact, members(n))
    assert design.weights @ values == pytest.approx(shapley(values))
    if n == 5:  # by another route: what each adds, over all orders
        added = np.zeros(n)
        for order in permutations(range(n)):
            sums = [number_of(np.isin(np.arange(n), order[:k])) for k in range(n + 1)]
            added[list(order)] += np.diff(values[sums]) / 120
        assert design.weights @ values == pytest.approx(added)


@pytest.mark.parametrize("drawn", [one_order, one_round])
def test_samples_are_unbiased_and_add_up(drawn):
    n, rng = 4, np.random.default_rng(0)
    values = rng.normal(size=2**n)
    estimates = []
    for _ in range(800):
        design = drawn(n, rng)
        estimates.append(design.weights @ [values[number_of(row)] for row in design.intact])
    estimates = np.array(estimates)
    error = estimates.std(axis=0) / np.sqrt(800)
    assert (np.abs(estimates.mean(axis=0) - shapley(values)) < 4 * error).all()
    assert estimates.sum(axis=1) == pytest.approx(values[-1] - values[0])


@pytest.mark.parametrize("method", METHODS, ids=IDS)
@pytest.mark.parametrize("areas", [EITHER, BOTH, PATH], ids=["a or b", "a and b", "a path"])
def test_importances_are_right_whatever_the_circuit(method, areas):
    finding = found(method, subject(areas), Budget(2000))
    wrong = finding.estimate["importance"] - projected(subject(areas), "necessity")["importance"].values
    assert (np.abs(wrong) < 4 * finding.notes["standard_error"]).all()
    assert scores(finding, subject(areas), "necessity")["exact"] == 1


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_where_nothing_matters_nothing_is_decided(method):
    assert not found(method, subject(NOBODY), Budget(400)).estimate["decided"].any()


@pytest.mark.parametrize("by", ["orders", "sets"])
def test_intervals_cover_the_truth(by):
    true = projected(subject(EITHER), "necessity")["importance"].values
    covered = []
    for seed in range(7):
        low, high = found(ShapleySampling(by=by), subject(EITHER), Budget(200), seed).notes["interval"]
        covered.append((low <= true) & (true <= high))
    # 28 intervals at 95%, of four units that share their trials: 20 of 28 allows for dependence and skew
    assert np.sum(covered) >= 20


def test_few_interventions_are_used_again_and_again():
    finding = found(ShapleySampling(fewest_samples=2), subject(PATH), Budget(1000, interventions=9))
    assert finding.notes["spent"].interventions <= 9
    assert finding.notes["repeats"] > 5
    assert finding.notes["spent"].trials > 900


def test_what_does_not_suffice_is_an_abstention_that_spends_nothing():
    many = layout({("a", "b"): 1}, "acdefghijklmnopq", "b")
    for method, areas, budget, reason in (
        (ShapleyExact(), PATH, Budget(47), "does not buy 3 trials of each of 15 sets"),
        (ShapleyExact(), PATH, Budget(interventions=14), "does not buy"),
        (ShapleyExact(), many, Budget(), "all sets of 17 units are too many"),
        (ShapleySampling(), PATH, Budget(39), "does not buy 8 samples of 4 units by orders"),
        (ShapleySampling(by="sets"), PATH, Budget(159), "by sets"),
    ):
        finding = found(method, subject(areas), budget)
        assert reason in finding.abstained
        assert finding.notes["spent"] == Budget(0, 0.0, 0, 0)
