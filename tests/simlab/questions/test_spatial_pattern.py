"""Spatial patterns: who is a grid cell, of what period, in how many modules, and who is not asked about."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import simlab
from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.questions.form import check_truth
from simlab.questions.spatial_pattern import SpatialPattern

QUESTION = SpatialPattern()
GRID = np.array([True, True, True, True, False, False, False, False])
PERIOD = np.where(GRID, [0.5, 0.5, 0.7, 0.7, 0, 0, 0, 0], 0.0)
MODULE = np.array([0, 0, 1, 1, -1, -1, -1, -1])


def truth(doubtful: np.ndarray | None = None, key: np.ndarray | None = None, **more) -> xr.Dataset:
    told = truths.patterns(GRID, PERIOD, MODULE, doubtful, **more)
    check_truth(told, QUESTION)
    return QUESTION.project(told, xr.DataArray(np.eye(8) if key is None else key, dims=("unit", "neuron")))


def scores(grid: np.ndarray, told: xr.Dataset | None = None, **more) -> dict[str, float]:
    return QUESTION.score(Finding({"grid": grid} | more), truth() if told is None else told)


def test_the_question_keeps_its_contract():
    assert simlab.check("spatial_pattern").ok


def test_flags_are_counted():
    found = scores(np.array([1, 1, 0, 0, 1, 0, 0, 0], bool))
    expected = {"recall": 0.5, "precision": 2 / 3, "f1": 4 / 7, "false_positive_rate": 0.25, "called": 3 / 8}
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert (found["n_grids"], found["n_others"]) == (4, 4)
    assert np.isnan(found["period_error"])
    assert not QUESTION.recovered(found)


def test_periods_count_where_the_flag_is_right_and_modules_where_they_are_stated():
    found = scores(GRID, period=PERIOD * [1.0, 1.04, 1.2, 0.94, 9, 9, 9, 9], modules=2)
    assert found["period_error"] == pytest.approx(0.05)
    assert found["modules_right"] == 1
    assert QUESTION.recovered(found)
    assert not QUESTION.recovered(scores(GRID, period=1.2 * PERIOD))
    assert not QUESTION.recovered(scores(GRID))  # without a period
    assert scores(GRID, period=1.2 * PERIOD, modules=1)["modules_right"] == 0
    assert scores(GRID, period=1.2 * PERIOD)["period_median"] == pytest.approx(1.2)


def test_doubtful_neurons_and_units_without_one_are_not_asked_about():
    told = truth(doubtful=np.arange(8) == 7)
    assert told["unasked"].values.tolist() == [False] * 7 + [True]
    assert scores(np.r_[GRID[:7], True], told)["false_positive_rate"] == 0
    key = np.eye(8)
    key[2:4] = 0
    heard = truth(key=key)
    assert heard["unasked"].values.tolist() == [False, False, True, True] + [False] * 4
    assert int(heard["modules"]) == 1
    mixed = np.zeros((1, 8))
    mixed[0, [1, 4]] = 0.6, 0.4
    assert truth(key=mixed)["grid"].values.tolist() == [True]


def test_false_recoveries_are_of_units_without_a_grid():
    none = QUESTION.project(truths.no_pattern(8), xr.DataArray(np.eye(8), dims=("unit", "neuron")))
    assert np.isnan(scores(GRID, none)["f1"])
    assert not QUESTION.recovered(scores(GRID, none))
    assert QUESTION.false_recovery(Finding({"grid": GRID}), none)
    assert not QUESTION.false_recovery(Finding({"grid": np.arange(8) == 1}), none)
    assert not QUESTION.false_recovery(Finding.abstain("no place"), none)
    assert np.isnan(list(QUESTION.score(Finding.abstain("no place"), none).values())).all()


def test_what_the_truth_says_of_the_whole_subject_is_kept_for_claims():
    told = truth(decoding_error=0.04, grid_score=np.arange(8.0))
    assert float(told["decoding_error"]) == 0.04
    assert "grid_score" not in told


def test_the_oracle_is_right_and_coins_get_what_chance_says():
    told, rng = truth(), np.random.default_rng(0)
    sure = QUESTION.baselines()["oracle"](told, told, rng)
    assert QUESTION.recovered(QUESTION.score(sure, told))
    drawn = [QUESTION.score(QUESTION.baselines()["random"](told, told, rng), told) for _ in range(400)]
    for name, value in QUESTION.chance(told).items():
        assert np.nanmean([d[name] for d in drawn]) == pytest.approx(value, abs=0.07)


def test_answers_out_of_form_are_refused():
    for wrong in ({"grid": GRID[:3]}, {"grid": GRID, "period": -PERIOD}, {"grid": GRID * 0.5}, {"period": PERIOD}):
        with pytest.raises(SimlabError):
            QUESTION.score(Finding(wrong), truth())
    with pytest.raises(SimlabError, match="the key's 3 neurons"):
        QUESTION.project(truths.no_pattern(8), xr.DataArray(np.eye(3), dims=("unit", "neuron")))
