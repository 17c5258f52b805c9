"""Claims on models of the brain, on made-up results: each is read in its own cells; and the plane of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from circuits.coding.unseeing_cells import UnseeingCells
from experiments import _plane
from experiments import brain_score as ranked
from experiments import prediction_and_mechanism as both
from simlab.claims import ClaimResult
from simlab.contracts import Finding
from simlab.fingerprint import label

N = 20


def first(share: float) -> np.ndarray:
    return (np.arange(N) < share * N).astype(float)


def seen(method, circuit, plan=ranked.FIVE, instrument=ranked.ALL, n: int = N, **columns: object) -> pd.DataFrame:
    """One cell of each of n subjects: a method's results on a circuit under a plan."""
    at = {
        "role": "circuit", "circuit": circuit.name, "circuit_label": label(circuit), "trials": plan.trials,
        "duration": plan.duration, "status": "ok", "method": method.name, "method_label": label(method),
        "instrument": instrument.name, "instrument_label": label(instrument), "kind": "passive",
        "question": "model_choice", "recovered": np.nan, "false_recovery": np.nan, "subject": np.arange(n),
    }  # fmt: skip
    table = pd.DataFrame(at | columns)
    which = f"{label(method)} {label(circuit)} {plan.trials} {instrument.name}"
    return table.assign(cell=[f"{which} {k}" for k in range(n)])


def said(table: pd.DataFrame, names: tuple[str, ...], **scores: Any):
    """An answer for each cell: scores by the candidates' names, numbers or one for each row; others score 0."""
    kept = {}
    for k, cell in enumerate(table["cell"]):
        told = {name: np.ravel(value)[k % np.size(value)] for name, value in scores.items()}
        kept[cell] = ({"score": np.array([told.get(name, 0.0) for name in names])}, None)
    return kept


def verdict(experiment, name: str, table: pd.DataFrame, answers: dict | None = None) -> ClaimResult:
    claim = next(claim for claim in experiment.claims if claim.name == name)
    return claim.check(table, (answers or {}).get)


SIMPLE, COMPLEX = ranked.SUBJECTS
RATES = {
    "the_best_predictor_is_not_the_right_model": (ranked.PREDICTION, (SIMPLE, COMPLEX), 0.0),
    "dimension_alone_never_finds_the_mechanism": (ranked.DIMENSION, (SIMPLE, COMPLEX), 0.0),
    "nor_does_less_noise": (ranked.PREDICTION, ranked.LOUD, 0.0),
    "a_penalty_does_not_buy_the_mechanism": (ranked.PENALISED, (SIMPLE, COMPLEX), 0.0),
}
"""The method and circuits that a claim counts right models of, and the rate at which it holds."""


@pytest.mark.parametrize("name", RATES)
def test_right_models_are_counted_of_one_method_in_five_minutes_of_all_cells(name):
    method, circuits, holds = RATES[name]
    own = [seen(method, circuit, mine=True) for circuit in circuits]
    aside = [
        seen(method, circuits[0], ranked.MINUTE, mine=False),
        seen(method, circuits[0], instrument=ranked.FEW, mine=False),
        seen(ranked.CONSISTENT, circuits[0], mine=False),
        seen(method, ranked.SHOWN_NATURE[0], mine=False),
    ]
    table = pd.concat([*own, *aside], ignore_index=True)
    for value, expected in ((holds, "holds"), (1 - holds, "fails")):
        found = verdict(ranked.BRAIN_SCORE, name, table.assign(correct=np.where(table["mine"], value, 1 - value)))
        assert (found.verdict, found.measured.value, found.measured.n) == (expected, value, 2 * N)


def test_geometry_is_three_measures_together():
    tables = [
        seen(method, SIMPLE, correct=first(share)) for method, share in zip(ranked.GEOMETRIES, (1, 1, 0), strict=True)
    ]
    found = verdict(ranked.BRAIN_SCORE, "geometry_finds_it", pd.concat(tables))
    assert found.measured.value == pytest.approx(2 / 3)
    assert found.verdict == "fails"


def test_gaps_between_candidates_are_read_from_answers_by_name():
    wiggle = np.linspace(-0.01, 0.01, N)
    table = seen(ranked.PREDICTION, SIMPLE)
    names = ranked.NAMES
    answers = said(table, names, **{ranked.SIMPLE: 0.5 + wiggle, ranked.COMPLEX: 0.3, ranked.RANDOM[1000]: 0.45})
    gap = verdict(ranked.BRAIN_SCORE, "of_the_two_kinds_the_right_one_predicts_simple_cells_better", table, answers)
    assert (gap.verdict, gap.measured.value) == ("holds", pytest.approx(0.2))
    near = verdict(ranked.BRAIN_SCORE, "a_thousand_random_features_come_close", table, answers)
    assert (near.verdict, near.measured.value) == ("holds", pytest.approx(-0.05))
    other = verdict(ranked.BRAIN_SCORE, "and_complex_cells_likewise", table, answers)
    assert other.verdict == "not measured"  # those are asked of complex cells


