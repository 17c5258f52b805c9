"""The question `necessity`: its truth by other routes, projection onto who was recorded, scores by hand, chance."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import xarray as xr
from lesion_tables import DURATION, by_patterns

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.questions.form import check_truth
from simlab.questions.necessity import Necessity
from simlab.registry import create
from simlab.session import Effect
from simlab.streams import stream

QUESTION = Necessity()
NONE = dict.fromkeys(QUESTION.metrics, float("nan"))


def key_of(matrix) -> xr.DataArray:
    return xr.DataArray(np.asarray(matrix, dtype=float), dims=("unit", "neuron"))


@cache
def subject_of(name: str = "redundant", **parameters):
    return create("circuits", name, lapse=0.0, **parameters).subject(stream(1, "subject"))


def truth_of(name: str = "redundant", **parameters) -> xr.Dataset:
    return subject_of(name, **parameters).truth("necessity", None, stream(0))


def projected(truth: xr.Dataset, n: int = 4) -> xr.Dataset:
    return QUESTION.project(truth, key_of(np.eye(n)))


@cache
def recording() -> xr.Dataset:
    subject = subject_of()
    activity = subject.run(subject.session(trials=20, duration=0.5, rng=stream(1)), stream(1))
    return Perfect().implant(subject.anatomy, stream(0)).record(activity, stream(1))


def found(importance, decided) -> Finding:
    return Finding({"importance": np.array(importance, dtype=float), "decided": np.array(decided, dtype=bool)})


# --- truth -----------------------------------------------------------------------------------------------------------


def test_the_truth_of_either_and_gate_is_a_sixth_a_sixth_two_thirds_and_nothing():
    check_truth(truth_of(), QUESTION)
    seen = projected(truth_of())
    assert seen["importance"].values == pytest.approx([1 / 6, 1 / 6, 2 / 3, 0], abs=1e-12)
    assert seen["single"].values.tolist() == [0, 0, 1, 0]
    assert seen["needed"].values.tolist() == [True, True, True, False]
    assert not seen["ambiguous"].values.any()
    assert QUESTION.brief((), seen) == {"negligible": 0.02}


def test_whom_nobody_recorded_stays_intact():
    """Seen are a and c, of a, b, c: what sessions lose in which a, c or both are silenced and b is left alone."""
    subject, sets = subject_of(), [[], [2], [0], [0, 2]]
    session, mine = by_patterns(subject, len(sets), 1)
    effects = [
        Effect("hold", np.where(np.isin(np.arange(4), gone), 0.0, np.nan), 0.0, DURATION, (i,))
        for i, gone in enumerate(sets)
        if gone
    ]
    both, without_c, without_a, neither = subject.run(session.perturbed(*effects), stream(1))["outcome"].values
    expected = [
        ((both - without_a) + (without_c - neither)) / 2,
        ((both - without_c) + (without_a - neither)) / 2,
    ]
    seen = QUESTION.project(truth_of(), key_of(np.eye(4)[[0, 2]]))["importance"].values
    assert seen.tolist() == expected == [0.0, 1.0]
    assert list(mine) == [0, 1, 2, 3]


def test_the_implant_of_an_instrument_says_who_is_asked_about():
    subject = subject_of(copies=3, bystanders=3)
    implant = Subsample(n_units=4).implant(subject.anatomy, stream(3))
    seen = QUESTION.project(truth_of(copies=3, bystanders=3), implant.key)
    who = implant.key.transpose("unit", "neuron").values.argmax(axis=1)
    all_copies = set(range(3)) <= set(who.tolist())
    expected = [neuron == 3 or (neuron < 3 and all_copies) for neuron in who]
    assert len(who) == 4
    assert seen["needed"].values.tolist() == expected


def test_a_unit_is_the_neuron_that_dominates_it_and_noise_is_nobody():
    key = key_of([[0.3, 0, 0.7, 0], [0, 0.6, 0, 0.4], [0, 0, 0, 0], [0.9, 0, 0, 0.1]])
    seen = QUESTION.project(truth_of(), key)
    assert seen["importance"].values == pytest.approx([2 / 3, 1 / 6, 0, 1 / 6])
    turned = QUESTION.project(truth_of(), key.transpose("neuron", "unit"))
    assert turned.equals(seen)


def test_two_units_that_are_one_neuron_are_one_player():
    """Silencing either silences both: each is as important as the neuron."""
    seen = QUESTION.project(truth_of(), key_of(np.eye(4)[[2, 2, 0, 1]]))
    assert seen["importance"].values == pytest.approx([2 / 3, 2 / 3, 1 / 6, 1 / 6])


def test_players_may_be_some_of_the_neurons():
    values = np.array([0, 0, 0, 1.0])  # both of two are needed: neurons 3 and 1
    seen = projected(truths.game(values, np.array([3, 1])))
    assert seen["importance"].values.tolist() == [0, 0.5, 0, 0.5]


def test_estimated_importances_leave_open_what_their_errors_do():
    """All together add 1: negligible is 0.02; two standard errors on either side of it are ambiguous."""
    truth = truths.per_neuron(
        importance=np.array([0.95, 0.05, 0.03, -0.03]), importance_se=np.array([0.01, 0.01, 0.01, 0.001])
    )
    check_truth(truth, QUESTION)
    seen = projected(truth)
    assert seen["ambiguous"].values.tolist() == [False, False, True, False]
    assert seen["needed"].values.tolist() == [True, True, True, True]
    assert np.isnan(seen["single"].values).all()
    exact = projected(truths.per_neuron(importance=truth["importance"].values))
    assert not exact["ambiguous"].values.any()


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (truths.game(np.zeros(4), np.array([0, 1, 2])), "a game of 3 players has 8 values, got 4"),
        (xr.Dataset({"value": ("coalition", np.zeros(4))}), "states `value` and `player`, or `importance`"),
        (xr.Dataset(), "got neither"),
    ],
)
def test_a_truth_that_states_no_game_and_no_importance_is_refused(truth, message):
    with pytest.raises(SimlabError, match=message):
        projected(truth)


# --- scores ----------------------------------------------------------------------------------------------------------


def test_scores_of_a_small_finding_are_those_counted_by_hand():
    scores = QUESTION.score(found([0.1, 0.0, 0.9, 0.2], [False, True, True, True]), projected(truth_of()))
    assert set(scores) == set(QUESTION.metrics)
    # true ranks 2.5, 2.5, 4, 1; said 2, 1, 4, 3
    assert scores["spearman"] == pytest.approx(np.corrcoef([2.5, 2.5, 4, 1], [2, 1, 4, 3])[0, 1])
    # pairs that differ: a c, b c, c d right; a d, b d wrong; a and b matter alike
    assert scores["order"] == pytest.approx((3 - 2) / 5)
    assert scores["pearson"] == pytest.approx(np.corrcoef([1 / 6, 1 / 6, 2 / 3, 0], [0.1, 0, 0.9, 0.2])[0, 1])
    assert (scores["precision"], scores["recall"]) == pytest.approx((2 / 3, 2 / 3))
    assert scores["false_share"] == pytest.approx(1 / 3)
    assert (scores["n_false"], scores["n_missed"], scores["n_asked"], scores["n_needed"]) == (1, 1, 4, 3)
    assert scores["single_lesion_spearman"] == pytest.approx(np.corrcoef([2.5, 2.5, 4, 1], [2, 2, 4, 2])[0, 1])
    assert scores["exact"] == 0


def test_recovered_takes_the_right_units_and_the_right_ranks():
    truth, right = projected(truth_of()), [True, True, True, False]
    for importance, decided, is_recovered in (
        ([0.17, 0.16, 0.7, 0.01], right, True),
        ([0.17, 0.16, 0.7, 0.01], [True, False, True, False], False),
        ([0.17, 0.01, 0.16, 0.7], right, False),
        ([0.0, 0.0, 1.0, 0.0], [False, False, True, False], False),  # what single lesions say
    ):
        assert QUESTION.recovered(QUESTION.score(found(importance, decided), truth)) == is_recovered


def test_of_units_that_matter_alike_any_order_is_right():
    """Four of five matter alike: noise orders them somehow, and Spearman's correlation can be 1 / sqrt(2) at most."""
    truth = projected(truth_of("gated"), 5)
    noisy = found([0.11, 0.13, 0.12, 0.14, 0.01], [True, True, True, True, False])
    scores = QUESTION.score(noisy, truth)
    assert scores["spearman"] == pytest.approx(np.sqrt(0.5))
    assert scores["order"] == 1
    assert QUESTION.recovered(scores)
    wrong = QUESTION.score(found([0.11, 0.13, 0.12, 0.14, 0.115], [True, True, True, True, False]), truth)
    assert wrong["order"] == pytest.approx((3 - 1) / 4)
    assert not QUESTION.recovered(wrong)
    coarse = QUESTION.score(found([0, 0, 1, 0], [True, True, True, False]), projected(truth_of()))
    assert coarse["order"] == pytest.approx(3 / 5)  # what is not told apart is not in the right order


