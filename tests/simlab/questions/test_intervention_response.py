"""Predictions of held-out interventions: which they are, what is true, and what right and wrong answers score."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import xarray as xr

from circuits.causal.redundant import Redundant
from simlab import score, truths
from simlab.coalitions import members
from simlab.contracts import Finding, SimlabError
from simlab.data import recording
from simlab.questions.form import check_truth, validate
from simlab.questions.intervention_response import InterventionResponse, held_out
from simlab.registry import create
from simlab.scoring import Truth, told
from simlab.session import Effect
from simlab.streams import stream

QUESTION = InterventionResponse()
AND_OF_OR = ((members(4)[:, 0] | members(4)[:, 1]) & members(4)[:, 2]).astype(float)  # (a or b) and c; d is nothing


def projected(values, key=None, question=QUESTION):
    truth = truths.game(np.asarray(values, dtype=float))
    n = truth.sizes["player"]
    key = xr.DataArray(np.eye(n) if key is None else key, dims=("unit", "neuron"))
    return Truth(truth, key, told(question, (), truth, key.sizes["unit"])).projected(question)


def found(outcome, **more):
    return Finding({"outcome": np.asarray(outcome, dtype=float), **more})


# --- what is held out


@pytest.mark.parametrize("n_units", range(41))
def test_held_out_are_different_sets_of_two_units_and_more_and_half_is_left_to_learn_from(n_units):
    sets = held_out(n_units)
    assert len(set(sets)) == len(sets) <= 12
    assert all(list(one) == sorted(set(one)) and len(one) >= 2 and max(one) < n_units for one in sets)
    assert {len(one) for one in sets} == {k for k in (2, 3, n_units // 2) if 2 <= k <= n_units}
    for size in range(2, min(n_units, 6)):
        assert sum(len(one) == size for one in sets) <= (len(list(combinations(range(n_units), size))) + 1) // 2
    assert sets == held_out(n_units)


def test_the_brief_speaks_of_units_and_knows_their_number_alone():
    one, other = (told(QUESTION, (), truths.game(values), 4) for values in (AND_OF_OR, np.zeros(16)))
    assert one == other == {"interventions": held_out(4)}
    assert told(create("questions", "necessity"), (), truths.game(AND_OF_OR), 4) == {"negligible": 0.02}


# --- truth


def test_true_outcomes_are_those_of_the_game():
    truth = projected(AND_OF_OR)
    check_truth(truths.game(AND_OF_OR), QUESTION)
    for one, outcome, additive in zip(held_out(4), truth["outcome"].values, truth["additive"].values, strict=True):
        left = set(range(4)) - set(one)
        assert outcome == float(bool(left & {0, 1}) and 2 in left)
        assert additive == (0.0 if 2 in one else 1.0)
    assert truth["natural"] == 1.0


def test_true_outcomes_are_what_sessions_with_these_areas_held_silent_show():
    """The other route: each held-out set in simulation, 4000 trials of it."""
    subject = Redundant(copies=3, lapse=0.1).subject(stream(1, "subject"))
    n, trials = subject.layout.n_areas, 4000
    truth = Truth(subject.truth("intervention_response", None, stream(1, "truth")), _identity(n)).projected(QUESTION)
    session, rng = subject.session(trials=trials, duration=0.3, rng=stream(1, "session")), stream(1, "run")
    seen = []
    for row in truth["silenced"].values:
        hold = Effect("hold", np.where(row, 0.0, np.nan), 0.0, session.duration)
        seen.append(subject.run(session.perturbed(hold), rng)["outcome"].values.mean())
    true = truth["outcome"].values
    assert np.ptp(true) > 0.5
    # eight shares of 4000; 4 standard errors are passed by chance in one of 2000 runs
    assert np.all(np.abs(seen - true) <= 4 * np.sqrt(true * (1 - true) / trials) + 1e-9)


def _identity(n):
    return xr.DataArray(np.eye(n), dims=("unit", "neuron"))


def test_units_that_are_the_same_neuron_no_neuron_or_no_player_are_what_they_are():
    key = np.array([[1, 0, 0], [0.9, 0, 0], [0, 0, 1], [0, 0, 0]], dtype=float)  # neuron 1 was not recorded
    values = members(3) @ [0.5, 0.2, 0.3]
    truth = projected(values, key)
    loss = {0: 0.5, 1: 0.5, 2: 0.3, 3: 0.0}
    for one, outcome in zip(held_out(4), truth["outcome"].values, strict=True):
        once = set(one) - ({1} if {0, 1} <= set(one) else set())
        assert outcome == pytest.approx(1 - sum(loss[u] for u in once))


def test_a_truth_without_a_game_is_refused():
    with pytest.raises(SimlabError, match="states `value` and `player`"):
        QUESTION.project(truths.per_neuron(importance=[1.0, 0.0]), _identity(2))


# --- scores


def test_right_outcomes_are_recovered_and_what_adds_up_is_not():
    truth = projected(AND_OF_OR)
    true = truth["outcome"].values
    right = QUESTION.score(found(true, low=true - 0.1, high=true), truth)
    assert (right["r2"], right["rmse"], right["skill"], right["coverage"], right["pearson"]) == (1, 0, 1, 1, 1)
    assert QUESTION.recovered(right)
    assert right["n_interventions"] == len(held_out(4))
    added = QUESTION.score(found(truth["additive"].values), truth)
    assert added["r2"] == right["additive_r2"] < 0.8
    assert not QUESTION.recovered(added)
    assert np.isnan(added["coverage"])


def test_no_change_has_no_skill_and_the_mean_has_no_r2():
    truth = projected(AND_OF_OR)
    true = truth["outcome"].values
    assert QUESTION.score(found(np.ones(len(true))), truth)["skill"] == 0
    mean = QUESTION.score(found(np.full(len(true), true.mean())), truth)
    assert mean["r2"] == pytest.approx(0)
    assert mean["pearson"] == 0
    assert mean["bias"] == pytest.approx(0)


def test_where_all_held_out_interventions_do_the_same_r2_is_undefined_and_skill_decides():
    truth = projected(members(4).all(axis=1))  # a gate: the loss of any unit ends the behaviour
    n = truth.sizes["intervention"]
    right, near, no_change = (QUESTION.score(found(np.full(n, value)), truth) for value in (0.0, 0.3, 1.0))
    assert np.isnan([right["r2"], near["r2"], no_change["r2"], right["pearson"]]).all()
    assert [one["skill"] for one in (right, near, no_change)] == pytest.approx([1.0, 0.91, 0.0])
    assert [QUESTION.recovered(one) for one in (right, near, no_change)] == [True, True, False]
    assert np.isnan(QUESTION.chance(truth)["r2"])
    assert QUESTION.chance(truth)["skill"] == pytest.approx(1 - (0.25 + 1 / 12))


def test_where_nothing_matters_nothing_is_recovered_and_any_claimed_change_is_false():
    truth = projected(np.full(16, 0.7))
    n = truth.sizes["intervention"]
    none = QUESTION.score(found(np.full(n, 0.65)), truth)
    assert np.isnan([none["r2"], none["skill"], none["pearson"]]).all()
    assert not QUESTION.recovered(none)
    assert not QUESTION.false_recovery(found(np.full(n, 0.65)), truth)
    assert QUESTION.false_recovery(found(np.full(n, 0.5)), truth)
    assert QUESTION.score(found(np.full(n, 0.5)), truth)["n_false"] == n
    assert not QUESTION.false_recovery(Finding.abstain("no"), truth)
    assert all(np.isnan(v) for v in QUESTION.score(Finding.abstain("no"), truth).values())
    assert set(none) == set(QUESTION.metrics)


@pytest.mark.parametrize("n_units", [1, 2])
def test_too_few_units_leave_too_little_to_be_asked(n_units):
    truth = projected(np.linspace(0, 1, 2**n_units))
    metrics = QUESTION.score(found(np.zeros(truth.sizes["intervention"])), truth)
    assert np.isnan(metrics["r2"])
    assert metrics["n_interventions"] == n_units - 1
    assert np.isnan(QUESTION.chance(truth)["r2"])


def test_chance_is_what_random_numbers_get():
    truth, rng = projected(members(5) @ [0.1, 0.4, 0.2, 0.05, 0.25]), stream(1, "chance")
    recorded = recording(duration=1.0, n_units=5, n_trials=1, spikes=(np.zeros(5), np.full(5, 0.5), np.arange(5)))
    answers = QUESTION.baselines()
    drawn = [QUESTION.score(answers["random"](truth, recorded, rng), truth) for _ in range(2000)]
    for name, expected in QUESTION.chance(truth).items():
        values = [metrics[name] for metrics in drawn]
        assert np.mean(values) == pytest.approx(expected, abs=5 * np.std(values) / np.sqrt(2000))
    assert QUESTION.score(answers["oracle"](truth, recorded, rng), truth)["r2"] == 1
    # five units of equal activity: each is worth a fifth
    even = answers["marginals_only"](truth, recorded, rng).estimate["outcome"]
    assert even == pytest.approx(1 - np.array([len(one) for one in held_out(5)]) / 5)


def test_an_answer_has_one_outcome_from_0_to_1_for_each_intervention_of_the_brief():
    brief = {"interventions": held_out(4)}
    for wrong, rule in (([0.5], "5 along intervention"), ([1.2] * 5, r"outcome must lie in 0..1")):
        with pytest.raises(SimlabError, match=rule):
            validate(found(wrong), QUESTION, {"unit": 4}, brief)
    told_so = score(
        found([0, 1, 0, 1, 0.0]), {"value": AND_OF_OR, "player": range(4)}, "intervention_response", key=_identity(4)
    )
    assert told_so["n_interventions"] == 5


def test_criteria_are_fields():
    strict = replace(QUESTION, least_r2=1.1)
    truth = projected(AND_OF_OR)
    assert not strict.recovered(strict.score(found(truth["outcome"].values), truth))
    with pytest.raises(SimlabError, match="negligible must be <= least_change"):
        InterventionResponse(negligible=0.2)
