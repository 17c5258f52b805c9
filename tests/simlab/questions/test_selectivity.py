"""Selectivity: who is rightly named, what is claimed where nothing is selective, and what the brief says."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import simlab
from simlab import truths
from simlab.contracts import Finding
from simlab.questions.form import check_truth
from simlab.questions.selectivity import Selectivity

QUESTION = Selectivity()
A, B, NO = "concept 000", "concept 001", "none"


def truth_of(*codes: str) -> xr.Dataset:
    number = np.where(np.array(codes) == NO, 7, 1)
    told = truths.selectivity(np.array(codes, dtype=object), np.array([A, A, B, B], dtype=object), number)
    check_truth(told, QUESTION)
    brief = QUESTION.brief((), told)
    assert brief == {"concepts": (A, B, NO), "pictures": (A, A, B, B)}
    key = xr.DataArray(np.eye(len(codes)), dims=("unit", "neuron"))
    return QUESTION.project(told, key).assign_attrs(brief=brief)


def score(truth: xr.Dataset, *codes: str) -> dict[str, float]:
    return QUESTION.score(Finding({"concept": np.array(codes, dtype=object)}), truth)


def test_the_question_keeps_its_contract():
    assert simlab.check("selectivity").ok


def test_a_unit_is_rightly_named_only_by_its_own_concept():
    truth = truth_of(A, B, NO, NO)
    assert score(truth, A, B, NO, NO)["f1"] == 1
    wrong = score(truth, A, A, NO, B)
    assert (wrong["recall"], wrong["precision"], wrong["false_positive_rate"]) == (1 / 2, 1 / 3, 1 / 2)
    assert (wrong["n_called"], wrong["n_selective"], wrong["n_unselective"]) == (3, 2, 2)
    assert wrong["concepts_of_called"] == (1 + 1 + 7) / 3
    assert QUESTION.recovered(score(truth, A, B, NO, NO))
    assert not QUESTION.recovered(wrong)


def test_where_nothing_is_selective_five_in_a_hundred_may_be_called_so():
    truth = truth_of(*[NO] * 20)
    assert not QUESTION.false_recovery(Finding({"concept": np.array([A] + [NO] * 19, dtype=object)}), truth)
    assert QUESTION.false_recovery(Finding({"concept": np.array([A, B] + [NO] * 18, dtype=object)}), truth)
    assert not QUESTION.false_recovery(Finding.abstain("no"), truth)
    assert np.isnan(score(truth, *[NO] * 20)["f1"])


def test_chance_is_what_the_random_baseline_gets():
    truth = truth_of(*[A, B, NO, NO] * 200)
    got = QUESTION.score(QUESTION.baselines()["random"](truth, None, np.random.default_rng(0)), truth)
    for name, expected in QUESTION.chance(truth).items():
        assert got[name] == pytest.approx(expected, abs=0.05)
