"""Analyses of decisions, on circuits whose mechanism is known: what each finds, what it must not, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_rigs import CANDIDATES, REGIMES, DecisionRig, recorded

from circuits.decision.decision_attractor import DecisionAttractor
from circuits.decision.ramping_decision import RampingDecision
from circuits.decision.stepping_decision import SteppingDecision
from methods.dynamics import _chains
from methods.dynamics.bimodality import Bimodality, n_modes, unimodal
from methods.dynamics.hidden_markov import HiddenMarkov
from methods.dynamics.pulse_fate import PulseFate
from methods.dynamics.pulse_regime import PulseRegime
from methods.dynamics.step_or_ramp import StepOrRamp, drifting
from methods.dynamics.varce_corce import VarceCorce, growth
from simlab.contracts import Budget
from simlab.data import recording
from simlab.streams import stream

COMPARED = StepOrRamp(n_folds=2)
PASSIVE = (COMPARED, VarceCorce(n_resamples=100), HiddenMarkov(n_folds=2), Bimodality(n_resamples=39))


def poisson(trials: int = 60, units: int = 6, rate: float = 15.0):
    """Units that fire at a steady rate, whatever is decided."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(rate, (trials, units))
    trial, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    made = recording(duration=1.0, n_units=units, n_trials=trials, spikes=(trial, rng.uniform(0, 1, len(trial)), unit))
    return made.assign_attrs(brief={"candidates": CANDIDATES})


@pytest.fixture(scope="module")
def worlds():
    """60 trials of 30 units of ramps and of steps."""
    made = RampingDecision(n_neurons=40), SteppingDecision(RampingDecision(n_neurons=40))
    return {circuit.mechanism: recorded(circuit, 1, 30, trials=60) for circuit in made}


def label(finding) -> str:
    return finding.abstained or str(finding.estimate["label"])


# --- models


@pytest.mark.parametrize("mechanism", ["ramping", "stepping"])
def test_the_better_of_two_models_is_that_of_the_mechanism(worlds, mechanism):
    found = COMPARED.analyse(worlds[mechanism], np.random.default_rng(0))
    assert label(found) == mechanism
    assert found.confidence > 0.9
    assert found.notes["gain"] > 1
    assert found.estimate["probability"].sum() == pytest.approx(1)


def test_a_ramp_that_knows_no_baseline_loses_on_ramps(worlds):
    short = replace(COMPARED, ramp="no baseline", most_units=8)
    assert label(short.analyse(worlds["ramping"], np.random.default_rng(0))) == "stepping"


def test_a_few_states_beat_a_continuum_on_steps_and_only_there(worlds):
    found = {name: HiddenMarkov(n_folds=2).analyse(world, np.random.default_rng(0)) for name, world in worlds.items()}
    assert label(found["stepping"]) == "stepping"
    assert found["stepping"].confidence > 0.95
    assert found["ramping"].notes["line_minus_states"] > found["stepping"].notes["line_minus_states"] + 0.5


