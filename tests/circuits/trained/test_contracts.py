"""Trained circuits keep the contract of circuits, know whom they imitate, and say what they cannot be."""

from dataclasses import replace

import numpy as np
import pytest

from circuits.trained.cells import Cells
from circuits.trained.context_gating import ContextGating
from circuits.trained.context_selection import ContextSelection
from circuits.trained.tasks import Evidence, TwoSources, Value
from circuits.trained.trained_chain import TrainedChain
from circuits.trained.trained_decision import TrainedDecision
from circuits.trained.trained_follower import TrainedFollower
from circuits.trained.working_memory import WorkingMemory
from simlab import registry
from simlab.checks.check import check
from simlab.contracts import SimlabError
from simlab.fingerprint import label
from simlab.simulators import kept_networks
from simlab.streams import stream

HARDLY = {"cells": Cells(n_neurons=12), "steps": 1, "batch": 4, "shortfall": 1.0}
DECISION = TrainedDecision(**HARDLY)
MEMORY = WorkingMemory(task=Value(duration=1.0), **HARDLY)
CONTEXT = ContextSelection(**HARDLY)
SPIKING = replace(DECISION, cells=replace(DECISION.cells, model="spiking"))


@pytest.fixture(scope="module", autouse=True)
def known(tmp_path_factory):
    """The circuits by name, whether or not the package that is installed lists them; a cache of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(kept_networks, "_found", {})
        for circuit in (TrainedDecision, WorkingMemory, TrainedChain, TrainedFollower, ContextSelection, ContextGating):
            patch.setitem(registry._registered["circuits"], circuit.name, circuit)
        yield


@pytest.mark.slow  # every kind of effect is compiled
@pytest.mark.parametrize(
    "circuit",
    [SPIKING, MEMORY, TrainedChain(DECISION), TrainedFollower(SPIKING), CONTEXT, ContextGating(CONTEXT, copies=True)],
    ids=lambda circuit: label(circuit)[:60],
)
def test_they_keep_the_contract(circuit):
    report = check(circuit, raises=False)
    assert report.ok, str(report)


@pytest.mark.parametrize("rival", [TrainedChain, TrainedFollower])
def test_rivals_take_over_task_cells_and_training(rival):
    for like in (DECISION, MEMORY, SPIKING):
        made = rival().imitating(like)
        assert made.like == like
        assert made.modalities == like.modalities
        assert not hasattr(made, "twin_of") or set(made.twin_of) == {"trained_decision", "working_memory"}
    assert ContextGating(copies=True).imitating(CONTEXT) == ContextGating(CONTEXT, copies=True)


def test_mechanisms_are_classes_of_explanation_and_differ_among_rivals():
    kinds = [circuit.mechanism for circuit in (TrainedDecision, TrainedChain, TrainedFollower)]
    assert kinds == ["line attractor", "hidden feedforward chain", "external memory"]
    assert WorkingMemory.mechanism == TrainedDecision.mechanism
    assert ContextSelection.mechanism != ContextGating.mechanism


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Cells(n_neurons=4), "n_neurons"),
        (lambda: Cells(model="imaging"), "model"),
        (lambda: replace(MEMORY, steps=0), "steps"),
        (lambda: replace(MEMORY, learning_rate=0.0), "learning_rate"),
        (lambda: replace(MEMORY, shortfall=2.0), "shortfall"),
        (lambda: TrainedChain(like=CONTEXT), "like"),
        (lambda: TrainedDecision(task=Value()), "task"),
    ],
)
def test_impossible_circuits_are_refused(make, reason):
    with pytest.raises(SimlabError, match=reason):
        make()


@pytest.mark.slow
def test_what_does_not_decide_the_training_does_not_train_again():
    kept = len(kept_networks._found)
    spiking, rates = SPIKING.subject(stream(5, "subject")), DECISION.subject(stream(5, "subject"))
    assert spiking.found is rates.found
    assert len(kept_networks._found) == kept + 1
    other = replace(DECISION, task=Evidence(noise=0.1)).subject(stream(5, "subject"))
    assert not np.array_equal(other.found.weights, rates.found.weights)


@pytest.mark.slow
def test_another_session_than_that_of_the_task_is_refused():
    subject = DECISION.subject(stream(5, "subject"))
    with pytest.raises(SimlabError, match="this task shows 'evidence'"):
        subject.run(Value().session(2, 1.0, stream(1)), stream(2))
    found = subject.run(Evidence().session(2, 0.37, stream(1)), stream(2))  # no whole number of steps
    assert found.sizes["trial"] == 2
    assert np.isfinite(found["rate"].values).all()
    assert TwoSources().features != subject.task.features
