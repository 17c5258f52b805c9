"""Sessions and perturbations refuse the impossible and survive the journey through JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simlab.contracts import SimlabError
from simlab.session import (
    SILENCE_CURRENT,
    Effect,
    Perturbation,
    Session,
    Stimulus,
    effects_on,
    plain_copy,
)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: Session(0, 1.0), "trials must be"),
        (lambda: Session(1, -1.0), "duration must be"),
        (lambda: Session(1, float("nan")), "duration must be"),
        (lambda: Perturbation("zap", (0,), 1.0, 0.0, 0.1), "kind must be one of"),
        (lambda: Perturbation("silence", (), 1.0, 0.0, 0.1), "at least one target"),
        (lambda: Perturbation("silence", (0,), -1.0, 0.0, 0.1), "strength"),
        (lambda: Perturbation("silence", (0,), 1.0, 0.2, 0.1), "start < stop"),
        (lambda: Perturbation("cut", (0,), 1.5, 0.0, 0.1), "share of the synapses, 0 to 1, got 1.5"),
        (lambda: Perturbation("cut", (0,), 1.0, 0.0, 0.1, region="V1"), "not both"),
        (lambda: Effect("zap", np.ones(2), 0.0, 0.1), "kind must be one of drive, hold, gain, got 'zap'"),
        (lambda: Effect("drive", [0.0, np.inf], 0.0, 0.1), r"drive's values must be finite .*, got \[inf\]: 0 leaves"),
        (lambda: Effect("drive", [0.0, np.nan], 0.0, 0.1), "drive's values must be finite"),
        (lambda: Effect("hold", [np.nan, -1.0], 0.0, 0.1), r">= 0 Hz, or NaN, got \[-1.\]: NaN leaves"),
        (lambda: Effect("gain", [1.0, -0.5], 0.0, 0.1), r"finite and >= 0, got \[-0.5\]: 1 leaves"),
        (lambda: Effect("gain", [1.0, np.nan], 0.0, 0.1), "finite and >= 0"),
        (lambda: Effect("drive", np.ones((2, 2)), 0.0, 0.1, over="pair"), "over 'neuron', or a gain over 'pair'"),
        (
            lambda: Effect("drive", np.ones((1, 2, 2)), 0.0, 0.1),
            r"\(neuron,\) or \(step, neuron\), got shape \(1, 2, 2\)",
        ),
        (lambda: Effect("gain", np.ones(2), 0.0, 0.1, over="pair"), r"\(pre, post\)"),
        (lambda: Effect("drive", np.ones(2), 0.2, 0.1), "start < stop"),
        (lambda: Session(1, 1.0).perturbed(Effect("drive", np.ones(2), 1.1, 1.2)), "start within the trial"),
        (lambda: Session(1, 1.0).perturbed(Perturbation("clamp", (0,), 1.0, 0.5, 1.5)), "end within the trial"),
        (lambda: Session(2, 1.0).perturbed(Perturbation("clamp", (0,), 1.0, 0, 0.5, (2,))), "trials must lie in"),
        (lambda: Session(3, 1.0, Stimulus(("angle",), np.zeros((2, 1, 1)), 1.0)), "cover every trial"),
        (lambda: Session(True, 1.0), "whole number >= 1, got True"),
        (lambda: Session(10**400, 1.0), "whole number"),
        (lambda: Session(1, "1"), "finite number, got '1'"),
        (lambda: Session(1, 10**400), "finite number"),
        (lambda: Session(2, 1.0, conditions=(0,)), "one condition per trial"),
        (lambda: Session(1, 1.0, conditions=("a",)), "a condition must be a whole number"),
        (lambda: Session(1, 1.0, stimulus=np.zeros((1, 1, 1))), "must be a Stimulus"),
        (lambda: Session(1, 1.0, perturbations=("pulse",)), "must be Perturbations or Effects, got 'pulse'"),
        (lambda: Stimulus("angle", np.zeros((1, 1, 5)), 1.0), "features must be a list, got 'angle'"),
        (lambda: Stimulus(("a", "a"), np.zeros((1, 1, 2)), 1.0), "different names"),
        (lambda: Stimulus(("a",), np.full((1, 1, 1), np.inf), 1.0), "finite, or NaN"),
        (lambda: Stimulus(("a",), [[[1], [1, 2]]], 1.0), "lists of equal lengths"),
        (lambda: Stimulus(("a",), np.zeros((1, 1, 1)), float("nan")), "interval must be a finite number"),
        (lambda: Perturbation("cut", (0,), 1.0, 0.0, float("nan")), "stop must be a finite number"),
        (lambda: Perturbation("clamp", (0,), 2e3, 0.0, 0.1), "strength of 1000 at most"),
        (lambda: Perturbation("cut", (0.5,), 1.0, 0.0, 0.1), "target must be a whole number, got 0.5"),
        (lambda: Perturbation("cut", 3, 1.0, 0.0, 0.1), "targets must be a list, got 3"),
        (lambda: Perturbation("cut", (), 1.0, 0.0, 0.1, region=7), "region must be a name"),
        (lambda: Perturbation("cut", (0,), 1.0, 0.0, 0.1, ()), "at least one trial"),
        (lambda: Perturbation("cut", (0,), 1.0, 0.0, 0.1, (1, 1)), "each once"),
        (lambda: Perturbation("cool", (0,), 36.0, 0.0, 0.1), "'cool' has a strength of 35 at most, got 36"),
        (lambda: Perturbation("drug", (0,), 1.1, 0.0, 0.1), "'drug' has a strength of 1 at most"),
        (lambda: Perturbation("edit", (0,), 10.5, 0.0, 0.1), "'edit' has a strength of 10 at most"),
        (lambda: Perturbation("lesion", (0,), 1.5, 0.0, 1.0), "'lesion' has a strength of 1 at most"),
        (lambda: Perturbation("lesion", (0,), 1.0, 0.1, 1.0), "permanent: it starts at 0 .* got start=0.1"),
        (
            lambda: Perturbation("lesion", (0,), 1.0, 0.0, 1.0, (0,)),
            r"takes no trials.* got .*\(0,\); use kind='clamp'",
        ),
        (
            lambda: Session(1, 1.0).perturbed(Perturbation("lesion", (0,), 1.0, 0.0, 0.5)),
            "permanent: it must stop at the trial's end, 1.0 s, got stop=0.5",
        ),
        (lambda: Perturbation("silence", (0,), 1.0, 0.0, 0.1, onto=(1,)), "only cut and edit .* got kind='silence'"),
        (lambda: Perturbation("edit", (0,), 1.0, 0.0, 0.1, onto=(1.5,)), "onto, each, must be a whole number, got 1.5"),
        (lambda: Perturbation("edit", (0,), 1.0, 0.0, 0.1, onto=3), "onto must be a list, got 3"),
        (lambda: Session.from_dict([1]), "must be an object"),
        (lambda: Session.from_dict({"trials": 1}), "a session needs duration"),
        (lambda: Session.from_dict({"trials": 1, "duration": 1, "rng": 0}), "no field"),
        (lambda: Session.from_dict({"trials": 1, "duration": 1, "stimulus": [0]}), "a stimulus must be an object"),
        (lambda: Session.from_dict({"trials": 1, "duration": 1, "perturbations": {}}), "must be a list"),
        (lambda: Session.from_dict({"trials": 1, "duration": 1, "perturbations": [{"kind": "cut"}]}), "needs st"),
    ],
)
def test_the_impossible_is_refused_by_rule(make, rule):
    with pytest.raises(SimlabError, match=rule):
        make()


def test_a_session_survives_json():
    stimulus = Stimulus(("angle",), np.array([[[0.5], [np.nan]]]), 0.5)
    pulse = Perturbation("stimulate", (3, 1), 2.0, 0.1, 0.2, (0,))
    session = Session(1, 1.0, stimulus, (4,), (pulse,))
    back = Session.from_dict(json.loads(json.dumps(session.to_dict())))
    assert back.to_dict() == session.to_dict()
    assert back.perturbations == (pulse,)
    assert np.isnan(back.stimulus.values[0, 1, 0])


def test_numbers_of_any_library_become_plain_ones():
    """So that what is costed is what is run, and JSON can hold it."""
    pulse = Perturbation("clamp", np.array([1, 2]), np.float32(3), 0, np.array(0.5), range(2))
    session = Session(np.int64(2), np.float32(0.5), conditions=np.array([3, 4]), perturbations=[pulse])
    kinds = {type(value) for value in (session.trials, *session.conditions, *pulse.targets, *pulse.trials)}
    assert kinds == {int}
    assert {type(value) for value in (session.duration, pulse.strength, pulse.start, pulse.stop)} == {float}
    assert Session.from_dict(json.loads(json.dumps(session.to_dict()))).to_dict() == session.to_dict()
    assert isinstance(session.perturbations, tuple)


def test_a_stimulus_is_not_changed_by_what_happens_to_the_array_that_it_was_made_of():
    values = np.zeros((1, 2, 1))
    stimulus = Stimulus(("angle",), values, 0.5)
    values[:] = 7.0
    assert stimulus.values.max() == 0


def test_a_value_that_cannot_be_shown_is_named_by_its_type():
    class Mute:
        def __repr__(self):
            raise ValueError

    with pytest.raises(SimlabError, match=r"got (something of type |<)Mute"):
        Session(Mute(), 1.0)
    with pytest.raises(SimlabError, match=r"got (something of type int|9)") as refusal:
        Session(1, 10**5000)
    assert len(str(refusal.value)) < 200


def test_a_budget_counts_each_pulse_on_each_trial():
    session = Session(10, 1.0).perturbed(
        Perturbation("silence", (0,), 1.0, 0, 0.1), Perturbation("silence", (0,), 1.0, 0.2, 0.3, (1, 2))
    )
    assert session.n_perturbed_trials() == 12


@pytest.mark.parametrize(
    "effect",
    [
        Effect("drive", [[0.0, 1.5], [2.0, -1.0]], 0.1, 0.3, (1,)),
        Effect("hold", [np.nan, 0.0], 0.0, 2.0),
        Effect("gain", [[1.0, 0.0], [0.5, 2.0]], 0.0, 0.5, over="pair"),
    ],
)
def test_effects_survive_json(effect):
    session = Session(2, 1.0).perturbed(effect, Perturbation("cut", (), 1.0, 0.1, 0.2, region="V1"))
    text = json.dumps(session.to_dict(), allow_nan=False)
    back = Session.from_dict(json.loads(text))
    assert back.to_dict() == session.to_dict()
    assert back.perturbations[1] == session.perturbations[1]
    np.testing.assert_array_equal(back.perturbations[0].values, effect.values)
    assert back.perturbations[0].over == effect.over


def test_steps_tile_the_window_and_nothing_holds_outside_it():
    effect = Effect("drive", [[1.0], [2.0], [3.0], [4.0]], 0.1, 0.3)
    np.testing.assert_allclose(effect.edges, [0.1, 0.15, 0.2, 0.25, 0.3])
    assert [effect.at(t).item() for t in (0.1, 0.149, 0.15, 0.2, 0.29)] == [1, 1, 2, 3, 4]
    assert effect.at(0.0999) is None
    assert effect.at(0.3) is None
    assert Effect("drive", [7.0], 0.1, 0.3).at(0.29).item() == 7


def test_the_dims_of_a_gain_follow_from_what_it_is_over():
    square = np.ones((2, 2))
    assert Effect("gain", square, 0, 1).steps.shape == (2, 2)  # two steps of two neurons
    assert Effect("gain", square, 0, 1, over="pair").steps.shape == (1, 2, 2)


@pytest.mark.parametrize(
    ("kind", "strength", "made", "values"),
    [
        ("stimulate", 2.0, "drive", [0.0, 1.0, 2.0]),
        ("silence", 2.0, "drive", [0.0, -SILENCE_CURRENT, -2 * SILENCE_CURRENT]),
        ("clamp", 0.0, "hold", [np.nan, 0.0, 0.0]),
        ("cut", 0.5, "gain", [1.0, 0.75, 0.5]),
        ("drug", 0.5, "gain", [1.0, 0.75, 0.5]),
        ("edit", 3.0, "gain", [1.0, 2.0, 3.0]),
        ("edit", 0.0, "gain", [1.0, 0.5, 0.0]),
    ],
)
def test_each_intent_becomes_its_effect_on_whom_it_reaches(kind, strength, made, values):
    effect = Perturbation(kind, (0,), strength, 0.1, 0.2, (1,)).effect(np.array([0.0, 0.5, 1.0]))
    assert (effect.kind, effect.start, effect.stop, effect.trials) == (made, 0.1, 0.2, (1,))
    np.testing.assert_array_equal(effect.values, values)


def test_synapses_onto_units_become_a_gain_on_pairs():
    edit = Perturbation("edit", (0,), 3.0, 0.1, 0.2, (1,), onto=(2,))
    effect = edit.effect(np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    assert (effect.kind, effect.over, effect.trials) == ("gain", "pair", (1,))
    np.testing.assert_array_equal(effect.values, [[1, 1, 3], [1, 1, 1], [1, 1, 1]])
    with pytest.raises(SimlabError, match=r"onto units \(2,\) needs the neurons of these units"):
        edit.effect(np.ones(3))  # a stimulator that knows nothing of it must not edit all synapses


def test_a_lesion_kills_whom_it_reaches_and_cold_is_the_stimulator_s_affair():
    lesion = Perturbation("lesion", (0,), 0.3, 0.0, 1.0).effect(np.array([0.0, 0.2, 1.0]))
    np.testing.assert_array_equal(lesion.values, [np.nan, 0, 0])
    assert (lesion.kind, lesion.start, lesion.stop, lesion.trials) == ("hold", 0.0, 1.0, None)
    with pytest.raises(SimlabError, match="for its stimulator to say, got kind='cool'"):
        Perturbation("cool", (0,), 10.0, 0.0, 1.0).effect(np.ones(3))


@pytest.mark.parametrize(
    "intent",
    [
        Perturbation("cool", (), 20.0, 0.1, 0.9, (1,), region="V1"),
        Perturbation("drug", (0, 2), 0.5, 0.0, 1.0),
        Perturbation("lesion", (1,), 1.0, 0.0, 1.0),
        Perturbation("edit", (0,), 2.5, 0.1, 0.2, onto=(1, 2)),
        Perturbation("cut", (), 1.0, 0.1, 0.2, region="V1", onto=(3,)),
    ],
    ids=lambda intent: intent.kind,
)
def test_every_kind_survives_json_and_the_rig_s_copy(intent):
    session = Session(2, 1.0).perturbed(intent)
    back = Session.from_dict(json.loads(json.dumps(session.to_dict(), allow_nan=False)))
    assert back.perturbations == plain_copy(session).perturbations == (intent,)


def test_an_intervention_is_all_that_is_done_on_a_trial_whatever_its_window_and_order():
    def done(*intents):
        return len(Session(4, 1.0).perturbed(*intents).interventions())

    def pulse(*targets, start=0.1, trials=None, **more):
        return Perturbation(more.pop("kind", "silence"), targets, more.pop("strength", 1.0), start, 0.9, trials, **more)

    assert done() == 0
    assert done(pulse(0), pulse(0, start=0.2)) == 1
    assert done(pulse(0, 1, trials=(0,)), pulse(1, 0, 0, trials=(1,))) == 1
    assert done(pulse(0, trials=(0,)), pulse(1, trials=(1,)), pulse(0, trials=(2, 3)), pulse(1, trials=(2, 3))) == 3
    assert done(pulse(0), pulse(1, trials=(1,))) == 2
    assert done(pulse(0), pulse(1, trials=(0, 1, 2, 3))) == 1
    assert done(pulse(0, trials=(0,)), pulse(0, strength=2.0, trials=(1,))) == 2
    edits = [pulse(0, kind="edit", onto=(i,), trials=(i,)) for i in (1, 2)]
    assert done(*edits, pulse(region="V1", trials=(3,)), pulse(region="V2", trials=(0,))) == 4


def test_an_effect_may_outlast_its_trial_but_an_intent_must_end_in_it():
    session = Session(1, 1.0).perturbed(Effect("drive", np.ones(2), 1.0, 1.5))
    assert session.perturbations[0].stop == 1.5
    with pytest.raises(SimlabError, match="end within the trial"):
        Session(1, 1.0).perturbed(Perturbation("silence", (0,), 1.0, 0.9, 1.5))


def test_a_subject_refuses_a_perturbation_that_was_aimed_at_units():
    session = Session(1, 1.0).perturbed(Perturbation("stimulate", (0,), 1.0, 0, 0.1))
    with pytest.raises(SimlabError, match="through a rig"):
        effects_on(session, 3)


def test_a_subject_refuses_a_perturbation_of_another_size():
    session = Session(1, 1.0).perturbed(Effect("drive", np.ones(2), 0, 0.1))
    with pytest.raises(SimlabError, match=r"one value per neuron \(3,\), got \(2,\)"):
        effects_on(session, 3)


def test_a_subject_refuses_a_gain_on_pairs_of_another_size():
    session = Session(1, 1.0).perturbed(Effect("gain", np.ones((2, 2)), 0, 0.1, over="pair"))
    with pytest.raises(SimlabError, match=r"one value per pair \(3, 3\), got \(2, 2\)"):
        effects_on(session, 3)
