"""Behaviours beyond those that were watched: what is shown goes with what is asked for, or nobody knows what to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from parts_rigs import QUICK, rig_on, subject

from circuits.causal.microprocessor import Microprocessor
from circuits.causal.parts import Layout
from methods.intervention.lesion_localisation import LesionLocalisation, asked_for
from simlab.contracts import Budget, Finding
from simlab.session import Session, Stimulus

CUES = ("a", "b", "c", "d")
SHARING = (("b", "shared"), ("c", "shared"), ("shared", "B"), ("shared", "C"))
TASK = Layout.of(
    dict.fromkeys([*CUES, "shared", *map(str.upper, CUES)], 0.5) | {"B": 1.5, "C": 1.5},
    dict.fromkeys([*((cue, cue.upper()) for cue in CUES), *SHARING], 1.0),
    [{cue: 1.0} for cue in CUES],
    {cue.upper(): [cue == other for other in CUES] for cue in CUES},
)  # fmt: skip
"""Each cue is shown by a stimulus of its own and calls for a response of its own; b and c share an area."""

FUNCTIONS = {"functions": ("behaviour 0", "behaviour 1", "generic", "none")}


def named(more: int) -> Finding:
    """What lesions call the areas of TASK, of whose behaviours two were watched."""
    method = LesionLocalisation(duration=QUICK, more_behaviours=more)
    with rig_on(subject(TASK, 0.0, "cues"), FUNCTIONS, Budget(2000), stimulus=True) as rig:  # type: ignore[arg-type]
        return method.investigate(rig, np.random.default_rng(1))


@pytest.mark.parametrize(("more", "shared", "beyond"), [(0, "behaviour 1", "none"), (2, "generic", "generic")])
def test_where_each_condition_has_a_stimulus_further_ones_are_asked_for_with_theirs(more, shared, beyond):
    found = named(more)
    assert not found.abstained
    label = dict(zip(TASK.names, found.estimate["function"], strict=True))
    assert (label["a"], label["b"], label["shared"], label["c"]) == ("behaviour 0", "behaviour 1", shared, beyond)
    outcome = found.notes["outcome"]
    assert outcome.shape == (TASK.n_areas + 1, 2 + more)
    assert (outcome[0] == 1).all()  # intact animals do all that they are asked for


def test_nobody_knows_the_stimulus_of_a_behaviour_that_is_never_proposed_where_each_has_its_own():
    found = named(3)
    assert "no trial of condition 4" in found.abstained


def proposed(shown: list[float], conditions: tuple[int, ...] | None) -> Session:
    return Session(len(shown), 1.0, Stimulus(("x",), np.array(shown)[:, None, None], 1.0), conditions)


def test_trials_are_chosen_by_condition_and_further_ones_get_what_is_shown_in_several():
    session = proposed([1.0, 2.0, 5.0, 1.0, 3.0, 5.0] * 4, (0, 0, 0, 1, 1, 1) * 4)
    asked = asked_for(session, 4, np.random.default_rng(0))
    assert isinstance(asked, Session)
    condition, shown = np.array(asked.conditions), asked.stimulus.values[:, 0, 0]
    assert np.bincount(condition).tolist() == [6] * 4
    assert [set(shown[condition == k]) for k in range(2)] == [{1.0, 2.0, 5.0}, {1.0, 3.0, 5.0}]
    assert set(shown[condition >= 2]) == {1.0, 5.0}
    assert (np.diff(condition) < 0).any()  # in a random order


def test_operands_are_for_any_program_and_tasks_without_stimuli_or_conditions_need_no_choice():
    machine = Microprocessor(word_width=2).subject(np.random.default_rng(0))
    session = machine.session(trials=60, duration=0.5, rng=np.random.default_rng(1))
    asked = asked_for(session, 12, np.random.default_rng(0))
    assert isinstance(asked, Session)
    assert np.bincount(asked.conditions).tolist() == [5] * 12
    words = asked.stimulus.values[np.array(asked.conditions) >= 3]
    assert len(np.unique(words, axis=0)) > 8  # of sixteen pairs
    plain = asked_for(replace(session, stimulus=None), 12, np.random.default_rng(0))
    assert isinstance(plain, Session)
    assert plain.stimulus is None
    free = asked_for(proposed([1.0, 2.0, 3.0], None), 3, np.random.default_rng(0))
    assert isinstance(free, Session)
    assert set(free.conditions) == {0, 1, 2}