def test_ambiguous_units_enter_no_score():
    truth = projected(truths.per_neuron(importance=[0.9, 0.021, 0.0, 0.079], importance_se=[0.01, 0.01, 0.0, 0.01]))
    assert truth["ambiguous"].values.tolist() == [False, True, False, False]
    scores = [
        QUESTION.score(found([1, wild, 0, 0.5], [True, claimed, False, True]), truth)
        for wild, claimed in ((9.0, True), (-9.0, False))
    ]
    assert scores[0] == pytest.approx(scores[1], nan_ok=True)
    assert (scores[0]["n_asked"], scores[0]["exact"], scores[0]["spearman"]) == (3, 1, pytest.approx(1))


def test_where_nothing_is_asked_nothing_is_recovered():
    truth = projected(truths.per_neuron(importance=[0.02] * 4, importance_se=[1.0] * 4))
    scores = QUESTION.score(found([0, 0, 0, 0], [False] * 4), truth)
    assert scores["n_asked"] == 0
    assert not QUESTION.recovered(scores)


def test_where_nobody_is_needed_any_unit_is_a_false_recovery():
    truth = projected(truth_of("elsewhere"))
    assert not truth["needed"].values.any()
    nobody, one = found([0, 0, 0, 0.1], [False] * 4), found([0, 0, 0, 0.1], [False, False, False, True])
    assert not QUESTION.false_recovery(nobody, truth)
    assert QUESTION.false_recovery(one, truth)
    scores = QUESTION.score(nobody, truth)
    assert math.isnan(scores["spearman"])  # nothing to rank
    assert math.isnan(scores["pearson"])
    assert math.isnan(scores["order"])
    assert scores["exact"] == 1
    assert all(math.isnan(value) for value in QUESTION.chance(truth).values())


