"""The six questions of the example package, one file each: projection, scores worked by hand, chance and baselines."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import six_questions
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.data import recording
from simlab.questions.form import check_truth, validate
from simlab.scoring import Truth, score

six_questions.importable()

from more_questions.clock_dimensionality import Dimensionality  # noqa: E402
from more_questions.clock_dynamics import REGIMES, Dynamics  # noqa: E402
from more_questions.clock_filter import ReceptiveField  # noqa: E402
from more_questions.clock_importance import UnitImportance  # noqa: E402
from more_questions.clock_latents import Latents  # noqa: E402
from more_questions.clock_type import MIXED, UnitType  # noqa: E402

ALL = [kind() for kind in (Latents, ReceptiveField, UnitType, Dynamics, Dimensionality, UnitImportance)]
N = 12
RNG = np.random.default_rng(0)


def key_of(matrix) -> xr.DataArray:
    return xr.DataArray(np.asarray(matrix, dtype=float), dims=("unit", "neuron"))


def filters(values: np.ndarray) -> xr.Dataset:
    """(neuron, lag, feature) in a truth with its coordinates."""
    coords = {"lag": 0.05 * np.arange(values.shape[1]), "feature": [f"f{i}" for i in range(values.shape[2])]}
    return xr.Dataset({"filter": (("neuron", "lag", "feature"), values)}, coords)


TRUTHS = {
    "clock_latents": truths.latents(np.random.default_rng(1).normal(size=(3, 20, 2)), 0.05 * np.arange(20)),
    "clock_filter": filters(np.random.default_rng(2).normal(size=(N, 3, 2))),
    "clock_type": truths.per_neuron(cell_type=["E"] * 9 + ["I"] * 3),
    "clock_dynamics": truths.one(regime="limit cycle"),
    "clock_dimensionality": truths.one(dimension=3),
    "clock_importance": truths.per_neuron(importance=[1.0, 0.7, 0.2, *[0.0] * 9]),
}


def projected(question, truth: xr.Dataset | None = None, key: xr.DataArray | None = None) -> xr.Dataset:
    """The truth as it is scored, with the brief that the method was given."""
    whole = TRUTHS[question.name] if truth is None else truth
    identity = key_of(np.eye(whole.sizes.get("neuron", N))) if key is None else key
    return Truth(whole, identity, question.brief(("this", "that"), whole)).projected(question)


@pytest.fixture(scope="module")
def spikes() -> xr.Dataset:
    """Three trials of 1 s of units that fire the more the higher their number."""
    counts = RNG.poisson(5 + 3 * np.arange(N), (3, N))
    trial, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    return recording(duration=1.0, n_units=N, n_trials=3, spikes=(trial, RNG.random(len(trial)), unit))


@pytest.mark.parametrize("question", ALL, ids=lambda q: q.name)
def test_every_truth_has_the_form_that_its_question_declares(question):
    check_truth(TRUTHS[question.name], question)


@pytest.mark.parametrize("question", ALL, ids=lambda q: q.name)
def test_the_oracle_recovers_all_and_claims_nothing_false(question, spikes):
    truth = projected(question)
    finding = question.baselines()["oracle"](truth, spikes, RNG)
    assert question.recovered(question.score(finding, truth))
    assert not question.false_recovery(finding, truth)


@pytest.mark.parametrize("question", ALL, ids=lambda q: q.name)
@pytest.mark.parametrize("kind", ["oracle", "random", "marginals_only"])
def test_every_baseline_gives_an_answer_of_the_form(question, kind, spikes):
    truth = projected(question)
    finding = question.baselines()[kind](truth, spikes, np.random.default_rng(3))
    brief = truth.attrs["brief"]
    validate(finding, question, {"unit": N, "trial": 3}, brief)
    assert set(question.score(finding, truth)) == set(question.metrics)


@pytest.mark.parametrize("question", ALL, ids=lambda q: q.name)
def test_chance_is_what_the_random_baseline_gets_on_average(question, spikes):
    truth, rng = projected(question), np.random.default_rng(4)
    random = question.baselines()["random"]
    scores = [question.score(random(truth, spikes, rng), truth) for _ in range(2000)]
    for name, expected in question.chance(truth).items():
        if (question.name, name) in {("clock_latents", "r2"), ("clock_dynamics", "log_score")}:
            continue  # the lesser of two is below either; the log score of an even guess does not vary
        values = np.array([found[name] for found in scores])
        assert expected == pytest.approx(values.mean(), abs=4.5 * values.std() / np.sqrt(len(values)) + 1e-9), name


@pytest.mark.parametrize("question", ALL, ids=lambda q: q.name)
def test_an_abstention_scores_nothing_and_claims_nothing(question):
    truth, refusal = projected(question), Finding.abstain("cannot tell")
    assert all(math.isnan(value) for value in question.score(refusal, truth).values())
    assert not question.recovered(question.score(refusal, truth))
    assert not question.false_recovery(refusal, truth)


@pytest.mark.parametrize(
    ("question", "estimate", "rule"),
    [
        (Latents(), {"latent": np.zeros((3, 7, 2))}, "20 along time"),
        (ReceptiveField(), {"filter": np.zeros((N, 4, 2))}, "3 along lag"),
        (UnitType(), {"cell_type": np.array(["PV"] * N, dtype=object)}, "one of E, I"),
        (Dynamics(), {"regime": "wobbly"}, "one of fixed point"),
        (Dimensionality(), {"dimension": 2.5}, "whole"),
        (Dimensionality(), {"dimension": -1}, "lie in"),
        (UnitImportance(), {"importance": np.zeros(N)}, "lacks top"),
    ],
)
def test_an_answer_of_another_form_is_refused_with_the_rule(question, estimate, rule):
    brief = question.brief((), TRUTHS[question.name])
    with pytest.raises(SimlabError, match=rule):
        validate(Finding(estimate), question, {"unit": N, "trial": 3}, brief)


@pytest.mark.parametrize(
    ("question", "threshold"),
    [
        (Latents(), {"r2": 0.9}),
        (ReceptiveField(), {"median_cosine": 0.8}),
        (UnitType(), {"balanced_accuracy": 0.9}),
        (Dynamics(), {"correct": 1.0}),
        (Dimensionality(), {"exact": 1.0}),
        (UnitImportance(), {"spearman": 0.8, "top_exact": 1.0}),
    ],
)
def test_recovery_begins_at_the_criterion(question, threshold):
    assert question.recovered(threshold)
    for name in threshold:
        assert not question.recovered(threshold | {name: threshold[name] - 1e-6})
        assert not question.recovered(threshold | {name: float("nan")})


# --- latents


def test_factors_count_up_to_an_affine_map():
    truth = projected(Latents())
    turned = truth["latent"].values @ np.array([[2.0, 1.0], [-1.0, 0.5]]) + 7
    assert Latents().score(Finding({"latent": turned}), truth)["r2"] == pytest.approx(1.0)


def test_a_missing_factor_and_an_invented_one_each_cost_their_share():
    truth, rng = projected(Latents()), np.random.default_rng(5)
    true = truth["latent"].values
    first = Latents().score(Finding({"latent": true[:, :, :1]}), truth)
    assert first["r2_real"] == pytest.approx(1.0)
    assert first["r2_found"] == first["r2"] == pytest.approx(0.5, abs=0.05)
    more = np.concatenate([true, rng.normal(size=true.shape)], axis=2)
    found = Latents().score(Finding({"latent": more}), truth)
    assert found["r2_found"] == pytest.approx(1.0)
    assert found["r2_real"] == found["r2"] == pytest.approx(0.5, abs=0.05)


def test_noise_is_a_false_recovery_and_a_noisy_image_is_not():
    truth, rng = projected(Latents()), np.random.default_rng(6)
    noise = rng.normal(size=truth["latent"].shape)
    assert Latents().false_recovery(Finding({"latent": noise}), truth)
    assert not Latents().false_recovery(Finding({"latent": truth["latent"].values + noise}), truth)


def test_a_factor_that_stands_still_explains_nothing():
    truth = projected(Latents())
    assert Latents().score(Finding({"latent": np.ones((3, 20, 1))}), truth)["r2"] == pytest.approx(0.0)


# --- receptive fields


def test_a_merged_unit_has_the_mixture_of_its_neurons_filters():
    values = np.array([[[1.0], [0.0]], [[0.0], [1.0]]])
    part = projected(ReceptiveField(), filters(values), key_of([[0.75, 0.25], [0.0, 1.0]]))
    np.testing.assert_allclose(part["filter"].values[:, :, 0], [[0.75, 0.25], [0.0, 1.0]])


def test_the_median_is_over_units_that_have_a_filter():
    values = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])[:, :, None]
    truth = projected(ReceptiveField(), filters(values))
    said = np.array([[2.0, 0.0], [1.0, 1.0], [5.0, 5.0]])[:, :, None]
    scores = ReceptiveField().score(Finding({"filter": said}), truth)
    assert scores == {"median_cosine": pytest.approx((1 + np.sqrt(0.5)) / 2), "share_alike": 0.5}


def test_filters_where_there_are_none_are_a_false_recovery_and_none_are_not():
    truth = projected(ReceptiveField(), filters(np.zeros((4, 3, 1))))
    assert ReceptiveField().false_recovery(Finding({"filter": np.ones((4, 3, 1))}), truth)
    assert not ReceptiveField().false_recovery(Finding({"filter": np.zeros((4, 3, 1))}), truth)
    assert math.isnan(ReceptiveField().score(Finding({"filter": np.ones((4, 3, 1))}), truth)["median_cosine"])


def test_a_filter_turned_round_has_cosine_minus_one():
    truth = projected(ReceptiveField())
    scores = ReceptiveField().score(Finding({"filter": -truth["filter"].values}), truth)
    assert scores["median_cosine"] == pytest.approx(-1.0)


# --- cell types


def test_a_unit_has_the_type_of_its_dominant_neuron_and_none_without_one():
    truth = truths.per_neuron(cell_type=["E", "I", "E"])
    part = projected(UnitType(), truth, key_of([[0.4, 0.5, 0.0], [0.4, 0.3, 0.3], [0.0, 0.0, 0.6]]))
    assert part["cell_type"].values.tolist() == ["I", MIXED, "E"]


def test_balanced_accuracy_is_the_mean_over_types():
    said = ["E"] * 9 + ["E", "I", "I"]  # 9 of 9 and 2 of 3
    scores = UnitType().score(Finding({"cell_type": np.array(said, dtype=object)}), projected(UnitType()))
    assert scores["balanced_accuracy"] == pytest.approx((1 + 2 / 3) / 2)
    assert scores["accuracy"] == pytest.approx(11 / 12)


def test_units_without_a_type_are_not_asked_about():
    truth = projected(UnitType(), truths.per_neuron(cell_type=["E", "I"]), key_of([[1, 0], [0, 1], [0.4, 0.4]]))
    for last in ("E", "I"):
        scores = UnitType().score(Finding({"cell_type": np.array(["E", "I", last], dtype=object)}), truth)
        assert scores == {"balanced_accuracy": 1.0, "accuracy": 1.0, "n_asked": 2.0}


def test_a_type_that_is_claimed_mostly_of_others_is_a_false_recovery():
    truth = projected(UnitType())
    some = np.array(["E"] * 5 + ["I"] * 7, dtype=object)  # 4 of the 7 are E
    assert UnitType().false_recovery(Finding({"cell_type": some}), truth)
    all_e = np.array(["E"] * 12, dtype=object)
    assert not UnitType().false_recovery(Finding({"cell_type": all_e}), truth)


# --- dynamics and dimensionality


def test_another_regime_than_the_true_one_is_a_false_recovery():
    truth = projected(Dynamics())
    for regime in REGIMES:
        assert Dynamics().false_recovery(Finding({"regime": regime}), truth) == (regime != "limit cycle")


def test_the_log_score_is_zero_at_chance_and_the_log_of_nine_when_sure_and_right():
    truth, right = projected(Dynamics()), {"regime": "limit cycle"}
    assert Dynamics().score(Finding(right, confidence=1 / 9), truth)["log_score"] == pytest.approx(0.0)
    assert Dynamics().score(Finding(right, confidence=1.0), truth)["log_score"] == pytest.approx(np.log(9))
    assert math.isnan(Dynamics().score(Finding(right), truth)["log_score"])


def test_more_dimensions_than_there_are_is_false_and_fewer_is_a_miss():
    truth = projected(Dimensionality())
    assert Dimensionality().false_recovery(Finding({"dimension": 4}), truth)
    assert not Dimensionality().false_recovery(Finding({"dimension": 2}), truth)
    assert Dimensionality().score(Finding({"dimension": 1}), truth) == {"exact": 0.0, "error": 2.0}


def test_two_units_show_two_dimensions_at_most():
    assert int(projected(Dimensionality(), key=key_of(np.eye(N)[:2]))["dimension"]) == 2


# --- importance of units


def test_the_top_set_are_the_units_of_half_the_greatest_importance():
    assert np.flatnonzero(projected(UnitImportance())["top"].values).tolist() == [0, 1]


def test_ties_share_their_rank_and_noise_among_them_costs():
    from scipy.stats import spearmanr

    truth, rng = projected(UnitImportance()), np.random.default_rng(7)
    noisy = truth["importance"].values + 0.01 * rng.normal(size=N)
    top = truth["top"].values
    found = UnitImportance().score(Finding({"importance": noisy, "top": top}), truth)
    assert found["spearman"] == pytest.approx(spearmanr(truth["importance"].values, noisy)[0])
    assert found["spearman"] < 0.8
    assert found["top_exact"] == 1.0


def test_the_overlap_of_top_sets_is_counted_by_hand():
    truth = projected(UnitImportance())
    top = np.isin(np.arange(N), [0, 5])  # one of two right
    found = UnitImportance().score(Finding({"importance": truth["importance"].values, "top": top}), truth)
    assert (found["top_exact"], found["top_f1"]) == (0.0, 0.5)


def test_units_of_no_importance_called_the_most_important_are_a_false_recovery():
    truth, zeros = projected(UnitImportance()), np.zeros(N)
    assert UnitImportance().false_recovery(Finding({"importance": zeros, "top": np.arange(N) > 7}), truth)
    assert not UnitImportance().false_recovery(Finding({"importance": zeros, "top": np.arange(N) < 2}), truth)


def test_a_unit_without_a_dominant_neuron_is_not_asked_about():
    truth = truths.per_neuron(importance=[1.0, 0.0, 0.0])
    part = projected(UnitImportance(), truth, key_of([[0.45, 0.45, 0.0], [0.9, 0, 0], [0, 0.9, 0]]))
    assert part["asked"].values.tolist() == [False, True, True]
    given = {"importance": np.array([9.0, 1.0, 0.0]), "top": np.array([True, True, False])}
    assert UnitImportance().recovered(UnitImportance().score(Finding(given), part))


def test_anybody_scores_an_answer_with_the_public_function():
    answer = Finding({"importance": np.arange(3.0)[::-1], "top": np.array([True, True, False])})
    scores = score(answer, {"importance": [3.0, 2.0, 1.0]}, UnitImportance())
    assert scores["recovered"]
    assert list(itertools.islice(scores, 3)) == list(UnitImportance.metrics)
