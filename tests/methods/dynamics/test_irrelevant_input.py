"""Senses that are let in, shut out, or copied beside a gate, planted; and recordings without two contexts."""

import numpy as np
import pytest
from task_worlds import delay, watched, without

from methods.dynamics.irrelevant_input import IrrelevantInput

METHOD = IrrelevantInput(n_resamples=200)


def analysed(recording, method=METHOD):
    return method.analyse(recording, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        (without(watched(gated=True), candidates=("ramping",)), "the candidates are ramping"),
        (without(delay(0.0), candidates=("input gating", "recurrent selection")), "two senses and a context"),
        (watched(trials=30, gated=True), "trials"),
    ],
)
def test_it_abstains_with_a_reason(recording, reason):
    assert reason in analysed(recording).abstained


def test_one_context_alone_tells_nothing():
    found = watched(gated=True)
    shown = found["stimulus"].values.copy()
    shown[:, :, 2] = 1.0
    assert "one of the contexts" in analysed(found.assign(stimulus=found["stimulus"].copy(data=shown))).abstained
    shown[0, :, 0] = np.nan
    assert "no time" in analysed(found.assign(stimulus=found["stimulus"].copy(data=shown))).abstained


@pytest.mark.parametrize(
    ("world", "label"),
    [
        ({"gated": False}, "recurrent selection"),
        ({"gated": True}, "input gating"),
        ({"gated": True, "copies": True}, "recurrent selection"),  # wrongly: nobody listens to them
    ],
    ids=["let in", "shut out", "copied"],
)
def test_what_can_be_read_is_called_let_in(world, label):
    found = analysed(watched(**world))
    assert found.estimate["label"] == label
    assert min(found.notes["r_relevant_0"], found.notes["r_relevant_1"]) > 0.8
    assert (found.notes["r_irrelevant_0"] > 0.5) == (label == "recurrent selection")


def test_of_gates_with_noise_alone_it_says_let_in_as_rarely_as_the_level():
    worlds = [analysed(watched(gated=True, seed=k), IrrelevantInput(level=0.1, n_resamples=50)) for k in range(15)]
    assert sum(found.estimate["label"] == "recurrent selection" for found in worlds) <= 5  # of .1: chance .002 of more
