"""A partition of units: numbers carry no meaning, and one group is no assembly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding
from simlab.questions.assemblies import Assemblies

QUESTION = Assemblies()


def truth_of(groups: list[int], key: np.ndarray | None = None) -> xr.Dataset:
    told = truths.per_neuron(group=np.array(groups))
    return QUESTION.project(told, xr.DataArray(np.eye(len(groups)) if key is None else key, dims=("unit", "neuron")))


def scored(answer: list[int], groups: list[int]) -> dict[str, float]:
    return QUESTION.score(Finding({"group": np.array(answer)}), truth_of(groups))


def test_numbers_carry_no_meaning() -> None:
    metrics = scored([7, 7, 2, 2, 0], [0, 0, 1, 1, 2])
    assert metrics["adjusted_rand"] == metrics["adjusted_mutual_information"] == 1.0
    assert QUESTION.recovered(metrics)
    assert metrics["n_found"] == 3


def test_pairs_put_together_and_kept_apart() -> None:
    metrics = scored([0, 0, 0, 1], [0, 0, 1, 1])
    assert metrics["pair_precision"] == pytest.approx(1 / 3)
    assert metrics["pair_recall"] == pytest.approx(1 / 2)
    assert not QUESTION.recovered(metrics)


def test_shuffled_groups_score_nothing_on_average() -> None:
    groups = [0] * 6 + [1] * 6 + [2] * 6
    rng, truth = np.random.default_rng(0), truth_of(groups)
    scores = [QUESTION.score(QUESTION.baselines()["random"](truth, None, rng), truth) for _ in range(200)]  # type: ignore[arg-type]
    assert abs(np.mean([s["adjusted_rand"] for s in scores])) < 0.02


def test_dividing_one_group_is_a_false_recovery() -> None:
    assert QUESTION.false_recovery(Finding({"group": np.array([0, 0, 1])}), truth_of([0, 0, 0]))
    assert not QUESTION.false_recovery(Finding({"group": np.array([4, 4, 4])}), truth_of([0, 0, 0]))
    assert not QUESTION.false_recovery(Finding({"group": np.array([0, 1, 2])}), truth_of([0, 0, 1]))
    assert math.isnan(scored([0], [0])["adjusted_rand"])


def test_a_unit_of_noise_is_a_group_of_its_own() -> None:
    truth = truth_of([0, 0, 1], np.array([[1.0, 0, 0], [0, 0, 0], [0, 0.2, 0.6], [0, 0, 0]]))
    assert truth["group"].values.tolist() == [0, 3, 1, 5]
