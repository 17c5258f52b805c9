"""Scalars with intervals: a time constant and a branching ratio."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.questions.branching_ratio import BranchingRatio
from simlab.questions.timescale import Timescale

KEY = xr.DataArray(np.eye(2), dims=("unit", "neuron"))
TIMESCALE, RATIO = Timescale(), BranchingRatio()


def time(value: float) -> xr.Dataset:
    return TIMESCALE.project(truths.one(timescale=value), KEY)


def ratio(value: float) -> xr.Dataset:
    told = truths.one(ratio=value, step=0.004)
    return RATIO.project(told, KEY).assign_attrs(brief=RATIO.brief((), told))


def test_a_time_within_a_tenth_is_a_recovery_and_its_error_keeps_its_sign():
    scored = TIMESCALE.score(Finding({"timescale": 0.092, "low": 0.05, "high": 0.095}), time(0.1))
    assert scored["relative_error"] == pytest.approx(-0.08)
    assert (scored["within"], scored["covered"]) == (1.0, 0.0)
    assert scored["interval_width"] == pytest.approx(0.45)
    assert TIMESCALE.recovered(scored)
    assert TIMESCALE.false_recovery(Finding({"timescale": 0.115}), time(0.1))
    assert not TIMESCALE.false_recovery(Finding.abstain("no spikes"), time(0.1))


def test_a_ratio_counts_within_two_hundredths_and_the_brief_tells_its_step():
    assert ratio(0.99).attrs["brief"] == {"step": 0.004}
    assert RATIO.recovered(RATIO.score(Finding({"ratio": 0.975}), ratio(0.99)))
    assert RATIO.false_recovery(Finding({"ratio": 0.99}), ratio(0.0))
    assert np.isnan(RATIO.score(Finding({"ratio": 0.99}), ratio(0.99))["covered"])


@pytest.mark.parametrize("given", [{"low": 0.1}, {"low": 0.3, "high": 0.1}])
def test_half_an_interval_or_one_turned_round_is_refused(given):
    with pytest.raises(SimlabError, match="interval"):
        TIMESCALE.score(Finding({"timescale": 0.2, **given}), time(0.1))


CASES = [(TIMESCALE, time(0.1)), (TIMESCALE, time(0.001)), (RATIO, ratio(0.99)), (RATIO, ratio(0.3))]


@pytest.mark.parametrize("question_and_truth", CASES)
def test_chance_is_what_the_random_baseline_gets(question_and_truth):
    question, truth = question_and_truth
    rng = np.random.default_rng(0)
    guesses = [question.score(question.baselines()["random"](truth, None, rng), truth) for _ in range(1000)]
    for name, expected in question.chance(truth).items():
        drawn = np.array([guess[name] for guess in guesses])
        if np.isnan(expected):
            assert np.isnan(drawn).all()
        else:
            assert drawn.mean() == pytest.approx(expected, abs=4 * drawn.std() / np.sqrt(1000) + 1e-12)
