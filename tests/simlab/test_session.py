"""Sessions and perturbations refuse the impossible and survive the journey through JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simlab.contracts import SimlabError
from simlab.session import (
    SILENCE_CURRENT,
    NeuronPerturbation,
    Perturbation,
    Session,
    Stimulus,
    current_per_neuron,
    neuron_perturbations,
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
        (lambda: Session(1, 1.0).perturbed(Perturbation("clamp", (0,), 1.0, 0.5, 1.5)), "end within the trial"),
        (lambda: Session(2, 1.0).perturbed(Perturbation("clamp", (0,), 1.0, 0, 0.5, (2,))), "trials must lie in"),
        (lambda: Session(3, 1.0, Stimulus(("angle",), np.zeros((2, 1, 1)), 1.0)), "cover every trial"),
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


def test_a_budget_counts_each_pulse_on_each_trial():
    session = Session(10, 1.0).perturbed(
        Perturbation("silence", (0,), 1.0, 0, 0.1), Perturbation("silence", (0,), 1.0, 0.2, 0.3, (1, 2))
    )
    assert session.n_perturbed_trials() == 12


def test_currents_add_up_in_their_windows_and_trials_only():
    strength = np.array([0.0, 1.5])
    session = Session(2, 1.0).perturbed(
        NeuronPerturbation("stimulate", strength, 0.2, 0.6), NeuronPerturbation("silence", strength, 0.4, 0.6, (1,))
    )
    current = current_per_neuron(session, 2, np.array([0.1, 0.3, 0.5]))
    assert current[:, :, 0].max() == 0
    assert current[0, :, 1].tolist() == [0, 1.5, 1.5]
    assert current[1, :, 1].tolist() == [0, 1.5, 1.5 - 1.5 * SILENCE_CURRENT]


def test_a_subject_refuses_a_perturbation_that_was_aimed_at_units():
    session = Session(1, 1.0).perturbed(Perturbation("stimulate", (0,), 1.0, 0, 0.1))
    with pytest.raises(SimlabError, match="through a rig"):
        neuron_perturbations(session, 3)


def test_a_subject_refuses_a_perturbation_of_another_size():
    session = Session(1, 1.0).perturbed(NeuronPerturbation("stimulate", np.ones(2), 0, 0.1))
    with pytest.raises(SimlabError, match=r"one number per neuron \(3,\)"):
        neuron_perturbations(session, 3)
