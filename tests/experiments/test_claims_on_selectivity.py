"""Claims on famous neurons and on feature visualisation: bands by theory, and made-up results on either side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from circuits.coding.unseeing_cells import UnseeingCells
from experiments import famous_neurons as famous
from experiments import feature_visualisation as visualised
from experiments.famous_neurons import FAMOUS_NEURONS, FIVE, HELD, LAYERED, MIXTURE, PICTURES, SCREENINGS, SPARSE
from experiments.feature_visualisation import FEATURE_VISUALISATION, SHORT, TEN, THREE
from methods.coding.response_mixture import ResponseMixture
from simlab.claims import ClaimResult
from simlab.fingerprint import label

N = 8
A = famous.SPARSENESS


def cells(method: Any, circuit: Any, trials: int, **columns: object) -> pd.DataFrame:
    """One cell of each of a few subjects."""
    fixed = {
        "method": method.name, "method_label": label(method), "circuit": circuit.name, "circuit_label": label(circuit),
        "trials": trials, "duration": 2.0, "status": "ok", "role": "circuit", "instrument": "perfect",
        "instrument_label": "perfect", "question": method.question, "recovered": np.nan, "false_recovery": np.nan,
        "subject": np.arange(N),
    }  # fmt: skip
    return pd.DataFrame(fixed | columns)


def seen(method: Any, circuit: Any, rival: Any = None, **columns: object) -> pd.DataFrame:
    """Cells of a screening, or of its rival."""
    which = circuit if rival is None else rival.imitating(circuit)
    return cells(method, which, famous.six_times(circuit.shown).trials, **columns)


def result(experiment: Any, name: str, *tables: pd.DataFrame) -> ClaimResult:
    return next(claim for claim in experiment.claims if claim.name == name).check(pd.concat(tables))


def band(name: str) -> tuple[float, float]:
    return next(claim.band for claim in FAMOUS_NEURONS.claims if claim.name == name)


def singles(n_concepts: int, a: float = A) -> float:
    """The share of cells that respond to exactly one of the concepts."""
    return float(binom.pmf(1, n_concepts, a))


BY_THEORY = {
    "one_in_three_looks_famous_where_none_is": singles(94),
    "the_more_is_shown_the_more_are_called": singles(94) - singles(14),
    "beyond_it_ceases_to_matter": singles(185) - singles(94),
    "a_cell_of_one_concept_is_one_of_fifty": 1 + (10_000 - 94) * A,
    "whoever_screens_enough_cells_finds_one": 1 - (1 - singles(14)) ** 100,
    "ten_cells_are_half_enough": 1 - (1 - singles(14)) ** 10,
    "a_picture_is_not_a_concept": singles(84) + 14 * (binom.sf(1, 6, A) * (1 - A) ** 78),
}


@pytest.mark.parametrize("name", BY_THEORY)
def test_the_band_holds_what_the_binomial_says(name):
    low, high = band(name)
    assert low < BY_THEORY[name] < high
    assert high - low < 0.5 * BY_THEORY[name] or name in ("ten_cells_are_half_enough", "beyond_it_ceases_to_matter")


def test_most_cells_of_one_concept_are_seen_where_one_over_a_are_shown():
    shares = {n: singles(n) for n in range(1, 600)}
    assert abs(max(shares, key=shares.get) - 1 / A) < 1
    assert famous.NUMBERS[-1] == round(1 / A)


@pytest.mark.parametrize("n_concepts", famous.NUMBERS)
def test_rivals_are_as_sparse_as_published_whatever_is_shown(n_concepts):
    circuit = SCREENINGS[n_concepts]
    assert SPARSE.imitating(circuit).sparseness == pytest.approx(A)
    assert circuit.familiar == pytest.approx(A * n_concepts)
    assert circuit.shown.pictures == 1
    assert famous.six_times(circuit.shown).trials == 6 * n_concepts


SINGLE = {
    "one_in_three_looks_famous_where_none_is": (FIVE, SCREENINGS[94], SPARSE, "called", 0.3, 0.5),
    "a_cell_of_one_concept_is_one_of_fifty": (FIVE, SCREENINGS[94], SPARSE, "concepts_of_called", 55.0, 200.0),
    "concept_cells_are_called_so_too": (FIVE, SCREENINGS[94], None, "f1", 0.95, 0.8),
    "who_counts_cells_of_two_concepts_can_tell": (MIXTURE, SCREENINGS[94], None, "f1", 0.95, 0.8),
    "with_few_concepts_it_cannot_tell": (MIXTURE, SCREENINGS[14], None, "recall", 0.2, 0.6),
    "a_picture_is_not_a_concept": (famous.ANY, famous.TESTING, PICTURES, "called", 0.3, 0.1),
    "other_pictures_tell": (HELD, famous.TESTING, PICTURES, "called", 0.02, 0.06),
    "parts_pass_for_concepts": (FIVE, LAYERED, None, "precision", 0.85, 0.97),
}


@pytest.mark.parametrize("name", SINGLE)
def test_a_figure_of_famous_neurons_is_of_its_own_cells(name):
    method, circuit, rival, column, inside, outside = SINGLE[name]
    assert result(FAMOUS_NEURONS, name, seen(method, circuit, rival, **{column: inside})).verdict == "holds"
    others = (
        seen(method, circuit, rival, **{column: inside}, instrument="subsample"),
        seen(method, circuit, None if rival else SPARSE, **{column: inside}),
        seen(ResponseMixture(level=0.01), circuit, rival, **{column: inside}),
    )
    assert result(FAMOUS_NEURONS, name, *others).verdict == "not measured"
    failed = result(FAMOUS_NEURONS, name, *others, seen(method, circuit, rival, **{column: outside}))
    assert (failed.measured.value, failed.verdict) == (pytest.approx(outside), "fails")


LESS = {
    "the_more_is_shown_the_more_are_called": ((FIVE, SCREENINGS[94]), (FIVE, SCREENINGS[14]), 0.31, 0.07, 0.25),
    "beyond_it_ceases_to_matter": ((FIVE, SCREENINGS[185]), (FIVE, SCREENINGS[94]), 0.37, 0.31, 0.1),
    "other_pictures_do_not_tell_a_sparse_code": ((HELD, famous.TESTING), (FIVE, famous.TESTING), 0.07, 0.08, 0.2),
    "a_large_area_does_not_exclude_a_second_concept": ((famous.ROC, LAYERED), (FIVE, LAYERED), 0.5, 0.3, 0.45),
}


@pytest.mark.parametrize("name", LESS)
def test_one_share_less_another(name):
    first, second, more, less, too_much = LESS[name]
    fixed = seen(*first, SPARSE, called=more)
    held = result(FAMOUS_NEURONS, name, fixed, seen(*second, SPARSE, called=less))
    assert (held.measured.value, held.verdict) == (pytest.approx(more - less), "holds")
    assert result(FAMOUS_NEURONS, name, fixed, seen(*second, SPARSE, called=too_much)).verdict == "fails"
    assert result(FAMOUS_NEURONS, name, fixed).verdict == "not measured"


def test_ten_cells_are_counted_apart_from_a_hundred():
    half = np.arange(N) % 2
    ten = seen(FIVE, SCREENINGS[14], SPARSE, n_called=1.0 * half, instrument="subsample")
    hundred = seen(FIVE, SCREENINGS[14], SPARSE, n_called=np.full(N, 7.0))
    assert result(FAMOUS_NEURONS, "ten_cells_are_half_enough", ten, hundred).measured.value == 0.5
    assert result(FAMOUS_NEURONS, "whoever_screens_enough_cells_finds_one", ten, hundred).measured.value == 1
    failed = hundred.assign(status="failed", n_called=np.nan)
    assert result(FAMOUS_NEURONS, "whoever_screens_enough_cells_finds_one", failed).verdict == "not measured"


def test_the_level_of_the_mixture_is_of_all_screenings_and_of_no_other_method():
    name, few = "and_keeps_to_the_level", np.arange(N) < 1
    tables = [seen(MIXTURE, c, SPARSE, role="rival", false_recovery=0.0 + few) for c in SCREENINGS.values()]
    other = seen(FIVE, SCREENINGS[94], SPARSE, role="rival", false_recovery=1.0)
    layered = seen(MIXTURE, LAYERED, SPARSE, role="rival", false_recovery=1.0)
    found = result(FAMOUS_NEURONS, name, *tables, other, layered)
    assert found.measured.value == pytest.approx(1 / N)
    assert found.measured.n == N * len(SCREENINGS)
    assert result(FAMOUS_NEURONS, name, tables[0].assign(false_recovery=1.0)).verdict == "fails"


EVOLVED, LINEAR, NETWORK, CHECKED = visualised.EVOLVED, visualised.LINEAR, visualised.NETWORK, visualised.CHECKED
SIMPLE, COMPLEX = visualised.SIMPLE, visualised.COMPLEX
UNSEEING = UnseeingCells().imitating(SIMPLE)
FRAMES = {
    "breeding_finds_simple_cells": (EVOLVED, SIMPLE, TEN, "overlap", 0.9, 0.7),
    "breeding_finds_complex_cells_where_the_average_is_blind": (EVOLVED, COMPLEX, TEN, "misleading", 0.05, 0.2),
    "it_does_not_matter_what_the_task_shows": (EVOLVED, visualised.NATURAL, TEN, "overlap", 0.9, 0.7),
    "the_wrong_proxy_misleads": (LINEAR, COMPLEX, TEN, "misleading", 0.9, 0.7),
    "a_flexible_proxy_finds_complex_cells_in_ten_minutes": (NETWORK, COMPLEX, TEN, "misleading", 0.2, 0.3),
    "and_misleads_in_one": (NETWORK, COMPLEX, SHORT, "misleading", 0.6, 0.4),
    "showing_it_to_the_cell_tells": (CHECKED, UNSEEING, THREE, "false_positive_rate", 0.1, 0.3),
    "breeding_finds_nothing_in_them": (EVOLVED, UNSEEING, THREE, "false_positive_rate", 0.1, 0.3),
    "a_proxy_has_a_picture_for_cells_that_see_nothing": (NETWORK, UNSEEING, THREE, "false_positive_rate", 1.0, 0.99),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_figure_of_feature_visualisation_is_of_its_own_cells_and_budget(name):
    method, circuit, plan, column, inside, outside = FRAMES[name]
    assert (
        result(FEATURE_VISUALISATION, name, cells(method, circuit, plan.trials, **{column: inside})).verdict == "holds"
    )
    other_plan = cells(method, circuit, plan.trials + 1, **{column: inside})
    other_cells = cells(method, SIMPLE if circuit is not SIMPLE else COMPLEX, plan.trials, **{column: inside})
    assert result(FEATURE_VISUALISATION, name, other_plan, other_cells).verdict == "not measured"
    wrong = cells(method, circuit, plan.trials, **{column: outside})
    assert result(FEATURE_VISUALISATION, name, wrong, other_plan, other_cells).verdict == "fails"


@pytest.mark.parametrize(("one", "ten", "said"), [(0.6, 0.9, "holds"), (0.9, 0.9, "fails"), (0.9, 0.6, "fails")])
def test_more_trials_help_by_the_difference_of_the_means(one, ten, said):
    tables = [cells(EVOLVED, SIMPLE, plan.trials, overlap=x) for plan, x in ((SHORT, one), (TEN, ten))]
    found = result(FEATURE_VISUALISATION, "breeding_needs_trials", *tables)
    assert (found.measured.value, found.verdict) == (pytest.approx(ten - one), said)


def test_the_cheaper_proxy_is_compared_on_the_same_cells():
    spread = np.linspace(0.3, 0.9, N)
    evolved = cells(EVOLVED, SIMPLE, THREE.trials, overlap=spread)
    better = cells(LINEAR, SIMPLE, THREE.trials, overlap=spread + 0.05)
    found = result(FEATURE_VISUALISATION, "the_right_proxy_is_cheaper", evolved, better)
    assert (found.measured.value, found.verdict) == (pytest.approx(0.05), "holds")  # though their ranges overlap
    worse = better.assign(overlap=spread - 0.05)
    assert result(FEATURE_VISUALISATION, "the_right_proxy_is_cheaper", evolved, worse).verdict == "fails"


@pytest.mark.parametrize("experiment", [FAMOUS_NEURONS, FEATURE_VISUALISATION], ids=lambda e: e.name)
def test_every_claim_is_tested_here_or_is_the_oracle(experiment):
    more = ("oracle_recovers", "and_keeps_to_the_level", "breeding_needs_trials", "the_right_proxy_is_cheaper")
    tested = {*BY_THEORY, *SINGLE, *LESS, *FRAMES, *more}
    assert {claim.name for claim in experiment.claims} <= tested
