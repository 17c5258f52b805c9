"""Causes, effects, bystanders of a behaviour: what interventions do, what environments change, and a twin at home."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import simlab
from circuits.causal.invariant_causes import InvariantCauses
from circuits.causal.reversed_causes import ReversedCauses, covariance
from simlab.coalitions import members, shapley
from simlab.contracts import SimlabError
from simlab.instruments.recording.perfect import Perfect
from simlab.registry import question
from simlab.session import Effect

CIRCUIT = InvariantCauses()  # units: causes 0, 1; effects 2, 3; sibling 4; bystander 5
TWIN = ReversedCauses()
TRIALS = 3000


@cache
def subject(circuit):
    return circuit.subject(np.random.default_rng(1))


@cache
def natural(circuit):
    made = subject(circuit)
    session = made.session(trials=TRIALS, duration=0.05, rng=np.random.default_rng(0))
    return session, made.run(session, np.random.default_rng(2))


def variables(circuit, environment):
    """(trial, variable): z of the units, then the behaviour."""
    session, seen = natural(circuit)
    here = np.array(session.conditions) == environment
    z = (seen["rate"].values[:, -1] - CIRCUIT.baseline) / CIRCUIT.gain
    return np.column_stack([z, seen["behaviour"].values[:, -1, 0]])[here]


def needed(circuit):
    made = subject(circuit)
    key = Perfect().implant(made.anatomy, np.random.default_rng(0)).key
    truth = made.truth("necessity", None, np.random.default_rng(0))
    return question("necessity").project(truth, key)["needed"].values.tolist()


def test_causes_alone_matter_and_in_the_twin_those_that_were_effects():
    assert needed(CIRCUIT) == [True, True, False, False, False, False]
    assert needed(TWIN) == [False, False, True, True, False, False]


@pytest.mark.parametrize("circuit", [CIRCUIT, TWIN])
def test_the_game_is_what_sessions_show_in_which_units_are_held(circuit):
    made, (session, _) = subject(circuit), natural(circuit)
    for number in (1, 2, 13, 60, 63):
        held = Effect("hold", np.where(members(6)[number], np.nan, CIRCUIT.baseline), 0.0, 0.05)
        outcome = made.run(session.perturbed(held), np.random.default_rng(4))["outcome"].values
        # 3000 trials: a standard error of 0.009 at most
        assert outcome.mean() == pytest.approx(made.values[number], abs=0.03), number


def test_an_intervention_on_a_cause_moves_the_behaviour_by_its_weight_and_one_on_an_effect_does_not():
    made, (session, _) = subject(CIRCUIT), natural(CIRCUIT)
    for unit in range(6):
        effects = [
            Effect("hold", np.where(np.arange(6) == unit, CIRCUIT.baseline + change, np.nan), 0.0, 0.05)
            for change in (0.0, CIRCUIT.gain)
        ]
        low, high = (made.run(session.perturbed(e), np.random.default_rng(2))["behaviour"].values for e in effects)
        moved = high - low
        assert moved == pytest.approx(made.model.weights[unit, 6], abs=1e-9)
        assert (unit in (0, 1)) == bool(abs(moved).max() > 0.5)
    correlation = np.corrcoef(variables(CIRCUIT, 0).T)[6]
    assert (np.abs(correlation[2:5]) > 0.3).all()  # effects and the sibling go with the behaviour nonetheless


def test_at_home_circuit_and_twin_have_one_distribution_and_elsewhere_not():
    np.testing.assert_allclose(covariance(subject(CIRCUIT).model), covariance(subject(TWIN).model), atol=1e-9)
    own, twin = (np.cov(variables(c, 0).T) for c in (CIRCUIT, TWIN))
    # 1000 trials: entries of up to 5, each to 4% or so
    np.testing.assert_allclose(own, covariance(subject(CIRCUIT).model), atol=0.7)
    np.testing.assert_allclose(twin, own, atol=0.9)
    away = [np.abs(np.cov(variables(c, 1).T) - own).max() for c in (CIRCUIT, TWIN)]
    assert min(away) > 0.7


@pytest.mark.parametrize(("circuit", "causes"), [(CIRCUIT, [0, 1]), (TWIN, [2, 3])])
def test_given_its_causes_and_nothing_else_the_behaviour_is_invariant(circuit, causes):
    def residual_means(predictors):
        every = [variables(circuit, e) for e in range(3)]
        pooled = np.concatenate(every)
        design = np.column_stack([np.ones(len(pooled)), pooled[:, predictors]])
        slope = np.linalg.lstsq(design, pooled[:, 6], rcond=None)[0]
        residual = pooled[:, 6] - design @ slope
        return np.abs([part.mean() for part in np.split(residual, np.cumsum([len(e) for e in every])[:-1])]).max()

    # a residual of 0.7, 1000 trials in each, less the mean of all: 0.018
    assert residual_means(causes) < 0.07
    for others in ([c for c in range(6) if c not in causes], list(range(6)), causes[:1], []):
        assert residual_means(others) > 0.07, others


def test_more_environments_leave_the_others_as_they_were_and_no_shift_makes_them_alike():
    more, fewer = (subject(InvariantCauses(environments=e)).model for e in (5, 2))
    np.testing.assert_array_equal(more.mean[:2], fewer.mean)
    still = subject(InvariantCauses(shift=0.0)).model
    assert not still.mean.any()
    assert (still.scale == 1).all()
    assert not more.mean[:, 6].any()
    assert subject(InvariantCauses(behaviour_shift=1.0)).model.mean[1:, 6].all()


def test_shares_of_the_outcome_add_up():
    values = subject(CIRCUIT).values
    assert values[0] == pytest.approx(0.5)  # noise, and a target that knows nothing of it
    assert shapley(values).sum() == pytest.approx(values[-1] - values[0])


def test_they_keep_the_contract_and_refuse_too_many_units():
    assert simlab.check(CIRCUIT, raises=False).ok
    assert simlab.check(TWIN, raises=False).ok
    assert InvariantCauses().prior(np.random.default_rng(0)).n_units >= 2
    with pytest.raises(SimlabError, match="are 16 at most together, got 15, 2, 1 and 1"):
        InvariantCauses(causes=15)
