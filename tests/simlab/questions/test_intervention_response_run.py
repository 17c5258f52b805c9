"""The question in the lab: methods at the rig and on recordings, baselines, and one that would look the answer up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from circuits.causal.redundant import Redundant
from methods.intervention.additive_losses import AdditiveLosses
from methods.intervention.logic_regression import LogicRegression
from methods.intervention.passive_regression import PassiveRegression
from simlab.contracts import Finding, Needs
from simlab.experiment import Baseline, Cell, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.cell import run_cell
from simlab.lab.row import Settings
from simlab.report.pictures import Answer, draw
from simlab.session import Perturbation
from simlab.store.packing import unpack_finding

SETTINGS = Settings(seed=3, archive=None, time_limit=60.0, memory_limit=2**30, strict=False)
CIRCUIT = Redundant(copies=2, bystanders=3, lapse=0.05)


@dataclass(frozen=True)
class LooksItUp:
    """Does what it is asked to predict."""

    name: ClassVar[str] = "looks_it_up"
    question: ClassVar[str] = "intervention_response"
    family: ClassVar[str] = "mischief"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs()

    def investigate(self, rig, rng: np.random.Generator) -> Finding:
        done = []
        for units in rig.brief["interventions"]:
            session = rig.session(trials=20, duration=1.0)
            recording = rig.record(session.perturbed(Perturbation("silence", units, 1.0, 0.0, 1.0)))
            done.append(recording["outcome"].values.mean())
        return Finding({"outcome": done})


def row(method, trials, **more):
    cell = Cell(CIRCUIT, 0, Plan(trials, 1.0), Perfect(), method, stimulator=Ideal(), family=("this", "that"), **more)
    found = run_cell(cell, SETTINGS)[0]
    return found | {"metrics": json.loads(found["metrics"])} if "metrics" in found else found


def test_methods_are_run_scored_and_charged():
    logic, additive = row(LogicRegression(), 2000), row(AdditiveLosses(), 2000)
    assert logic["status"] == additive["status"] == "ok", (logic, additive)
    assert logic["metrics"]["r2"] > 0.8 > additive["metrics"]["r2"]
    assert (logic["recovered"], additive["recovered"]) == (1.0, 0.0)
    assert 0 < additive["spent_interventions"] <= 6 < logic["spent_interventions"]
    estimate = unpack_finding(logic["finding"]).estimate
    assert estimate["outcome"].shape == (logic["metrics"]["n_interventions"],)


def test_a_method_that_does_the_held_out_interventions_fails_at_the_first():
    found = row(LooksItUp(), 2000)
    assert found["status"] == "error"
    assert "the question holds out the interventions of its brief" in found["reason"]
    assert found["spent_trials"] == 0


def test_passive_methods_and_baselines_get_the_same_brief():
    passive = row(PassiveRegression(), 300)
    assert passive["status"] == "ok"
    oracle, random = (row(Baseline("intervention_response", kind), 20) for kind in ("oracle", "random"))
    assert oracle["metrics"]["r2"] == 1.0
    assert random["metrics"]["n_interventions"] == passive["metrics"]["n_interventions"]
    assert passive["metrics"]["r2"] < 0.8


def test_the_picture_shows_answered_against_true_outcomes():
    from matplotlib import pyplot

    from simlab import truths
    from simlab.questions.intervention_response import InterventionResponse

    subject = CIRCUIT.subject(np.random.default_rng(0))
    key = Perfect().implant(subject.anatomy, np.random.default_rng(0)).key
    truth = InterventionResponse().project(truths.game(subject.values), key)
    answer = Answer({"outcome": truth["additive"].values}, truth, "additive")
    figure = draw(InterventionResponse.picture, [answer], "held out")
    assert len(figure.axes[0].collections) == 1
    assert figure.axes[0].get_ylabel() == "answered outcome"
    pyplot.close(figure)