def test_an_order_holds_where_every_step_does_and_an_answer_of_other_candidates_is_none():
    table = seen(ranked.PREDICTION, SIMPLE, n=40)
    order = {ranked.RANDOM[n]: value for n, value in ((1000, 0.5), (300, 0.4), (30, 0.1))}
    name = "more_random_features_predict_better"
    assert verdict(ranked.BRAIN_SCORE, name, table, said(table, ranked.NAMES, **order)).verdict == "holds"
    swapped = order | {ranked.RANDOM[30]: np.where(np.arange(40) < 10, 0.45, 0.1)}
    found = verdict(ranked.BRAIN_SCORE, name, table, said(table, ranked.NAMES, **swapped))
    assert (found.verdict, found.measured.value) == ("fails", 0.75)
    assert verdict(ranked.BRAIN_SCORE, name, table, said(table, ("a", "b"))).verdict == "not measured"


def test_prediction_and_dimension_are_correlated_over_candidates_of_the_same_recording():
    tables = [seen(method, SIMPLE) for method in (ranked.PREDICTION, ranked.DIMENSION)]
    names = ranked.NAMES
    up = {name: float(k) + 0.1 * first(0.5) for k, name in enumerate(names)}
    down = {name: -value for name, value in up.items()}
    name, table = "prediction_goes_with_dimension", pd.concat(tables)
    same = said(tables[0], names, **up) | said(tables[1], names, **up)
    found = verdict(ranked.BRAIN_SCORE, name, table, same)
    assert (found.measured.value, found.measured.n) == (pytest.approx(1.0), N)
    opposite = verdict(ranked.BRAIN_SCORE, name, table, said(tables[0], names, **up) | said(tables[1], names, **down))
    assert opposite.measured.value == pytest.approx(-1.0)
    alone = verdict(ranked.BRAIN_SCORE, name, tables[0], same)
    assert alone.verdict == "not measured"


def test_leads_are_compared_in_the_same_animals():
    lead = np.linspace(-0.1, 0.1, N)
    fall = 0.05 + 0.001 * first(0.5)

    def at(plan, instrument, margin: np.ndarray) -> pd.DataFrame:
        return seen(ranked.PREDICTION, SIMPLE, plan, instrument, right_score=0.5 + margin, wrong_score=0.5)

    table = pd.concat(
        [
            at(ranked.MINUTE, ranked.ALL, lead),
            at(ranked.FIVE, ranked.ALL, lead - fall),
            at(ranked.FIVE, ranked.FEW, lead - fall + 0.001 * first(0.5)),
        ]
    )
    minutes = verdict(ranked.BRAIN_SCORE, "more_minutes_favour_the_richer_basis", table)
    assert (minutes.verdict, minutes.measured.value) == ("holds", pytest.approx(-0.0505))
    assert verdict(ranked.BRAIN_SCORE, "more_cells_do_not_help", table).verdict == "holds"


def test_frames_are_compared_by_how_far_they_tell_the_kinds_apart():
    tables = [seen(ranked.PREDICTION, circuit) for circuit in (SIMPLE, ranked.SHOWN_NATURE[0])]
    answers: dict = {}
    for table, gap in zip(tables, (0.3, 0.1), strict=True):
        answers |= said(table, ranked.NAMES, **{ranked.SIMPLE: 0.5 + 0.01 * first(0.5), ranked.COMPLEX: 0.5 - gap})
    found = verdict(ranked.BRAIN_SCORE, "it_depends_on_what_is_shown", pd.concat(tables), answers)
    assert (found.verdict, found.measured.value) == ("holds", pytest.approx(-0.2))


def test_where_nobody_is_right_claims_are_counted_in_the_rival_alone():
    unseeing = UnseeingCells(ranked.LOUD[0])
    table = pd.concat(
        [
            seen(ranked.PREDICTION, ranked.SPARSE, role="rival", false_recovery=1.0),
            seen(ranked.CONSISTENT, ranked.SPARSE, role="rival", false_recovery=first(0.9)),
            seen(ranked.CONSISTENT, unseeing, role="rival", false_recovery=0.0),
        ]
    )
    names = (
        "prediction_names_one_where_none_is_right",
        "consistency_names_none_there",
        "and_none_of_cells_that_see_nothing",
    )
    found = [verdict(ranked.BRAIN_SCORE, name, table) for name in names]
    assert [result.measured.value for result in found] == [1.0, 0.9, 0.0]
    assert [result.verdict for result in found] == ["holds", "fails", "holds"]


