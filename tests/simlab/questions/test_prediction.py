"""The question `prediction`: what is shown of the unseen, scores by hand, and answers that are none."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import simlab
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from simlab.candidates import Model
from simlab.contracts import Finding, SimlabError
from simlab.questions.prediction import Prediction
from simlab.streams import stream

RATES = np.array([[1.0, 4.0, 2.0], [3.0, 2.0, 2.0], [5.0, 0.0, 2.0], [3.0, 2.0, 2.0]])
ASKED = Prediction()


def truth(key: np.ndarray | None = None) -> xr.Dataset:
    """Three neurons, of which the last is driven by nothing, in four presentations; projected."""
    neurons = xr.Dataset(
        {"unseen": (("presentation", "feature"), np.arange(8.0).reshape(4, 2)),
         "rate": (("presentation", "neuron"), RATES), "interval": 0.1}
    )  # fmt: skip
    return ASKED.project(neurons, xr.DataArray(np.eye(3) if key is None else key, dims=("unit", "neuron")))


def scored(said: np.ndarray, of: xr.Dataset | None = None) -> dict[str, float]:
    return ASKED.score(Finding({"response": said}), truth() if of is None else of)


def test_the_brief_shows_stimuli_and_names_and_nothing_of_the_responses():
    asked = Prediction(models=(Model(V1Simple(), "b"), Model(V1Simple(n_neurons=5), "a")))
    neurons = V1Simple(look=Look(side=4)).subject(stream(1, "s")).truth("prediction", None, stream(1, "t"))
    told = asked.brief((), neurons)
    assert told["candidates"] == ("a", "b")
    assert np.array(told["unseen"]) == pytest.approx(neurons["unseen"].values)
    assert told["presentations"] == tuple(range(len(neurons["unseen"])))
    assert told["interval"] == pytest.approx(1 / 30)
    assert set(told) == {"candidates", "unseen", "presentations", "interval"}


def test_the_truth_is_the_rate_of_frames_that_no_session_showed():
    subject = V1Simple(look=Look(side=4)).subject(stream(1, "s"))
    told = subject.truth("prediction", None, stream(1, "t"))
    # an independent route: half-squared products with the filter, by the equation
    drive = told["unseen"].values @ subject.first.T
    shape = 0.1 + 0.9 * 2 * np.maximum(drive, 0) ** 2
    ratio = told["rate"].values / shape
    assert ratio == pytest.approx(np.broadcast_to(ratio[0], ratio.shape))
    other = subject.session(trials=2, duration=2.0, rng=stream(1, "session")).stimulus.values.reshape(-1, 16)
    assert np.abs(other[:, None] - told["unseen"].values[None]).max(axis=2).min() > 1e-6


def test_scores_by_hand():
    found = scored(np.stack([2 * RATES[:, 0], np.full(4, 9.0), np.arange(4.0)], axis=1))
    assert found["n_driven"] == 2
    assert found["correlation"] == pytest.approx(0.5)  # of 1 and 0
    assert found["worst_correlation"] == 0.0
    assert found["foretold"] == 0.5
    # variance 2 of means 3 and 2 in 0.1 s
    assert found["noise_ceiling"] == pytest.approx(np.median([np.sqrt(2 / (2 + 30)), np.sqrt(2 / (2 + 20))]))
    right = scored(RATES)
    assert (right["correlation"], right["r2"], right["foretold"]) == (pytest.approx(1), pytest.approx(1), 1.0)
    assert ASKED.recovered(right)
    assert not ASKED.recovered(found)
    assert scored(RATES + 10)["r2"] < 0  # the right shape at the wrong height


def test_units_are_asked_for_the_rates_of_their_neurons_by_shares():
    mixed = truth(np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]))
    assert mixed["response"].values[:, 0] == pytest.approx([2.5, 2.5, 2.5, 2.5])
    nothing = scored(np.ones((4, 2)), mixed)
    assert nothing["n_driven"] == 0
    assert np.isnan(nothing["correlation"])
    with pytest.raises(SimlabError):
        truth(np.eye(4))


def test_modulations_that_are_not_there_are_a_false_recovery():
    wrong = np.tile([[0.0], [2.0], [0.5], [4.0]], (1, 3))
    assert ASKED.false_recovery(Finding({"response": wrong}), truth())
    assert not ASKED.false_recovery(Finding({"response": RATES}), truth())
    assert not ASKED.false_recovery(Finding({"response": np.ones((4, 3))}), truth())
    assert not ASKED.false_recovery(Finding.abstain("no"), truth())
    assert np.isnan(ASKED.score(Finding.abstain("no"), truth())["correlation"])


def test_baselines_are_the_truth_that_of_others_and_the_mean():
    told, rng = truth(), stream(1, "b")
    answers = {name: answer(told, None, rng) for name, answer in ASKED.baselines().items()}
    score = {name: ASKED.score(found, told)["correlation"] for name, found in answers.items()}
    assert score["oracle"] == pytest.approx(1)
    assert score["marginals_only"] == 0 == ASKED.chance(told)["correlation"]
    assert sorted(answers["random"].estimate["response"][:, 0]) == sorted(RATES[:, 0])


def test_the_house_agrees_and_nonsense_is_refused():
    assert simlab.check(Prediction()).ok
    with pytest.raises(SimlabError):
        scored(np.full((4, 3), np.nan))
    with pytest.raises(SimlabError):
        Prediction(models=(Model(V1Simple()), Model(V1Simple())))
    with pytest.raises(SimlabError):
        Prediction(least_correlation=3.0)
