"""A rhythm and its frequency: the verdict, the error of the frequency, and what counts as a false claim."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.questions.form import check_truth
from simlab.questions.oscillation import Oscillation

QUESTION = Oscillation()
KEY = xr.DataArray(np.eye(2), dims=("unit", "neuron"))


def truth_of(frequency: float | None) -> xr.Dataset:
    told = truths.one(present=False) if frequency is None else truths.one(present=True, frequency=frequency)
    check_truth(told, QUESTION)
    return QUESTION.project(told, KEY)


def judged(true: float | None, **estimate) -> tuple[bool, bool]:
    finding, truth = Finding(estimate), truth_of(true)
    return QUESTION.recovered(QUESTION.score(finding, truth)), QUESTION.false_recovery(finding, truth)


@pytest.mark.parametrize(
    ("true", "said", "recovered", "falsely"),
    [
        (40.0, {"present": True, "frequency": 43.9}, True, False),
        (40.0, {"present": True, "frequency": 44.5}, False, True),
        (40.0, {"present": True}, False, False),  # a verdict without a frequency claims nothing false
        (40.0, {"present": False}, False, False),
        (40.0, {"present": False, "frequency": 40.0}, False, False),
        (None, {"present": False}, True, False),
        (None, {"present": True, "frequency": 10.0}, False, True),
    ],
)
def test_a_verdict_is_right_and_a_frequency_within_a_tenth(true, said, recovered, falsely) -> None:
    assert judged(true, **said) == (recovered, falsely)


def test_errors_have_a_sign_and_an_abstention_has_none() -> None:
    scores = QUESTION.score(Finding({"present": True, "frequency": 36.0}), truth_of(40.0))
    assert scores == pytest.approx({"correct": 1.0, "frequency_error": 0.1, "frequency_bias": -0.1})
    unsure = Finding.abstain("too short")
    assert np.isnan(list(QUESTION.score(unsure, truth_of(40.0)).values())).all()
    assert not QUESTION.false_recovery(unsure, truth_of(None))


def test_a_truth_that_contradicts_itself_is_refused() -> None:
    for told in (truths.one(present=True), truths.one(present=False, frequency=8.0)):
        with pytest.raises(SimlabError, match="if and only if there is one"):
            QUESTION.project(told, KEY)
    with pytest.raises(SimlabError, match="guesses must be"):
        Oscillation(guesses=(80.0, 4.0))
