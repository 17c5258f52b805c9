"""Tuning: who is rightly named, what is claimed of units that code nothing, and preferred values."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import simlab
from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.questions.form import check_truth
from simlab.questions.tuning import Tuning

QUESTION = Tuning()
NAMES = ("left value", "right value")


def truth_of(*codes: str, preferred=None) -> xr.Dataset:
    told = truths.tuning(np.array(codes, dtype=object), NAMES, preferred)
    check_truth(told, QUESTION)
    key = xr.DataArray(np.eye(len(codes)), dims=("unit", "neuron"))
    brief = QUESTION.brief((), told)
    assert brief == {"variables": ("left value", "right value", "none")}
    return QUESTION.project(told, key).assign_attrs(brief=brief)


def finding(*codes: str, **more) -> Finding:
    return Finding({"variable": np.array(codes, dtype=object)} | more)


L, R, NO = *NAMES, "none"


def test_the_question_keeps_its_contract():
    assert simlab.check("tuning").ok


def test_a_unit_is_rightly_named_only_by_its_own_variable():
    truth = truth_of(L, L, R, R, NO, NO)
    scores = QUESTION.score(finding(L, R, R, NO, L, NO), truth)
    expected = {"recall": 2 / 4, "precision": 2 / 4, "f1": 4 / 8, "false_positive_rate": 1 / 2, "called": 4 / 6}
    assert {name: scores[name] for name in expected} == pytest.approx(expected)
    assert QUESTION.false_recovery(finding(L, R, R, NO, L, NO), truth)
    assert not QUESTION.false_recovery(finding(R, R, R, NO, NO, NO), truth)  # wrong, and nothing of the untuned
    assert QUESTION.recovered(QUESTION.score(finding(L, L, R, R, NO, NO), truth))
    assert np.isnan(list(QUESTION.score(Finding.abstain("no behaviour"), truth).values())).all()


def test_preferred_values_count_where_neurons_have_them():
    truth = truth_of(L, L, R, NO, preferred=np.array([1.0, 2.0, 3.0, np.nan]))
    right = QUESTION.score(finding(L, L, R, NO, preferred=np.array([1.05, 2.3, 2.95, 9.0])), truth)
    assert right["preferred_within"] == pytest.approx(2 / 3)
    assert right["preferred_error"] == pytest.approx(0.05)
    assert not QUESTION.recovered(right)
    assert QUESTION.score(finding(L, L, R, NO), truth)["preferred_within"] == 0


def test_what_is_untuned_everywhere_has_no_f1_and_can_only_be_claimed_falsely():
    truth = truth_of(NO, NO, NO, NO, NO)
    assert np.isnan(QUESTION.score(finding(NO, NO, NO, NO, L), truth)["f1"])
    assert not QUESTION.false_recovery(finding(NO, NO, NO, NO, L), truth)  # a fifth: twice what two tests at .05 give
    assert QUESTION.false_recovery(finding(NO, NO, NO, R, L), truth)


def test_chance_is_what_labels_drawn_evenly_get():
    truth, rng = truth_of(L, L, R, NO), np.random.default_rng(0)
    drawn = [QUESTION.score(QUESTION.baselines()["random"](truth, truth, rng), truth) for _ in range(3000)]
    expected = QUESTION.chance(truth)
    for name in ("recall", "called", "false_positive_rate"):
        assert np.mean([d[name] for d in drawn]) == pytest.approx(expected[name], abs=0.03)
    assert np.mean([d["f1"] for d in drawn]) == pytest.approx(expected["f1"], abs=0.05)


def test_a_key_of_other_neurons_is_refused():
    told = truths.tuning(np.array([L, R], dtype=object), NAMES)
    with pytest.raises(SimlabError, match="the key's 3 neurons must be the truth's, who are 2"):
        QUESTION.project(told, xr.DataArray(np.eye(3), dims=("unit", "neuron")))
