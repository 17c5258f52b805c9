"""The question `circuit`: any minimal set is right, in units and in edges; projection, scores by hand, chance."""

from __future__ import annotations

import math
from functools import cache
from itertools import combinations

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.circuit import Circuit
from simlab.questions.form import check_truth
from simlab.registry import create
from simlab.streams import stream

QUESTION = Circuit()
EITHER = [[True, False, True, False], [False, True, True, False]]  # of (a or b) and c, beside d
EDGES = [np.eye(4, dtype=bool)[[one]].T & np.eye(4, dtype=bool)[2] for one in (0, 1)]  # a -> c, b -> c


def key_of(matrix) -> xr.DataArray:
    return xr.DataArray(np.asarray(matrix, dtype=float), dims=("unit", "neuron"))


@cache
def subject_of(name: str = "redundant"):
    return create("circuits", name, lapse=0.0).subject(stream(1, "subject"))


def projected(name: str = "redundant", key=None, question: Circuit = QUESTION) -> xr.Dataset:
    subject = subject_of(name)
    n = subject.anatomy.sizes["neuron"]
    return question.project(subject.truth("circuit", None, stream(0)), key_of(np.eye(n) if key is None else key))


@cache
def recording() -> xr.Dataset:
    subject = subject_of()
    activity = subject.run(subject.session(trials=20, duration=0.5, rng=stream(1)), stream(1))
    return Perfect().implant(subject.anatomy, stream(0)).record(activity, stream(1))


def found(members, score=None, edges=None) -> Finding:
    said = {"members": np.array(members, dtype=bool)}
    said["score"] = said["members"].astype(float) if score is None else np.array(score, dtype=float)
    return Finding(said if edges is None else said | {"edges": edges})


# --- truth and projection --------------------------------------------------------------------------------------------


def test_either_path_is_a_circuit_in_units_and_in_edges():
    check_truth(subject_of().truth("circuit", None, stream(0)), QUESTION)
    truth = projected()
    assert sorted(truth["minimal"].values.tolist()) == sorted(EITHER)
    assert truth["share"].values.tolist() == [0.5, 0.5, 1, 0]
    assert sorted(truth["minimal_edges"].values.tolist()) == sorted(edges.tolist() for edges in EDGES)
    assert QUESTION.brief((), truth) == {"least_faithfulness": 0.8}


def test_circuits_are_of_those_who_were_recorded_the_others_being_intact():
    """Without a unit for b, b is always there: c alone is the circuit. Edges are asked only where all ends are seen."""
    truth = projected(key=np.eye(4)[[0, 2]])
    assert truth["minimal"].values.tolist() == [[False, True]]
    assert "minimal_edges" not in truth


def test_a_unit_is_the_neuron_that_dominates_it_and_noise_belongs_to_no_circuit():
    key = [[0.2, 0, 0.6, 0], [0, 0, 0, 0], [0.9, 0, 0, 0.1], [0.4, 0.6, 0, 0]]
    truth = projected(key=key)
    assert sorted(truth["minimal"].values.tolist()) == [[True, False, False, True], [True, False, True, False]]
    assert truth["of"].values.tolist() == [2, -1, 0, 1]


def test_of_two_units_that_are_one_neuron_either_or_both_are_right():
    truth = projected(key=np.eye(4)[[2, 2, 0, 1]])
    for gate in ([True, False], [False, True], [True, True]):
        scores = QUESTION.score(found([*gate, True, False]), truth)
        assert (scores["exact"], scores["jaccard"], scores["minimal"], scores["faithfulness"]) == (1, 1, 1, 1)
    assert QUESTION.score(found([True, False, True, True]), truth)["exact"] == 0
    assert "minimal_edges" not in truth  # two units could be the end of each edge


def test_how_much_is_enough_is_a_criterion():
    """Half of a sum: any one of two parts that add up is a circuit at 0.5, both are needed at 0.8."""
    truth = truths.game(np.array([0, 0.5, 0.5, 1.0]))
    for least, expected in ((0.5, [[True, False], [False, True]]), (0.8, [[True, True]])):
        seen = Circuit(least_faithfulness=least).project(truth, key_of(np.eye(2)))
        assert seen["minimal"].values.tolist() == expected
        assert Circuit(least_faithfulness=least).brief((), seen) == {"least_faithfulness": least}


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (truths.game(np.zeros(4), np.array([0, 1, 2])), "a game of 3 players has 8 values, got 4"),
        (xr.Dataset({"value": ("coalition", np.zeros(4))}), "states `value` and `player`, what every set achieves"),
        (truths.per_neuron(importance=[0.0, 1.0, 0, 0]), "add them"),
    ],
)
def test_a_truth_without_a_game_is_refused(truth, message):
    with pytest.raises(SimlabError, match=message):
        QUESTION.project(truth, key_of(np.eye(4)))


