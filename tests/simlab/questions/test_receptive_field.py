"""Receptive fields: overlaps of one and of two filters, filters that are not there, and units that have none."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import simlab
from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.questions.form import check_truth
from simlab.questions.receptive_field import ReceptiveField

QUESTION = ReceptiveField()
E0, E1, E2, NO = *np.eye(4)[:3], np.zeros(4)


def truth_of(*pairs) -> xr.Dataset:
    first, second = (np.stack(part) for part in zip(*pairs, strict=True))
    told = truths.filters(first, second)
    check_truth(told, QUESTION)
    return QUESTION.project(told, xr.DataArray(np.eye(len(first)), dims=("unit", "neuron")))


def scored(truth: xr.Dataset, *pairs) -> dict[str, float]:
    first, second = (np.stack(part) for part in zip(*pairs, strict=True))
    return QUESTION.score(Finding({"filter": first, "second_filter": second}), truth)


def test_the_question_keeps_its_contract():
    assert simlab.check("receptive_field").ok


@pytest.mark.parametrize(
    ("true", "said", "overlap"),
    [
        ((E0, NO), (3 * E0, NO), 1.0),
        ((E0, NO), (-E0, NO), -1.0),  # a simple cell's sign is part of its filter
        ((E0, NO), (E0 + E1, NO), np.sqrt(0.5)),
        ((E0, NO), (E0, E1), np.sqrt(0.5)),  # one too many
        ((E0, E1), (E0 - E1, E0 + E1), 1.0),  # any two that span the plane
        ((E0, E1), (-E1, NO), np.sqrt(0.5)),
        ((E0, E1), (E0, E2), np.sqrt(0.5)),
        ((E0, E1), (NO, NO), 0.0),
    ],
)
def test_overlap_is_of_subspaces(true, said, overlap):
    assert scored(truth_of(true), said)["overlap"] == pytest.approx(overlap)


def test_units_without_a_filter_count_apart():
    truth = truth_of((E0, NO), (E0, E1), (NO, NO), (NO, NO))
    scores = scored(truth, (E0, NO), (E0, E1), (E2, NO), (NO, NO))
    expected = {"overlap": 1.0, "found": 1.0, "false_positive_rate": 0.5, "second_found": 1.0, "second_false": 0.0}
    assert {name: scores[name] for name in expected} == pytest.approx(expected)
    assert QUESTION.recovered(scores)
    given = Finding({"filter": np.stack([E0, E0, E2, NO])})
    assert QUESTION.false_recovery(given, truth)
    assert not QUESTION.false_recovery(Finding({"filter": np.stack([E1, E1, NO, NO])}), truth)
    assert not QUESTION.false_recovery(Finding.abstain("no frames"), truth)


def test_a_key_of_other_neurons_is_refused():
    with pytest.raises(SimlabError, match="the key's 3 neurons must be the truth's, who are 1"):
        QUESTION.project(truths.filters(E0[None]), xr.DataArray(np.eye(3), dims=("unit", "neuron")))
