"""One regime of a fixed list: right, wrong or abstained."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.questions.dynamics import REGIMES, Dynamics
from simlab.questions.form import check_truth

QUESTION = Dynamics()


def truth_of(label: str) -> xr.Dataset:
    told = truths.one(label=label)
    check_truth(told, QUESTION)
    projected = QUESTION.project(told, xr.DataArray(np.eye(2), dims=("unit", "neuron")))
    return projected.assign_attrs(brief=QUESTION.brief((), told))


def test_the_list_is_the_same_whatever_is_true() -> None:
    assert truth_of("chaos").attrs["brief"] == truth_of("driven").attrs["brief"] == {"candidates": REGIMES}


def test_a_wrong_regime_is_a_false_recovery_and_an_abstention_neither() -> None:
    wrong, unsure = Finding({"label": "ring attractor"}), Finding.abstain("too few trials")
    assert QUESTION.score(Finding({"label": "chaos"}), truth_of("chaos")) == {"correct": 1.0}
    assert QUESTION.score(wrong, truth_of("driven")) == {"correct": 0.0}
    assert QUESTION.false_recovery(wrong, truth_of("driven"))
    assert not QUESTION.false_recovery(unsure, truth_of("driven"))
    assert np.isnan(QUESTION.score(unsure, truth_of("driven"))["correct"])


def test_a_regime_that_is_not_listed_is_refused() -> None:
    with pytest.raises(SimlabError, match="label"):
        QUESTION.score(Finding({"label": "attractor"}), truth_of("chaos"))
    with pytest.raises(SimlabError, match="one of fixed point"):
        truth_of("attractor")
