"""Numbers of dimensions: exact over what is stated, errors with their sign."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.questions.dimensionality import Dimensionality

QUESTION = Dimensionality()


def truth_of(n_units: int = 20, **dimensions: int) -> xr.Dataset:
    return QUESTION.project(truths.one(**dimensions), xr.DataArray(np.eye(n_units), dims=("unit", "neuron")))


def test_what_both_state_counts_and_errors_keep_their_sign() -> None:
    ring = truth_of(linear=8, intrinsic=1)
    assert QUESTION.score(Finding({"linear": 8}), ring)["exact"] == 1
    assert QUESTION.score(Finding({"linear": 8, "intrinsic": 2}), ring)["exact"] == 0
    missed = QUESTION.score(Finding({"linear": 5}), ring)
    assert (missed["linear_error"], missed["exact"]) == (-3, 0)
    assert np.isnan(missed["intrinsic_error"])
    assert np.isnan(QUESTION.score(Finding({"intrinsic": 1}), truth_of(linear=3))["exact"])


def test_more_dimensions_than_there_are_is_a_false_recovery_and_fewer_is_none() -> None:
    none = truth_of(linear=0, intrinsic=0)
    assert QUESTION.false_recovery(Finding({"linear": 1}), none)
    assert not QUESTION.false_recovery(Finding({"linear": 0}), none)
    assert not QUESTION.false_recovery(Finding({"linear": 2}), truth_of(linear=3))
    assert not QUESTION.false_recovery(Finding.abstain("few units"), none)


def test_no_more_dimensions_than_units_can_be_seen() -> None:
    assert dict(truth_of(5, linear=8, intrinsic=1).items())["linear"] == 5


def test_an_answer_or_a_truth_that_states_nothing_is_refused() -> None:
    with pytest.raises(SimlabError, match="`linear`, `intrinsic` or both"):
        QUESTION.score(Finding({}), truth_of(linear=3))
    with pytest.raises(SimlabError, match="got neither"):
        truth_of()


def test_chance_is_what_guesses_get() -> None:
    truth, rng = truth_of(linear=3, intrinsic=3), np.random.default_rng(0)
    guesses = [QUESTION.baselines()["random"](truth, truth, rng) for _ in range(1100)]
    exact = np.mean([QUESTION.score(guess, truth)["exact"] for guess in guesses])
    # 1 in 11: standard error sqrt(.083 / 1100) = .0087; four of them
    assert QUESTION.chance(truth)["exact"] == pytest.approx(1 / 11)
    assert exact == pytest.approx(1 / 11, abs=0.035)
    assert QUESTION.chance(truth_of(linear=8, intrinsic=1))["exact"] == 0
