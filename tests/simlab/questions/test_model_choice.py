"""The question `model_choice`: who is right, scores by hand, chance as a count, and models that are none."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import xarray as xr

from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from simlab.candidates import Model
from simlab.contracts import Finding, SimlabError
from simlab.questions.model_choice import ModelChoice
from simlab.scoring import score
from simlab.streams import stream

KEY = xr.DataArray(np.eye(3), dims=("unit", "neuron"))
OTHERS = (Model(V1Complex(), "zebra"), Model(V1Simple(n_neurons=5), "few"), Model(V1Simple(), "alike"))
ASKED = ModelChoice(models=OTHERS)
TRUTH = xr.Dataset({"label": V1Simple.mechanism})
BRIEF = ASKED.brief((), TRUTH)


def scored(values, fits=None, truth=TRUTH, asked=ASKED) -> dict:
    estimate = {"score": np.array(values, dtype=float)} | ({} if fits is None else {"fits": np.array(fits)})
    return score(Finding(estimate), truth, asked, key=KEY, brief=BRIEF)


def test_candidates_stand_in_alphabetical_order_and_those_of_the_mechanism_are_right():
    assert BRIEF == {"candidates": ("alike", "few", "zebra")}
    assert ASKED.project(TRUTH, KEY)["right"].values.tolist() == [True, True, False]


def test_any_right_model_may_be_first_and_a_tie_is_no_choice():
    assert scored([1, 3, 2])["recovered"]
    found = scored([1, 3, 2])
    assert [found[name] for name in ASKED.metrics[:4]] == [1.0, 1.0, 3.0, 2.0]
    assert np.isnan([found["fits_right"], found["fits_wrong"]]).all()
    assert not found["false_recovery"]
    tied = scored([2, 1, 2])
    assert (tied["correct"], tied["rank"], tied["false_recovery"]) == (0.0, 2.0, True)
    assert scored([1, 2, 3])["false_recovery"]


def test_a_wrong_first_model_that_is_said_not_to_fit_is_no_claim():
    refused = scored([1, 2, 3], [False, True, False])
    assert not refused["false_recovery"]
    assert (refused["correct"], refused["fits_right"], refused["fits_wrong"]) == (0.0, 0.5, 0.0)
    assert scored([1, 2, 3], [True, True, True])["false_recovery"]


def test_where_no_model_is_right_nothing_can_be_recovered_but_much_claimed():
    nobody = xr.Dataset({"label": "something else"})
    assert not ASKED.project(nobody, KEY)["right"].values.any()
    found = scored([1, 2, 3], truth=nobody)
    assert np.isnan(found["correct"])
    assert not found["recovered"]
    assert found["false_recovery"]
    assert not scored([1, 2, 3], [False] * 3, truth=nobody)["false_recovery"]
    assert np.isnan(ASKED.chance(ASKED.project(nobody, KEY))["correct"])


def test_chance_is_a_count_over_all_rankings():
    chance = ASKED.chance(ASKED.project(TRUTH, KEY))
    counted = [scored(order) for order in permutations(range(3))]
    for name in ("correct", "rank"):
        assert chance[name] == pytest.approx(np.mean([one[name] for one in counted]))


def test_baselines_know_and_guess():
    truth = ASKED.project(TRUTH, KEY).assign_attrs(brief=BRIEF)
    oracle, random, marginals = (ASKED.baselines()[kind] for kind in ("oracle", "random", "marginals_only"))
    assert ASKED.recovered(ASKED.score(oracle(truth, truth, stream(1, "x")), truth))
    for guess in (random, marginals):
        assert sorted(guess(truth, truth, stream(1, "x")).estimate["score"]) == [0, 1, 2]


def test_models_are_circuits_with_names_of_their_own():
    with pytest.raises(SimlabError, match="give an instance of one"):
        Model(V1Simple)
    with pytest.raises(SimlabError, match="v1_simple twice: name one"):
        ModelChoice(models=(Model(V1Simple()), Model(V1Simple(n_neurons=3))))
    with pytest.raises(SimlabError, match="Model"):
        ModelChoice(models=(V1Simple(),))
    with pytest.raises(SimlabError, match="individuals"):
        Model(V1Simple(), individuals=0)


def test_an_answer_names_every_candidate():
    with pytest.raises(SimlabError, match="with 3 along candidate"):
        scored([1, 2])