def test_candidates_are_six_of_which_one_is_right_for_either_kind_and_none_for_sparse_coding():
    for circuit, n_right in ((SIMPLE, 1), (COMPLEX, 1), (ranked.SPARSE, 0), (UnseeingCells(SIMPLE), 0)):
        truth = ranked.ASKED.project(xr.Dataset({"label": circuit.mechanism}), xr.DataArray())
        assert truth["right"].values.sum() == n_right
        assert len(truth["right"]) == len(ranked.NAMES) == 6
    for circuit in both.SUBJECTS:
        assert both.ASKED.project(xr.Dataset({"label": circuit.mechanism}), xr.DataArray())["right"].values.sum() == 1


def plane_cells(method, share: float, circuit=both.SUBJECTS[0], **columns: object) -> pd.DataFrame:
    return seen(method, circuit, both.TWO, correct=first(share), **columns)


def test_ways_to_choose_are_compared_on_the_same_animals():
    table = pd.concat(
        [
            plane_cells(both.PREDICTION, 0.5, right_score=0.4, wrong_score=np.linspace(0.4, 0.5, N)),
            plane_cells(both.BAYES, 1.0),
            plane_cells(both.DISPUTED, 0.75),
            plane_cells(both.ORDINARY, 0.5),
            plane_cells(both.BAYES, 0.0, both.SPARSE, role="rival", false_recovery=first(0.5)),
        ]
    )
    found = {claim.name: claim.check(table) for claim in both.PREDICTION_AND_MECHANISM.claims}
    assert found["what_recordings_look_like_tells_more"].measured.value == 0.5
    assert found["disputed_frames_help"].measured.value == 0.25
    assert found["a_wrong_model_predicts_as_well"].measured.value == pytest.approx(-0.05)
    assert found["simulated_individuals_know_when_none_is_right"].measured.value == 0.5
    held = ("what_recordings_look_like_tells_more", "disputed_frames_help", "a_wrong_model_predicts_as_well")
    assert [found[name].verdict for name in held] == ["holds"] * 3
    assert found["most_dimensions_is_one_model_for_all"].verdict == "not measured"


def test_the_plane_has_a_dot_for_each_model_of_each_kind_by_each_method():
    simple = both.SUBJECTS[0]
    right = np.array([name == "simple cells" for name in both.NAMES])
    truth = xr.Dataset({"right": ("candidate", right)})

    def line(method: Any, circuit: Any, score: list[float]) -> tuple[dict, dict, xr.Dataset]:
        told = {"circuit_label": label(circuit), "method": method.name, "method_label": label(method)}
        return told, Finding({"score": np.array(score)}).estimate, truth

    said_of = [
        line(both.PREDICTION, simple, [0.6, 0.1, 0.2, 0.5]),
        line(both.PREDICTION, simple, [0.4, 0.1, 0.2, 0.5]),
        line(both.BAYES, simple, [-9.0, -9.0, -9.0, -0.1]),
        line(both.BAYES, simple, [-1.0, -9.0, -9.0, -1.0]),
        line(both.BAYES, both.SPARSE, [0.0, 1.0, 0.0, 0.0]),  # no kind that has a model
        line(SimpleNamespace(name="baseline:oracle"), simple, [0, 0, 0, 1]),
    ]
    table = _plane.plane(SimpleNamespace(answers=lambda question: iter(said_of)))
    assert len(table) == 8
    dots = table.set_index(["method", "model"])
    assert dots.loc[(label(both.PREDICTION), "simple cells"), "predicts"] == 0.5
    assert dots.loc[(label(both.BAYES), "Gabor mixture"), "predicts"] == pytest.approx(0.5)
    assert dots.loc[(label(both.BAYES), "simple cells"), "first"] == 0.75  # a tie is shared
    assert dots.loc[(label(both.PREDICTION), "simple cells"), "first"] == 0.5
    assert dots["shares"].sum() == 2
    assert _plane.right(table).to_dict() == {label(both.BAYES): 0.75, label(both.PREDICTION): 0.5}
    figure = _plane.draw(table, columns=2)
    assert [panel.get_title().splitlines()[-1] for panel in figure.axes] == ["right in 75%", "right in 50%"]
    filled = figure.axes[0].collections[1].get_offsets()
    assert len(filled) == 1
    assert np.asarray(filled[0]) == pytest.approx(np.array([0.5, 0.75]), abs=0.03)
    assert _plane.plane(SimpleNamespace(answers=lambda question: iter(()))).empty
