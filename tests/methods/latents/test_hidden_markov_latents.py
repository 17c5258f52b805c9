"""Which of hidden Markov models that predict about as well is chosen, and where none is."""

import numpy as np
import pytest
from latent_worlds import finding_of, scored

from circuits.latent.markov_states import MarkovStates
from circuits.latent.own_states import OwnStates
from methods.latents._hidden_markov import Chain, fitted, repeated
from methods.latents.hidden_markov_latents import NOT_SHARED, HiddenMarkovLatents

STATES = MarkovStates(n_neurons=40, states=3, depth=1.0)
SIZES = (2, 3, 7)


def method(choice):
    return HiddenMarkovLatents(choice, sizes=SIZES, restarts=2, rounds=20, draws=20)


@pytest.mark.parametrize("choice", ["few_shot", "consistency"])
def test_a_second_look_finds_the_states_that_are_there(choice):
    finding = finding_of(method(choice), STATES)
    assert finding.notes["states"] == 3
    found = scored(method(choice), STATES)
    assert min(found["r2_of_truth"], found["r2_of_answer"]) > 0.9


def test_too_many_states_predict_as_well_hold_the_truth_and_more():
    notes = finding_of(method("any"), STATES).notes
    assert notes["as_good"] == [3, 7]
    loss = {kind: 1 - notes[kind][7] / notes[kind][3] for kind in ("full", "few")}
    assert loss["full"] < 0.05
    assert loss["few"] > 2 * max(loss["full"], 0)
    found = scored(HiddenMarkovLatents("best", sizes=(7,), rounds=20), STATES)
    assert found["r2_of_truth"] > 0.9
    assert found["r2_of_answer"] < 0.6


def test_neurons_with_their_own_states_and_too_few_of_them_are_abstentions():
    assert finding_of(method("few_shot"), OwnStates(STATES)).abstained == NOT_SHARED
    assert "units" in finding_of(method("few_shot"), MarkovStates(n_neurons=5)).abstained
    assert "trials" in finding_of(method("few_shot"), STATES, trials=4).abstained
    assert "spikes" in finding_of(method("few_shot"), MarkovStates(model="rate")).abstained


def test_states_are_found_again_up_to_sampling_and_a_strange_one_is_not():
    rng = np.random.default_rng(0)
    levels = np.array([[0.1, 1.0], [1.0, 0.1]]).repeat(20, axis=1)
    state = (np.arange(100) // 10) % 2
    halves = [rng.poisson(levels[np.tile(state, (40, 1))]).astype(float) for _ in range(2)]
    one, other = (fitted(half, 2, 2, 20, rng) for half in halves)
    # a mean of 40 squared standard normal numbers: 1 +- .2, the larger of two
    assert 0.5 < repeated(one, other, halves[0]) < 2.0
    strange = Chain(other.levels * 1.5, other.start, other.moves, other.fit)
    assert repeated(one, strange, halves[0]) > 10
