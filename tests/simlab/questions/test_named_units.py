"""Names of units: whose a unit's name is, and what is scored where nobody, everybody or nothing is asked about."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.questions import _named_units
from simlab.questions.selectivity import Selectivity

QUESTION = Selectivity()
A, B, NO = "concept 000", "concept 001", "none"


def told(*concepts: str, number: tuple[int, ...] | None = None) -> xr.Dataset:
    shown = np.array([A, A, B, B], dtype=object)
    return truths.selectivity(np.array(concepts, dtype=object), shown, np.array(number or [1] * len(concepts)))


def key(*rows: list[float]) -> xr.DataArray:
    return xr.DataArray(np.array(rows, dtype=float), dims=("unit", "neuron"))


def projected(truth: xr.Dataset, mixing: xr.DataArray) -> xr.Dataset:
    return QUESTION.project(truth, mixing).assign_attrs(brief=QUESTION.brief((), truth))


def test_a_unit_is_asked_about_through_the_neuron_that_gives_most_of_its_signal():
    truth = projected(told(A, B, NO, number=(1, 1, 9)), key([0.2, 0.7, 0.1], [0.1, 0.2, 0.7], [0, 0, 0], [1, 0, 0]))
    assert list(truth["concept"].values) == [B, NO, NO, A]
    assert truth["unasked"].values.tolist() == [False, False, True, False]
    assert truth["number"].values.tolist() == [1, 9, 0, 1]


def test_who_is_not_asked_about_does_not_count():
    truth = projected(told(A, B), key([1, 0], [0, 0], [0, 1]))
    for said in (NO, A, B):
        scored = QUESTION.score(Finding({"concept": np.array([A, said, B], dtype=object)}), truth)
        assert (scored["f1"], scored["n_called"], scored["called"]) == (1, 2, 1)
    assert QUESTION.chance(truth)["called"] == pytest.approx(2 / 3)


def test_a_key_over_other_neurons_is_refused():
    with pytest.raises(SimlabError, match="neuron"):
        QUESTION.project(told(A, B), key([1, 0, 0]))


@pytest.mark.parametrize(
    ("said", "true", "f1", "recall", "precision", "false", "called"),
    [
        ((A, B), (A, B), 1, 1, 1, None, 1),
        ((B, A), (A, B), 0, 0, 0, None, 1),
        ((NO, NO), (A, B), 0, 0, None, None, 0),
        ((A, NO), (NO, NO), None, None, 0, 0.5, 0.5),
        ((NO, NO), (NO, NO), None, None, None, 0, 0),
        ((A, A, A, NO), (A, B, NO, NO), 2 / 5, 1 / 2, 1 / 3, 1 / 2, 3 / 4),
        ((), (), None, None, None, None, None),
    ],
)
def test_scores_by_hand(said, true, f1, recall, precision, false, called):
    found, right = _named_units.scores(np.array(said, dtype=object), np.array(true, dtype=object))
    expected = (f1, recall, precision, false, called)
    for name, value in zip(("f1", "recall", "precision", "false_positive_rate", "called"), expected, strict=True):
        assert found[name] == pytest.approx(np.nan if value is None else value, nan_ok=True), name
    assert right.tolist() == [s == t != NO for s, t in zip(said, true, strict=True)]


@pytest.mark.parametrize("n_labels", [2, 3, 21])
@pytest.mark.parametrize("coding", [0, 1, 7, 10])
def test_chance_is_the_mean_over_all_labels(n_labels, coding):
    labels = [f"label {k}" for k in range(n_labels - 1)] + [NO]
    true = np.array([labels[0]] * coding + [NO] * (10 - coding), dtype=object)
    each = [_named_units.scores(np.array([label] * 10, dtype=object), true)[0] for label in labels]
    expected = _named_units.expected(true, n_labels)
    assert expected["called"] == pytest.approx(np.mean([scored["called"] for scored in each]))
    if coding:
        assert expected["recall"] == pytest.approx(np.mean([scored["recall"] for scored in each]))
        right = np.mean([scored["recall"] * coding for scored in each])
        called = np.mean([scored["called"] * 10 for scored in each])
        assert expected["f1"] == pytest.approx(2 * right / (called + coding))
    else:
        assert np.isnan(expected["f1"])
    if coding < 10:
        false = np.mean([scored["false_positive_rate"] for scored in each])
        assert expected["false_positive_rate"] == pytest.approx(false)


def test_labels_are_drawn_evenly_from_the_brief():
    truth = projected(told(*[A, B, NO] * 150), key(*np.eye(450).tolist()))
    drawn = _named_units.drawn(truth, "concepts", np.random.default_rng(0))
    names, count = np.unique(drawn.astype(str), return_counts=True)
    assert list(names) == [A, B, NO]
    assert count / 450 == pytest.approx([1 / 3] * 3, abs=0.07)


@pytest.mark.parametrize(("least", "f1", "recovered"), [(0.9, 0.9, True), (0.9, 0.89, False), (0.5, 0.5, True)])
def test_recovery_is_at_the_criterion_or_above(least, f1, recovered):
    assert Selectivity(least_f1=least).recovered({"f1": f1}) == recovered
    assert not Selectivity(least_f1=least).recovered({"f1": float("nan")})


def test_an_abstention_has_no_metric_and_is_no_false_recovery():
    truth = projected(told(NO, NO), key([1, 0], [0, 1]))
    scored = QUESTION.score(Finding.abstain("too few"), truth)
    assert set(scored) == set(QUESTION.metrics)
    assert np.isnan(list(scored.values())).all()
    assert not QUESTION.false_recovery(Finding.abstain("too few"), truth)


@pytest.mark.parametrize("field", ["least_f1", "most_false"])
@pytest.mark.parametrize("value", [-0.1, 1.1, "half"])
def test_criteria_are_shares(field, value):
    with pytest.raises(SimlabError, match=field):
        Selectivity(**{field: value})


def test_the_oracle_gets_everything_right():
    truth = projected(told(A, B, NO, A), key(*np.eye(4).tolist()))
    finding = QUESTION.baselines()["oracle"](truth, None, np.random.default_rng(0))
    assert QUESTION.recovered(QUESTION.score(finding, truth))
