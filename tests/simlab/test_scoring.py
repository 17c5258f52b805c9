"""Anybody's finding against anybody's truth."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import simlab
from simlab.contracts import Finding, SimlabError
from simlab.questions.connectivity import Connectivity

WEIGHT = np.array([[0, 1.0, 0], [0, 0, -2.0], [0, 0, 0]])
RIGHT = Finding({"score": np.abs(WEIGHT), "decided": WEIGHT != 0, "sign": np.sign(WEIGHT).astype(int)})


def test_a_finding_is_scored_against_arrays_by_name():
    scores = simlab.score(RIGHT, {"weight": WEIGHT}, "connectivity")
    assert scores["mcc"] == 1
    assert scores["sign_accuracy"] == 1
    assert (scores["recovered"], scores["false_recovery"]) == (True, False)


def test_a_truth_over_neurons_is_projected_through_a_key():
    key = xr.DataArray(np.eye(4)[[2, 0, 1]], dims=("unit", "neuron"))
    whole = np.zeros((4, 4))
    whole[np.ix_([2, 0, 1], [2, 0, 1])] = WEIGHT
    assert simlab.score(RIGHT, {"weight": whole}, "connectivity", key=key)["mcc"] == 1


def test_criteria_are_those_of_the_question_that_is_given():
    wrong = Finding(dict(RIGHT.estimate) | {"decided": WEIGHT > 0})
    assert simlab.score(wrong, {"weight": WEIGHT}, "connectivity")["recovered"]
    assert not simlab.score(wrong, {"weight": WEIGHT}, Connectivity(least_mcc=0.9))["recovered"]


def test_a_closed_question_takes_its_brief():
    scores = simlab.score(
        Finding({"label": "ring"}, 0.5), {"label": "ring"}, "mechanism", brief={"candidates": ("ring", "line")}
    )
    assert scores["correct"] == 1
    assert scores["brier"] == pytest.approx(0.5)
    with pytest.raises(SimlabError, match="must be one of ring, line"):
        simlab.score(Finding({"label": "x"}), {"label": "ring"}, "mechanism", brief={"candidates": ("ring", "line")})


def test_an_abstention_is_neither_right_nor_fooled():
    scores = simlab.score(Finding.abstain("no"), {"weight": WEIGHT}, "connectivity")
    assert np.isnan(scores["mcc"])
    assert (scores["recovered"], scores["false_recovery"]) == (False, False)


@pytest.mark.parametrize(
    ("truth", "rule"),
    [
        ({"strength": WEIGHT}, "has no strength; it has weight"),
        (xr.Dataset({"strength": (("pre", "post"), WEIGHT)}), "lacks 'weight'"),
        (xr.Dataset({"weight": (("unit", "post"), WEIGHT)}), "must have dims"),
        ({"weight": WEIGHT * np.nan}, "must be finite"),
    ],
)
def test_a_truth_that_is_none_is_refused_by_rule(truth, rule):
    with pytest.raises(SimlabError, match=rule):
        simlab.score(RIGHT, truth, "connectivity")


def test_a_method_is_run_on_anybodys_recording_as_the_lab_runs_it():
    rng = np.random.default_rng(0)
    recording = simlab.from_arrays(rng.uniform(0, 60, 3000), rng.integers(0, 5, 3000), duration=60.0, units=range(6))
    finding = simlab.analyse("spike_count_correlation", recording)
    assert finding.estimate["decided"].shape == (6, 6)
    assert finding.estimate["p"].min() >= 0
    one = simlab.from_arrays(np.array([0.5]), np.array([0]), duration=1.0)
    assert simlab.analyse("coupling_glm", one).abstained == "needs at least 2 units, got 1"


def test_a_method_that_fails_on_ones_own_data_raises_what_it_said():
    class Broken:
        name, question = "broken", "connectivity"

        def analyse(self, recording, rng):
            raise ValueError("no such luck")

    recording = simlab.from_arrays(np.array([0.5, 0.7]), np.array([0, 1]), duration=1.0)
    with pytest.raises(SimlabError, match="ValueError: no such luck"):
        simlab.analyse(Broken(), recording)