def test_the_likelihood_of_a_chain_is_the_sum_over_all_paths():
    rng = np.random.default_rng(0)
    moves, start, emission = rng.dirichlet(np.ones(3), 3), rng.dirichlet(np.ones(3)), rng.normal(size=(2, 4, 3))
    total, chance, pairs = _chains.posterior(emission, start, moves)
    for trial in range(2):
        paths = np.stack(np.meshgrid(*[np.arange(3)] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
        log = np.log(start[paths[:, 0]]) + np.log(moves[paths[:, :-1], paths[:, 1:]]).sum(1)
        weight = np.exp(log + emission[trial][np.arange(4), paths].sum(1))
        assert total[trial] == pytest.approx(np.log(weight.sum()))
        at_two = np.array([weight[paths[:, 2] == state].sum() for state in range(3)]) / weight.sum()
        assert chance[trial, 2] == pytest.approx(at_two)
    assert pairs.sum() == pytest.approx(2 * 3)


def test_a_drifting_baseline_is_read_off_the_trials_around():
    rng, slow = np.random.default_rng(0), 1 + 0.5 * np.sin(np.arange(200) / 15)
    counts = rng.poisson(slow[:, None, None] * np.full((200, 10, 3), 3.0)).astype(float)
    assert np.corrcoef(drifting(counts, np.arange(200) % 2)[:, 0], slow)[0, 1] > 0.9


# --- variances and heaps


@pytest.mark.parametrize("mechanism", ["ramping", "stepping"])
def test_ramps_and_steps_alike_have_the_variances_of_a_diffusion(worlds, mechanism):
    assert label(VarceCorce(n_resamples=100).analyse(worlds[mechanism], np.random.default_rng(0))) == "ramping"


def test_growth_is_the_rate_at_which_differences_are_amplified():
    rng, dt, slope = np.random.default_rng(0), 0.05, 2.0
    x = np.cumsum(rng.normal(0, 1, (4000, 16)), axis=1)
    assert growth(x, dt) == pytest.approx(0.0, abs=0.1)
    times = np.arange(16) * dt
    amplified = rng.normal(size=(4000, 1)) * np.exp(slope * times) + rng.normal(size=(4000, 16))
    assert growth(amplified, dt) == pytest.approx(slope, rel=0.1)


def test_one_heap_is_seldom_called_two_and_two_are_found():
    rng = np.random.default_rng(0)
    null = [unimodal(x / x.std(), 39, rng)[0] for x in rng.normal(size=(20, 60))]
    assert np.sum(np.array(null) <= 0.05) <= 3  # Silverman's test is conservative: of .05, more than 3 come in 1 of 60
    two = np.concatenate([rng.normal(-1, 0.3, 40), rng.normal(1, 0.3, 40)])
    assert unimodal(two / two.std(), 39, rng)[0] <= 0.05
    assert n_modes(two, 0.2) == 2


def test_what_ends_at_bounds_is_taken_for_an_attractor(worlds):
    assert (
        label(Bimodality(n_resamples=39).analyse(worlds["ramping"], np.random.default_rng(0))) == "attractor decision"
    )


# --- pushes


def test_a_push_stays_in_an_attractor_which_has_two_states():
    rig = DecisionRig(DecisionAttractor(), 1, 40, Budget(90, 90.0, 90))
    found = PulseFate(steps=COMPARED).investigate(rig, np.random.default_rng(1))
    assert label(found) == "attractor decision"
    assert found.notes["after"] > 5 * found.notes["after_error"]
    rig = DecisionRig(DecisionAttractor(), 1, 40, brief={"candidates": REGIMES})
    assert label(PulseRegime(n_resamples=99).investigate(rig, np.random.default_rng(1))) == "bistable"


def test_a_push_is_forgotten_where_the_latent_is_elsewhere_and_models_say_which():
    circuit = SteppingDecision(RampingDecision(n_neurons=40))
    found = PulseFate(steps=COMPARED).investigate(DecisionRig(circuit, 3, 40), np.random.default_rng(1))
    assert label(found) == "stepping"
    assert abs(found.notes["after"]) < 3 * found.notes["after_error"]
    rig = DecisionRig(circuit, 3, 40, brief={"candidates": REGIMES})
    assert label(PulseRegime().investigate(rig, np.random.default_rng(1))) == "driven"


@pytest.mark.parametrize("method", [PulseFate(), PulseRegime()], ids=lambda m: m.name)
def test_a_budget_too_small_is_an_abstention_that_spends_nothing(method):
    few = Budget(20, 20.0, 4)
    rig = DecisionRig(RampingDecision(), 0, 10, few, {"candidates": (*CANDIDATES, *REGIMES)})
    assert "budget" in method.investigate(rig, np.random.default_rng(0)).abstained
    assert rig.remaining == few
    rig = DecisionRig(RampingDecision(), 0, 10, brief={"candidates": ("this", "that")})
    assert "tells" in method.investigate(rig, np.random.default_rng(0)).abstained
    assert rig.sessions == 0


def test_a_push_without_effect_is_an_abstention():
    rig = DecisionRig(RampingDecision(), 0, 10)
    found = replace(PulseFate(), strength=1e-3).investigate(rig, np.random.default_rng(0))
    assert "did nothing" in found.abstained


# --- refusals


@pytest.mark.parametrize("method", PASSIVE, ids=lambda m: m.name)
def test_where_nothing_is_decided_it_abstains_or_finds_no_attractor(method):
    found = method.analyse(poisson(), np.random.default_rng(0))
    assert found.abstained or label(found) == "ramping"
    if method.name != "bimodality":  # one heap is an answer there
        assert found.abstained


@pytest.mark.parametrize("method", PASSIVE, ids=lambda m: m.name)
def test_other_candidates_and_silent_units_are_an_abstention(method, worlds):
    other = worlds["ramping"].assign_attrs(brief={"candidates": ("this", "that")})
    assert "tells" in method.analyse(other, np.random.default_rng(0)).abstained
    silent = recording(duration=1.0, n_units=4, n_trials=40, spikes=(np.zeros(0, int), np.zeros(0), np.zeros(0, int)))
    assert "active" in method.analyse(silent.assign_attrs(brief={"candidates": CANDIDATES}), stream(0, "m")).abstained
