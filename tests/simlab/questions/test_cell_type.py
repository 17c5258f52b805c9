"""Excitatory or inhibitory: mixed units, what leaving open costs, and when a type is claimed falsely."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.data import anatomy, recording
from simlab.questions.cell_type import CellType
from simlab.questions.form import check_truth

QUESTION = CellType()
LABELS = ["E"] * 8 + ["I"] * 2


def key_of(rows: list[list[float]] | np.ndarray) -> xr.DataArray:
    return xr.DataArray(np.asarray(rows, dtype=float), dims=("unit", "neuron"))


def truth_of(labels: list[str] = LABELS, key: xr.DataArray | None = None) -> xr.Dataset:
    told = truths.cell_types(anatomy(np.zeros((len(labels), 3)), labels))
    check_truth(told, QUESTION)
    return QUESTION.project(told, key_of(np.eye(len(labels))) if key is None else key)


def said(labels: str, score: list[float] | None = None) -> Finding:
    estimate = {"label": np.array(list(labels), dtype=object)}
    return Finding(estimate if score is None else estimate | {"score": np.array(score)})


def scored(labels: str, score: list[float] | None = None, truth: xr.Dataset | None = None) -> dict[str, float]:
    return QUESTION.score(said(labels, score), truth_of() if truth is None else truth)


def test_a_unit_is_of_the_type_that_fired_most_of_it_or_is_not_asked_about() -> None:
    key = key_of([[0.9, 0, 0, 0.1], [0.4, 0.5, 0, 0.1], [0.3, 0.3, 0, 0], [0.3, 0, 0.3, 0], [0.5, 0, 0.5, 0],
                  [0.3, 0, 0, 0.1]])  # fmt: skip
    truth = truth_of(["E", "E", "I", "I"], key)
    assert truth["label"].values.tolist()[:3] == ["E", "E", "E"]
    assert truth["ambiguous"].values.tolist() == [False, False, False, True, True, True]
    assert truth["share"].values.tolist() == pytest.approx([0.9, 0.9, 0.6, 0.3, 0.5, 0.3])
    assert scored("EEEIII", truth=truth)["n_asked"] == 3


def test_what_does_not_fit_is_refused_by_rule() -> None:
    with pytest.raises(SimlabError, match="the key's 3 neurons must be the truth's"):
        truth_of(LABELS, key_of(np.eye(3)))
    with pytest.raises(SimlabError, match="type must be one of E, I, got PV: state them"):
        truth_of(["E", "PV"])
    with pytest.raises(SimlabError, match=r"label must be one of E, I, \?"):
        scored("EEEEEEEEIX")
    with pytest.raises(SimlabError, match=r"score must lie in 0\.\.1"):
        scored("EEEEEEEEII", [2.0] * 10)


def test_balanced_accuracy_is_the_mean_recall_of_the_types() -> None:
    found = scored("EEEEEEIIIE")
    assert (found["recall_e"], found["recall_i"], found["balanced_accuracy"]) == (0.75, 0.5, 0.625)
    assert (found["accuracy"], found["coverage"], found["n_inhibitory"]) == (0.7, 1.0, 2)
    assert (found["false_share_e"], found["false_share_i"]) == pytest.approx((1 / 7, 2 / 3))
    assert math.isnan(found["auroc"])
    assert scored("E" * 10)["balanced_accuracy"] == 0.5


def test_scikit_learn_agrees_on_full_answers() -> None:
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    rng = np.random.default_rng(0)
    for _ in range(5):
        labels, score = rng.choice(["E", "I"], 10), rng.random(10)
        found = scored("".join(labels), score.tolist())
        assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(LABELS, labels))
        assert found["auroc"] == pytest.approx(roc_auc_score(np.array(LABELS) == "I", score))


def test_a_unit_left_open_counts_as_a_coin_would() -> None:
    open_one = scored("EEEEEEE?I?")
    assert open_one["balanced_accuracy"] == pytest.approx((7.5 / 8 + 0.75) / 2)
    assert (open_one["coverage"], open_one["labelled_balanced_accuracy"]) == (0.8, 1.0)
    coins = [scored("EEEEEEE" + a + "I" + b)["balanced_accuracy"] for a in "EI" for b in "EI"]
    assert np.mean(coins) == pytest.approx(open_one["balanced_accuracy"])
    nothing = scored("?" * 10)
    assert (nothing["balanced_accuracy"], nothing["coverage"]) == (0.5, 0.0)
    assert math.isnan(nothing["labelled_balanced_accuracy"])


def test_recovery_takes_nine_tenths_and_at_most_a_fifth_left_open() -> None:
    assert QUESTION.recovered(scored("EEEEEEE?II"))
    assert not QUESTION.recovered(scored("EEEEEEEEI?"))
    assert not CellType(least_accuracy=0.95).recovered(scored("EEEEEEI?II"))


def test_where_only_one_type_was_recorded_nothing_is_recovered_and_chance_is_unknown() -> None:
    truth = truth_of(["E"] * 5)
    found = scored("EEEEE", truth=truth)
    assert math.isnan(found["balanced_accuracy"])
    assert not QUESTION.recovered(found)
    chance = QUESTION.chance(truth)
    assert math.isnan(chance["balanced_accuracy"])
    assert (chance["accuracy"], chance["recall_e"]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("labels", "false"),
    [
        ("EEEEEEIIEE", True),  # both that are called I are E
        ("EEEEEEIIII", False),  # half of them are
        ("EEEEEEIIIE", True),
        ("IIIIIIIIII", True),
        ("EEEEEEEEEE", False),  # what goes for most neurons
        ("??????????", False),
        ("????????E?", True),  # a single label, and a false one
        ("I?????????", True),
        ("E????????I", False),
    ],
)
def test_a_type_claimed_mostly_of_units_of_the_other_is_a_false_recovery(labels: str, false: bool) -> None:
    assert QUESTION.false_recovery(said(labels), truth_of()) == false


def test_an_abstention_scores_nothing_and_claims_nothing() -> None:
    silent = Finding.abstain("one unit")
    assert all(math.isnan(value) for value in QUESTION.score(silent, truth_of()).values())
    assert not QUESTION.false_recovery(silent, truth_of())


def test_baselines_get_what_they_should() -> None:
    key = key_of(np.vstack([np.eye(10), np.r_[0.5, np.zeros(8), 0.5][None]]))
    truth = truth_of(key=key)
    rng, busy = np.random.default_rng(0), np.repeat(np.arange(11), [3] * 8 + [9, 2, 5])
    heard = recording(duration=1.0, n_units=11, n_trials=1, spikes=(busy * 0, np.linspace(0, 0.9, len(busy)), busy))
    answers = QUESTION.baselines()
    oracle = answers["oracle"](truth, heard, rng)
    assert oracle.estimate["label"].tolist() == [*LABELS, "?"]
    found = QUESTION.score(oracle, truth)
    assert found["balanced_accuracy"] == found["auroc"] == found["coverage"] == 1
    rates = answers["marginals_only"](truth, heard, rng).estimate
    assert set(np.flatnonzero(rates["label"] == "I")) == {8, 10}  # the busiest fifth
    coins = [QUESTION.score(answers["random"](truth, heard, rng), truth) for _ in range(400)]
    for name, expected in QUESTION.chance(truth).items():
        # of a recall of two units the standard deviation is .35, so of 400 the standard error .018: a band of four
        assert np.nanmean([each[name] for each in coins]) == pytest.approx(expected, abs=0.07), name


def test_the_brief_gives_nothing_away() -> None:
    assert QUESTION.brief((), truth_of()) == QUESTION.brief((), truth_of(["E"] * 3)) == {"types": ("E", "I")}
