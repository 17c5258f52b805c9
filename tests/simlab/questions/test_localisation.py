"""Which area does what: functions and areas count alike, and what is falsely called specific."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.questions.form import check_truth
from simlab.questions.localisation import Localisation

QUESTION = Localisation()
TRUE = ["behaviour 0", "generic", "generic", "generic", "none"]
AREA = [0, 1, 1, 1, 2]


def truth_of(key: np.ndarray | None = None) -> xr.Dataset:
    told = truths.per_neuron(function=np.array(TRUE, dtype=object), area=np.array(AREA)).assign(n_behaviours=2)
    check_truth(told, QUESTION)
    projected = QUESTION.project(told, xr.DataArray(np.eye(5) if key is None else key, dims=("unit", "neuron")))
    return projected.assign_attrs(brief=QUESTION.brief((), told))


def scored(*labels: str) -> dict[str, float]:
    return QUESTION.score(Finding({"function": np.array(labels, dtype=object)}), truth_of())


def test_areas_count_alike_whatever_their_size() -> None:
    metrics = scored("behaviour 0", "generic", "generic", "none", "none")
    assert metrics["region_accuracy"] == pytest.approx((1 + 2 / 3 + 1) / 3)
    assert metrics["accuracy"] == pytest.approx(0.8)
    assert metrics["found_needed"] == pytest.approx(0.75)
    assert QUESTION.recovered(scored(*TRUE))
    assert not QUESTION.recovered(metrics)


def test_where_most_areas_are_generic_calling_all_of_them_so_is_right_of_one_function() -> None:
    true = np.array(["behaviour 0", "none", *["generic"] * 8], dtype=object)
    told = truths.per_neuron(function=true, area=np.arange(10)).assign(n_behaviours=2)
    truth = QUESTION.project(told, xr.DataArray(np.eye(10), dims=("unit", "neuron")))
    truth = truth.assign_attrs(brief=QUESTION.brief((), told))
    metrics = QUESTION.score(Finding({"function": np.full(10, "generic", dtype=object)}), truth)
    assert (metrics["region_accuracy"], metrics[QUESTION.headline]) == pytest.approx((0.8, 1 / 3))


def test_an_area_that_others_need_too_is_falsely_called_specific() -> None:
    metrics = scored("behaviour 1", "behaviour 0", "behaviour 0", "generic", "none")
    assert metrics["false_specific"] == 1.0
    assert metrics["generic_called_specific"] == pytest.approx(2 / 3)
    wrong = Finding({"function": np.array(["behaviour 1", *TRUE[1:]], dtype=object)})
    assert QUESTION.false_recovery(wrong, truth_of())
    assert not QUESTION.false_recovery(Finding({"function": np.array(["none"] * 5, dtype=object)}), truth_of())


def test_units_without_a_neuron_are_not_asked_about_and_mixed_ones_are_what_dominates() -> None:
    key = np.array([[0.0, 0, 0, 0, 0], [0.2, 0.7, 0, 0, 0]])
    truth = truth_of(key)
    assert truth["ambiguous"].values.tolist() == [True, False]
    assert truth["function"].values[1] == "generic"
    assert truth["area"].values[1] == 1
    nothing = QUESTION.score(Finding({"function": np.array(["none"], dtype=object)}), truth_of(key[:1]))
    assert math.isnan(nothing["region_accuracy"])
    assert not QUESTION.recovered(nothing)


def test_labels_that_cannot_be_named_are_refused() -> None:
    with pytest.raises(SimlabError, match="function must be one of behaviour 0, behaviour 1, generic, none"):
        scored("adder", *TRUE[1:])
    told = truths.per_neuron(function=np.array(["adder"], dtype=object)).assign(n_behaviours=2)
    with pytest.raises(SimlabError, match="true function must be one of"):
        QUESTION.project(told, xr.DataArray(np.eye(1), dims=("unit", "neuron")))
