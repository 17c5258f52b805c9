"""Each limit changes what it says and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import simlab
from circuits.causal.logic_tree import LogicTree
from circuits.causal.redundant import Redundant
from circuits.causal.task_areas import TaskAreas
from circuits.limits.few_stimuli import FewStimuli
from circuits.limits.strangers import Strangers
from circuits.limits.tiring import Tiring

ROWS = np.random.default_rng


def test_tired_synapses_end_the_behaviour_late_in_a_session_and_not_early() -> None:
    rested = Redundant(lapse=0.0).subject(ROWS(0))
    tired = Tiring(Redundant(lapse=0.0), time_constant=50.0, floor=0.1).subject(ROWS(0))
    session = rested.session(trials=200, duration=0.5, rng=ROWS(1))
    assert (rested.run(session, ROWS(2))["outcome"].values == 1).all()
    outcome = tired.run(session, ROWS(2))["outcome"].values  # two inputs of one: fails once both give 1/2 and less
    assert outcome[:20].all()
    assert not outcome[-100:].any()
    assert tired.truth("necessity", None, ROWS(0)).equals(rested.truth("necessity", None, ROWS(0)))


def test_of_few_stimuli_only_those_are_shown_each_with_its_own_stimulus() -> None:
    tree = LogicTree(inputs=2, lapse=0.0)
    few, whole = FewStimuli(tree, stimuli=2).subject(ROWS(0)), tree.subject(ROWS(0))
    session = few.session(trials=40, duration=0.5, rng=ROWS(3))
    assert set(session.conditions or ()) == {0, 1}
    assert set(whole.session(trials=40, duration=0.5, rng=ROWS(3)).conditions or ()) == {0, 1, 2, 3}
    assert (few.run(session, ROWS(0))["outcome"].values == 1).all()  # refused where stimulus and condition disagree


def test_each_session_meets_a_stranger_and_the_truth_stays_that_of_the_first() -> None:
    circuit = TaskAreas(watched=3, capable=6, middle=4, sharing=0.3)
    first, strangers = circuit.subject(ROWS(5)), Strangers(circuit).subject(ROWS(5))
    question = "localisation"
    assert strangers.truth(question, None, ROWS(0)).equals(first.truth(question, None, ROWS(0)))
    session = first.session(trials=120, duration=0.5, rng=ROWS(6))
    counts = [np.bincount(strangers.run(session, ROWS(k))["spike_neuron"].values, minlength=16) for k in (7, 8)]
    same = [np.bincount(first.run(session, ROWS(k))["spike_neuron"].values, minlength=16) for k in (7, 8)]
    assert np.abs(counts[0] - counts[1])[6:10].max() > 4 * np.abs(same[0] - same[1])[6:10].max()


@pytest.mark.parametrize("limit", [Tiring, FewStimuli, Strangers], ids=lambda c: c.name)
def test_the_circuit_inside_gives_mechanism_and_questions(limit: type) -> None:
    assert limit().mechanism == "redundant paths"
    assert limit().questions == Redundant.questions
    assert simlab.check(limit.name).ok  # type: ignore[attr-defined]
