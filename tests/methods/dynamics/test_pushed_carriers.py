"""Pushes into planted carriers of two senses: used, shut out, or copies; and rigs that buy too little."""

import numpy as np
import pytest
from task_worlds import ContextRig, cheaper

from methods.dynamics._context import senses
from methods.dynamics.pushed_carriers import PushedCarriers

METHOD = PushedCarriers()


def investigated(rig, method=METHOD):
    return method.investigate(rig, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("rig", "reason"),
    [
        (ContextRig(gated=True, brief={"candidates": ("ramping",)}), "the candidates are ramping"),
        (cheaper(ContextRig(gated=True), trials=40), "the budget of 40 trials"),
        (cheaper(ContextRig(gated=True), perturbations=5), "5 perturbations"),
        (cheaper(ContextRig(gated=True), seconds=100.0), "100 s"),
    ],
)
def test_it_abstains_before_it_records_where_the_rig_buys_too_little(rig, reason):
    assert reason in investigated(rig).abstained
    assert not rig.sessions


def test_dead_units_and_missing_reports_are_no_verdict():
    class Silent(ContextRig):
        def record(self, session):
            return super().record(session).assign(signal=lambda found: found["signal"] * 0)

    class Mute(ContextRig):
        def record(self, session):
            return super().record(session).drop_vars("behaviour")

    assert "active" in investigated(Silent(gated=False)).abstained
    assert "behaviour" in investigated(Mute(gated=False)).abstained


@pytest.mark.parametrize(
    ("world", "label", "sessions"),
    [
        ({"gated": False}, "recurrent selection", 2),
        ({"gated": True}, "input gating", 1),
        ({"gated": True, "copies": True}, "input gating", 2),
    ],
    ids=["let in", "shut out", "copied"],
)
def test_those_who_carry_it_are_asked_whether_they_count(world, label, sessions):
    rig = ContextRig(**world)
    found = investigated(rig)
    assert found.estimate["label"] == label
    assert len(rig.sessions) == sessions  # without carriers there is nobody to push
    assert rig.remaining.trials >= 0
    assert rig.remaining.perturbations >= 0
    if sessions == 2:
        pushed = rig.sessions[1].perturbations
        context = rig.sessions[1].stimulus.values[:, 0, 2]
        for pulse, counts in zip(pushed, (1.0, -1.0), strict=True):
            assert (context[list(pulse.trials)] == counts).all()  # where their sense counts
            assert pulse.start == pytest.approx(0.2)


def test_carriers_are_the_units_that_rise_with_a_sense_where_it_does_not_count():
    rig = ContextRig(gated=False, copies=True)
    motion, colour = METHOD.carriers(senses(rig.record(rig.session(trials=200, duration=1.0))))
    assert set(motion) >= {1, 3}
    assert set(motion) <= {1, 3, 8, 10, 12, 13, 14, 15}
    assert set(colour) >= {5, 7}
    assert set(colour) <= {5, 7, 9, 11, 12, 13, 14, 15}
