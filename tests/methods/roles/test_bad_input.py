"""Whatever is recorded and however little may be done, methods for roles answer in form or say why they abstain."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from parts_rigs import BESIDE, CALLED, EITHER, NOBODY, PATH, projected, recorded, rig_on, subject

import simlab
from circuits.causal.parts import Firing, Layout, PartsSubject
from simlab import registry
from simlab.contracts import Budget
from simlab.data import recording

QUESTIONS = ("necessity", "circuit")
MINE = [n for n in registry.names("methods") if registry.get("methods", n).question in QUESTIONS]
ACTIVE = [n for n in MINE if hasattr(registry.get("methods", n), "investigate")]
PASSIVE = [n for n in MINE if hasattr(registry.get("methods", n), "analyse")]
ONE = Layout(("a",), np.zeros((1, 1)), np.full(1, 0.5), np.ones((1, 1)), (0,), np.ones((1, 1), bool))
FEWEST_ANSWERS = {"sufficiency_test": 1}
"""To abstain from everything is too easy; but copies do not suffice."""

SILENT = PartsSubject("silent", PATH, Firing(1.0, 0.0, 0.5))

RIGS = {
    "no outcome": (subject(EITHER), Budget(300), {"outcome": False}),
    "one unit": (subject(ONE), Budget(300), {}),
    "one trial": (subject(EITHER), Budget(1), {}),
    "61 trials": (subject(EITHER), Budget(61), {}),
    "half a second": (subject(EITHER), Budget(seconds=0.5), {}),
    "nothing": (subject(EITHER), Budget(0, 0.0, 0, 0), {}),
    "no perturbation": (subject(EITHER), Budget(200, perturbations=0), {}),
    "23 perturbations": (subject(EITHER), Budget(200, perturbations=23), {}),
    "one intervention": (subject(EITHER), Budget(200, interventions=1), {}),
    "six interventions": (subject(EITHER), Budget(200, interventions=6), {}),
    "always right": (subject(NOBODY), Budget(200), {}),
    "hardly a spike": (SILENT, Budget(200), {}),
    "a stimulus": (subject(EITHER), Budget(60), {"stimulus": True}),
    "two conditions": (subject(CALLED, 0.0), Budget(400), {}),
    "two stimuli": (subject(CALLED, 0.0), Budget(400), {"stimulus": True}),
    "two conditions unscored": (subject(CALLED), Budget(400), {"outcome": False}),
}


def conduct(method, finding, animal) -> None:
    """Raises unless the finding has its form, or abstains with a reason."""
    if finding.abstained:
        assert len(finding.abstained) > 20
        return
    asked = registry.question(method.question)
    scored = asked.score(finding, projected(animal, method.question))
    assert set(scored) == set(asked.metrics)
    assert all(np.isfinite(np.asarray(value, dtype=float)).all() for value in finding.estimate.values())


@pytest.mark.parametrize("name", ACTIVE)
def test_at_a_rig(name):
    method = replace(registry.create("methods", name), duration=0.1)
    answers = 0
    for what, (animal, budget, more) in RIGS.items():
        brief = {"negligible": 0.02, "least_faithfulness": 0.8}
        with rig_on(animal, brief, budget, **more) as rig:
            finding = method.investigate(rig, np.random.default_rng(0))
            conduct(method, finding, animal)
            answers += not finding.abstained
            assert finding.abstained or what not in ("no outcome", "nothing", "one trial")
            for amount in ("trials", "seconds", "perturbations", "interventions"):
                assert getattr(rig.spent, amount) <= getattr(budget, amount) * (1 + 1e-9)
    assert answers >= FEWEST_ANSWERS.get(name, 2)


def bare(world, *names):
    return world.drop_vars([name for name in names if name in world])


def always(world, outcome: float):
    return world.assign(outcome=("trial", np.full(world.sizes["trial"], outcome)))


@pytest.fixture(scope="module")
def recordings():
    whole = recorded(subject(BESIDE), 40, 0.5)
    contacts = recording(duration=1.0, n_units=4, n_trials=1, contacts=np.zeros((4, 4), int))
    return {
        "as it is": (whole, subject(BESIDE)),
        "no outcome": (bare(whole, "outcome"), subject(BESIDE)),
        "always right": (always(whole, 1.0), subject(BESIDE)),
        "no behaviour": (bare(whole, "behaviour"), subject(BESIDE)),
        "no stimulus": (bare(whole, "stimulus", "condition"), subject(BESIDE)),
        "neither": (bare(whole, "stimulus", "condition", "behaviour", "outcome"), subject(BESIDE)),
        "one condition": (recorded(subject(EITHER), 40, 0.5), subject(EITHER)),
        "a response at times": (recorded(subject(CALLED), 40, 0.5), subject(CALLED)),
        "never wrong": (recorded(subject(CALLED, 0.0), 40, 0.5), subject(CALLED, 0.0)),
        "one unit": (recorded(subject(ONE), 40, 0.5), subject(ONE)),
        "one trial": (recorded(subject(EITHER), 1, 0.5), subject(EITHER)),
        "six short trials": (recorded(subject(EITHER), 6, 0.02), subject(EITHER)),
        "silent": (bare(recorded(SILENT, 20, 0.05)), SILENT),
        "no contacts": (contacts, subject(EITHER)),
    }


@pytest.mark.parametrize("name", PASSIVE)
def test_on_a_recording(name, recordings):
    method = registry.create("methods", name, **({"shuffles": 10} if name == "decoder_weights" else {}))
    for world, animal in recordings.values():
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            conduct(method, simlab.analyse(method, world), animal)
    if name != "connectome_path":
        assert not simlab.analyse(method, recordings["as it is"][0]).abstained


def test_there_are_as_many_as_were_built():
    assert len(ACTIVE) >= 10
    assert len(PASSIVE) >= 7
