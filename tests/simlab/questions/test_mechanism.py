"""Right label, proper scores of its probability, and chance."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from simlab.contracts import Finding, SimlabError
from simlab.data import recording
from simlab.questions.mechanism import NONE, Mechanism

QUESTION = Mechanism()
NAMES = ("feedforward", "line attractor", "ring attractor", "torus")
RECORDING = recording(
    duration=1.0, n_units=1, n_trials=1, signal=np.ones((1, 2, 1)), modality="rate", sample_time=np.array([0, 0.5])
)


def truth_of(label: str = "ring attractor", candidates: tuple[str, ...] | None = NAMES) -> xr.Dataset:
    truth = xr.Dataset({"label": label, "weight": ("neuron", np.ones(3))})
    brief = {} if candidates is None else {"candidates": candidates}
    return QUESTION.project(truth, xr.DataArray(np.eye(3), dims=("unit", "neuron"))).assign_attrs(brief=brief)


def test_projection_keeps_the_label_and_nothing_else() -> None:
    assert list(truth_of().data_vars) == ["label"]


def test_the_brief_offers_each_mechanism_of_the_family_once_and_the_true_one_among_them() -> None:
    family = ("torus", "feedforward", "torus")
    assert QUESTION.brief(family, truth_of("ring attractor")) == {
        "candidates": ("feedforward", "ring attractor", "torus")
    }


def test_probabilities_are_scored_by_log_and_brier() -> None:
    finding = Finding({"label": "ring attractor", "probability": [0.2, 0.1, 0.7, 0.0]})
    assert QUESTION.score(finding, truth_of()) == pytest.approx(
        {"correct": 1, "log_score": math.log(0.7 / 0.25), "brier": 0.04 + 0.01 + 0.09, "label_probability": 0.7}
    )


def test_a_wrong_label_can_still_have_left_the_truth_some_probability() -> None:
    finding = Finding({"label": "torus", "probability": [0, 0, 0.4, 0.6]})
    scores = QUESTION.score(finding, truth_of())
    assert scores["correct"] == 0
    assert scores["log_score"] == pytest.approx(math.log(1.6))
    assert not QUESTION.recovered(scores)


def test_confidence_stands_in_for_probabilities_with_the_rest_shared_out() -> None:
    scores = QUESTION.score(Finding({"label": "torus"}, confidence=0.7), truth_of())
    assert scores["log_score"] == pytest.approx(math.log(0.1 / 0.25))
    assert scores["label_probability"] == pytest.approx(0.7)


def test_a_bare_label_is_sure_and_its_error_costs_the_clip() -> None:
    assert QUESTION.score(Finding({"label": "torus"}), truth_of())["log_score"] == pytest.approx(math.log(0.01 * 4))
    assert QUESTION.score(Finding({"label": "ring attractor"}), truth_of())["log_score"] == pytest.approx(math.log(4))


def test_an_even_guess_scores_what_chance_says() -> None:
    even = Finding({"label": "torus", "probability": np.full(4, 0.25)})
    scores, chance = QUESTION.score(even, truth_of()), QUESTION.chance(truth_of())
    assert scores["log_score"] == chance["log_score"] == 0
    assert scores["brier"] == chance["brier"] == 0.75
    assert scores["label_probability"] == chance["correct"] == 0.25


def test_without_candidates_only_the_label_is_scored() -> None:
    truth = truth_of(candidates=None)
    scores = QUESTION.score(Finding({"label": "ring attractor"}), truth)
    assert scores["correct"] == 1
    assert math.isnan(scores["log_score"])
    assert all(math.isnan(value) for value in QUESTION.chance(truth).values())


def test_claiming_another_mechanism_is_a_false_recovery() -> None:
    assert QUESTION.false_recovery(Finding({"label": "ring attractor"}), truth_of("feedforward"))
    assert not QUESTION.false_recovery(Finding({"label": "feedforward"}), truth_of("feedforward"))


def test_an_abstention_scores_nothing_and_claims_nothing() -> None:
    silent = Finding.abstain("no perturbations left")
    assert all(math.isnan(value) for value in QUESTION.score(silent, truth_of()).values())
    assert not QUESTION.false_recovery(silent, truth_of())


@pytest.mark.parametrize(
    "estimate",
    [
        {},
        {"label": "grid"},
        {"label": "torus", "probability": [0.5, 0.5]},
        {"label": "torus", "probability": [0.5, 0.5, 0.5, 0.5]},
        {"label": "torus", "probability": [1.5, -0.5, 0, 0]},
        {"label": "torus", "probability": [np.nan, 0, 0, 1]},
    ],
)
def test_an_answer_outside_the_form_is_refused(estimate: dict[str, object]) -> None:
    with pytest.raises(SimlabError):
        QUESTION.score(Finding(estimate), truth_of())


def test_the_oracle_is_sure_and_right() -> None:
    finding = QUESTION.baselines()["oracle"](truth_of(), RECORDING, np.random.default_rng(0))
    assert QUESTION.score(finding, truth_of()) == pytest.approx(
        {"correct": 1, "log_score": math.log(4), "brier": 0, "label_probability": 1}
    )
    assert finding.confidence == 1


@pytest.mark.parametrize("kind", ["random", "marginals_only"])
def test_blind_baselines_are_right_as_often_as_chance(kind: str) -> None:
    rng, baseline = np.random.default_rng(0), QUESTION.baselines()[kind]
    right = [QUESTION.score(baseline(truth_of(), RECORDING, rng), truth_of())["correct"] for _ in range(1000)]
    assert np.mean(right) == pytest.approx(0.25, abs=0.055)  # four standard errors of sqrt(.25 x .75 / 1000)


def test_blind_baselines_abstain_without_candidates() -> None:
    assert QUESTION.baselines()["random"](truth_of(candidates=None), RECORDING, np.random.default_rng(0)).abstained


OPEN = Mechanism(outside=("torus", "independent"))


def test_mechanisms_that_are_kept_off_the_list_are_none_of_these() -> None:
    told = OPEN.brief(("torus", "feedforward", "independent"), truth_of("torus"))
    assert told == {"candidates": ("feedforward", NONE)}
    hidden = OPEN.project(xr.Dataset({"label": "independent"}), xr.DataArray(np.eye(1), dims=("unit", "neuron")))
    hidden = hidden.assign_attrs(brief=told)
    assert OPEN.score(Finding({"label": NONE}), hidden)["correct"] == 1
    assert OPEN.false_recovery(Finding({"label": "feedforward"}), hidden)
    listed = OPEN.project(xr.Dataset({"label": "feedforward"}), xr.DataArray(np.eye(1), dims=("unit", "neuron")))
    assert OPEN.score(Finding({"label": NONE}), listed.assign_attrs(brief=told))["correct"] == 0


def test_a_closed_question_offers_no_way_out() -> None:
    assert NONE not in QUESTION.brief(("torus", "feedforward"), truth_of())["candidates"]