def test_an_answer_that_ranks_nothing_gets_nothing_for_its_ranks():
    scores = QUESTION.score(found([1, 1, 1, 1], [True] * 4), projected(truth_of()))
    assert (scores["spearman"], scores["order"], scores["pearson"], scores["recall"]) == (0, 0, 0, 1)


def test_an_abstention_scores_nothing_and_claims_nothing():
    refusal = Finding.abstain("cannot tell")
    assert QUESTION.score(refusal, projected(truth_of())) == pytest.approx(NONE, nan_ok=True)
    assert not QUESTION.false_recovery(refusal, projected(truth_of()))


def test_the_oracle_is_perfect_and_random_is_at_chance():
    truth, rng, baselines = projected(truth_of()), stream(4), QUESTION.baselines()
    oracle = QUESTION.score(baselines["oracle"](truth, recording(), rng), truth)
    assert QUESTION.recovered(oracle)
    assert [oracle[name] for name in ("spearman", "order", "mcc", "precision", "recall")] == pytest.approx([1] * 5)
    draws = [QUESTION.score(baselines["random"](truth, recording(), rng), truth) for _ in range(400)]
    for name, chance in QUESTION.chance(truth).items():
        values = np.array([draw[name] for draw in draws])
        assert abs(values.mean() - chance) <= 4 * values.std() / np.sqrt(len(values)), name
    # ranks and choice right by luck: 1 in 4 chooses the bystander last, and few of these rank the rest
    assert np.mean([QUESTION.recovered(draw) for draw in draws]) < 0.25


def test_blind_baselines_decide_as_many_as_are_needed_and_one_where_nobody_is():
    none = projected(truth_of("elsewhere"))
    for kind in ("random", "marginals_only"):
        answer = QUESTION.baselines()[kind]
        assert answer(projected(truth_of()), recording(), stream(1)).estimate["decided"].sum() == 3
        assert answer(none, recording(), stream(1)).estimate["decided"].sum() == 1