# --- scores ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("circuit", EITHER)
def test_any_minimal_set_is_right(circuit):
    scores = QUESTION.score(found(circuit), projected())
    assert QUESTION.recovered(scores)
    assert set(scores) == set(QUESTION.metrics)
    exactly = {"exact": 1, "jaccard": 1, "faithfulness": 1, "minimal": 1, "false_share": 0, "n_circuits": 2, "size": 2}
    assert {name: scores[name] for name in exactly} == exactly


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([1, 1, 1, 0], {"exact": 0, "jaccard": 2 / 3, "faithfulness": 1, "minimal": 0, "false_share": 0}),
        ([1, 0, 1, 1], {"exact": 0, "jaccard": 2 / 3, "faithfulness": 1, "minimal": 0, "false_share": 1 / 3}),
        ([0, 0, 1, 0], {"exact": 0, "jaccard": 1 / 2, "faithfulness": 0, "minimal": 0, "false_share": 0}),
        ([0, 0, 0, 1], {"exact": 0, "jaccard": 0, "faithfulness": 0, "minimal": 0, "false_share": 1, "n_false": 1}),
        ([0, 0, 0, 0], {"exact": 0, "jaccard": 0, "faithfulness": 0, "false_share": 0, "any_discovery": 0}),
    ],
)
def test_scores_of_wrong_sets_are_those_counted_by_hand(members, expected):
    scores = QUESTION.score(found(members), projected())
    assert {name: scores[name] for name in expected} == pytest.approx(expected)
    assert not QUESTION.recovered(scores)
    assert QUESTION.false_recovery(found(members), projected()) == (scores["false_share"] > 0.5)


def test_the_score_is_integrated_over_sizes():
    """The best 1, 2, 3, 4 units: in the order c, a, b, d the behaviour is there from the second on, of four."""
    for score, expected in (([3, 2, 4, 1], 3 / 4), ([2, 3, 1, 4], 1 / 4), ([4, 3, 2, 1], 2 / 4)):
        assert QUESTION.score(found(EITHER[0], score), projected())["faithfulness_by_size"] == expected


def test_edges_are_right_if_they_are_one_of_the_minimal_sets():
    truth, none = projected(), np.zeros((4, 4), bool)
    for edges, exact, overlap in (
        (EDGES[0], 1, 1), (EDGES[1], 1, 1), (EDGES[0] | EDGES[1], 0, 1 / 2), (none, 0, 0),
        (EDGES[0].T, 0, 0),
    ):  # fmt: skip
        scores = QUESTION.score(found(EITHER[0], edges=edges), truth)
        assert (scores["edges_exact"], scores["edges_jaccard"]) == (exact, overlap)
        assert QUESTION.recovered(scores) == bool(exact)
    assert math.isnan(QUESTION.score(found(EITHER[0]), truth)["edges_exact"])
    assert QUESTION.recovered(QUESTION.score(found(EITHER[0]), truth))  # who states no edges is not asked


def test_where_nobody_is_needed_the_empty_circuit_is_the_right_one():
    truth = projected("elsewhere")
    assert truth["minimal"].values.tolist() == [[False] * 4]
    scores = QUESTION.score(found([0, 0, 0, 0]), truth)
    assert (scores["exact"], scores["jaccard"], scores["minimal"], scores["least_size"]) == (1, 1, 1, 0)
    assert QUESTION.recovered(scores)
    assert not QUESTION.false_recovery(found([0, 0, 0, 0]), truth)
    assert QUESTION.false_recovery(found([1, 0, 0, 0]), truth)
    assert QUESTION.chance(truth) == {"exact": 1.0, "false_share": 0.0}


def test_an_abstention_scores_nothing_and_claims_nothing():
    refusal = Finding.abstain("cannot tell")
    assert all(math.isnan(value) for value in QUESTION.score(refusal, projected()).values())
    assert not QUESTION.false_recovery(refusal, projected())


@pytest.mark.parametrize("name", ["redundant", "gated", "two_pathways", "elsewhere", "off_target"])
def test_the_oracle_recovers(name):
    truth = projected(name)
    oracle = QUESTION.baselines()["oracle"](truth, recording(), stream(1))
    scores = QUESTION.score(oracle, truth)
    assert QUESTION.recovered(scores)
    assert scores["faithfulness_by_size"] >= 0.25


def test_random_is_at_chance_and_chance_is_a_count():
    """Of the six pairs of four units two are circuits; a quarter of the members is the bystander."""
    truth, rng = projected(), stream(4)
    chance = QUESTION.chance(truth)
    pairs = [np.isin(np.arange(4), pair) for pair in combinations(range(4), 2)]
    counted = [QUESTION.score(found(pair), truth) for pair in pairs]
    assert chance["exact"] == pytest.approx(np.mean([one["exact"] for one in counted])) == pytest.approx(2 / 6)
    assert chance["false_share"] == pytest.approx(np.mean([one["false_share"] for one in counted]))
    draws = [QUESTION.score(QUESTION.baselines()["random"](truth, recording(), rng), truth) for _ in range(400)]
    for name, stated in chance.items():
        values = np.array([draw[name] for draw in draws])
        assert abs(values.mean() - stated) <= 4 * values.std() / 20, name


def test_blind_baselines_name_as_many_as_the_smallest_circuit_has():
    for kind in ("random", "marginals_only"):
        said = QUESTION.baselines()[kind](projected(), recording(), stream(1)).estimate
        assert said["members"].sum() == 2
        assert QUESTION.baselines()[kind](projected("elsewhere"), recording(), stream(1)).estimate["members"].sum() == 0
