"""Held-out interventions predicted: from single losses, from pairs, from random sets, and from watching alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from parts_rig import World

from circuits.causal.parts import Firing, Layout, PartsSubject
from circuits.causal.redundant import Redundant
from methods.intervention._prediction import among, to_predict
from methods.intervention._silencing import Outcomes, alone
from methods.intervention.additive_losses import AdditiveLosses
from methods.intervention.logic_regression import LogicRegression, random_sets
from methods.intervention.pairwise_losses import PairwiseLosses, _expanded, _pairs
from methods.intervention.passive_regression import PassiveRegression
from simlab.contracts import Budget
from simlab.data import recording

QUESTION, UNLIMITED = "intervention_response", Budget()
ACTIVE = (AdditiveLosses(), PairwiseLosses(), PairwiseLosses(rule="expansion"), LogicRegression())


class Independent:
    """Areas each with an output of its own and a task of its own: an animal whose parts add up.

    The outcome is all or nothing, so it takes one output; which area that is changes from trial to trial. What is lost
    with a set is the share of its areas.
    """

    def __init__(self, n_areas: int, useless: int) -> None:
        self.n_areas, self.useless = n_areas, useless

    def subject(self, rng):
        n, used = self.n_areas, self.n_areas - self.useless
        outputs = tuple(range(used))
        wanted = np.eye(used, dtype=bool)
        shown = np.eye(used, n)
        layout = Layout(tuple(f"area {i}" for i in range(n)), np.zeros((n, n)), np.full(n, 0.5), shown, outputs, wanted)
        return PartsSubject("independent", layout, Firing(40.0, 4.0, 0.0))


@pytest.fixture(scope="module")
def either():
    """Two areas of which either will do, a gate, and two bystanders."""
    return World(Redundant(copies=2, bystanders=3, lapse=0.05), QUESTION)


@pytest.fixture(scope="module")
def sums():
    """Six areas whose losses add up, two of which are worth nothing."""
    return World(Independent(6, 2), QUESTION)


def answered(world, method, budget=UNLIMITED):
    with world.rig(budget) as rig:
        return method.investigate(rig, np.random.default_rng(0))


@pytest.fixture(scope="module")
def on_either(either):
    return {(m.name, getattr(m, "rule", "")): either.scored(answered(either, m)) for m in ACTIVE}


# --- controls


@pytest.mark.parametrize("method", ACTIVE, ids=lambda m: f"{m.name}-{getattr(m, 'rule', '')}")
def test_where_losses_add_up_all_but_the_weakest_link_are_right(sums, method):
    # an expansion adds up the noise of all pairs within a set
    metrics = sums.scored(
        answered(sums, replace(method, trials_each=400 if isinstance(method, PairwiseLosses) else 50))
    )
    assert metrics["n_interventions"] == 8
    if getattr(method, "rule", "") == "weakest":
        assert metrics["bias"] > 0.05  # three parts are as bad as the worst two of them
    else:
        assert metrics["r2"] > 0.8
        assert metrics["skill"] > 0.9


def test_substitutes_fool_whoever_silences_one_at_a_time(either, on_either):
    truth = either.truth.projected(either.question)
    pair = [i for i, row in enumerate(truth["silenced"].values) if row[:2].all() and not row[2]]
    assert pair, "both copies are silenced in one of the held-out interventions at least"
    assert truth["outcome"].values[pair] == pytest.approx(0.0)
    said = answered(either, AdditiveLosses()).estimate["outcome"]
    assert (said[pair] > 0.7).all()
    assert on_either["additive_losses", ""]["r2"] == pytest.approx(
        on_either["additive_losses", ""]["additive_r2"], abs=0.15
    )
    assert on_either["logic_regression", ""]["r2"] > on_either["additive_losses", ""]["r2"] + 0.1


def test_random_sets_recover_the_logic_of_substitutes(either, on_either):
    assert on_either["logic_regression", ""]["r2"] > 0.9
    assert either.question.recovered(on_either["logic_regression", ""])


def test_pairs_tell_of_substitutes_where_the_pair_is_not_held_out(either, on_either):
    held = {tuple(one) for one in either.truth.brief["interventions"]}
    assert (0, 1) not in held  # else no method of pairs could know; of six units four pairs of fifteen are held out
    assert on_either["pairwise_losses", "weakest"]["r2"] > 0.9


def test_an_expansion_to_pairs_takes_three_total_losses_for_none():
    """v = a AND b AND c: silenced alone or in pairs all is lost, and 1 - 3 + 3 = 1 of three."""
    done = np.concatenate([alone(3), _pairs(3, np.zeros((0, 3), bool), np.random.default_rng(0))])
    nothing = Outcomes(np.array([1.0, 0, 0, 0, 0, 0, 0]), np.full(7, 0.01), np.full(7, 10))
    outcome, error = _expanded(done, nothing, np.array([[True, True, True], [True, True, False]]))
    assert outcome == pytest.approx([1.0, 0.0])
    assert error[1] == pytest.approx(0.01)  # that of the pair itself


def test_watching_mistakes_bystanders_for_causes_and_misses_what_never_fails(either):
    natural = either.recording(300)
    method = PassiveRegression()
    metrics = either.scored(method.analyse(natural, np.random.default_rng(0)))
    assert metrics["r2"] < 0.5
    assert not either.question.recovered(metrics)


def test_watching_an_animal_whose_failures_show_the_cause_is_right_about_it():
    """One area and no substitute, failing half the time: its activity and the outcome are one thing."""
    world = World(Redundant(copies=1, bystanders=1, lapse=0.5), QUESTION)
    metrics = world.scored(PassiveRegression().analyse(world.recording(400), np.random.default_rng(0)))
    assert metrics["rmse"] < 0.25


# --- nobody can know


def test_intervals_hold_where_the_assumption_does(sums):
    for method in (AdditiveLosses(), PairwiseLosses(rule="expansion")):
        assert sums.scored(answered(sums, method))["coverage"] >= 7 / 8


@pytest.mark.parametrize("method", ACTIVE, ids=lambda m: f"{m.name}-{getattr(m, 'rule', '')}")
def test_they_abstain_where_the_budget_buys_too_little_or_there_is_nothing_to_predict(either, method):
    poor = answered(either, method, Budget(trials=10, seconds=10.0))
    assert "does not buy" in poor.abstained
    assert "does not buy" in answered(either, method, Budget(interventions=2)).abstained
    world = World(Redundant(copies=1, bystanders=0), QUESTION)
    world.truth.brief["interventions"] = ()
    assert "lists no interventions" in answered(world, method).abstained


@pytest.mark.parametrize("method", ACTIVE, ids=lambda m: f"{m.name}-{getattr(m, 'rule', '')}")
def test_they_keep_to_the_budget(either, method):
    with either.rig(Budget(trials=200, seconds=100.0, perturbations=180, interventions=12)) as rig:
        finding = replace(method, duration=0.5).investigate(rig, np.random.default_rng(0))
        assert not finding.abstained
        assert 0 <= rig.remaining.trials < 140


def test_passive_regression_abstains_without_an_outcome_or_failures():
    seen = recording(duration=1.0, n_units=3, n_trials=6, spikes=(np.arange(6), np.full(6, 0.5), np.arange(6) % 3))
    method, rng = PassiveRegression(), np.random.default_rng(0)
    assert "lists no interventions" in method.analyse(seen, rng).abstained
    told = seen.assign_attrs(brief={"interventions": ((0, 1),)})
    assert "scores no outcome" in method.analyse(told, rng).abstained
    same = told.assign(outcome=("trial", np.ones(6)))
    assert "the outcome is the same" in method.analyse(same, rng).abstained


# --- parts


def test_random_sets_are_new_not_empty_and_never_held_out():
    rng, held = np.random.default_rng(0), to_predict({"interventions": ((0, 1), (1, 2, 3))}, 4)
    few = random_sets(4, 50, held, rng)
    assert len(few) == 2**4 - 1 - 2
    assert few.any(axis=1).all()
    assert not among(few, held).any()
    many = random_sets(12, 50, np.zeros((0, 12), bool), rng)
    assert len(np.unique(many, axis=0)) == 50
    assert np.ptp(many.sum(axis=1)) >= 8
