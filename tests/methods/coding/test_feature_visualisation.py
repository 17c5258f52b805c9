"""Frames bred on cells and frames that please a model: whose filters they are, and what is found where none is seen."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from circuits.coding.superposition import Superposition
from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from methods.coding import _shown
from methods.coding._shown import borne_out
from methods.coding.evolved_stimulus import EvolvedStimulus, _apart, _weights
from methods.coding.proxy_stimulus import Net, ProxyStimulus
from simlab.experiment import Cell, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.cell import run_cell
from simlab.lab.row import Settings

SMALL = {"n_neurons": 2, "rate_spread": 0.0, "mean_rate": 8.0, "look": Look(side=6)}
SIMPLE, COMPLEX = V1Simple(**SMALL), V1Complex(**SMALL)
NATURAL = V1Simple(**SMALL | {"look": Look(side=6, frames="natural")})
EVOLVED, PAIR = (EvolvedStimulus(filters=n, duration=0.5) for n in (1, 2))
COARSE = replace(COMPLEX, look=Look(side=5))
UNSEEING = UnseeingCells(like=COMPLEX)


def ran(circuit, method, trials: int) -> tuple[dict, dict[str, float]]:
    """The row of a method at the lab's own rig, within a budget of so many trials of half a second, and its metrics."""
    cell = Cell(circuit, 0, Plan(trials, 0.5), Perfect(), method, stimulator=Ideal())
    row, _ = run_cell(cell, Settings(1, None, 60.0, 2**32))
    return row, json.loads(row["metrics"]) if row.get("metrics") else {}


def overlap(circuit, method, trials: int) -> float:
    row, metrics = ran(circuit, method, trials)
    assert row["spent_trials"] <= trials
    return metrics["overlap"]


@pytest.mark.parametrize("circuit", [SIMPLE, NATURAL], ids=["noise", "natural"])
def test_bred_frames_come_to_be_the_filter_whatever_the_task_shows(circuit):
    assert overlap(circuit, EVOLVED, 250) > 0.85


def test_more_trials_bring_them_closer():
    assert overlap(SIMPLE, EVOLVED, 250) > overlap(SIMPLE, EVOLVED, 40) + 0.05


def test_two_bred_frames_span_the_plane_of_a_complex_cell_and_a_simple_cell_gets_one():
    assert overlap(COMPLEX, PAIR, 500) > 0.7
    _, metrics = ran(SIMPLE, PAIR, 500)
    assert metrics["second_false"] == 0
    assert overlap(COMPLEX, EVOLVED, 250) > 0.8 * np.sqrt(0.5)  # one filter of two: .707 at best


def test_a_linear_proxy_finds_simple_cells_and_misleads_about_complex_ones_unless_it_is_checked():
    loose, checked = (
        ProxyStimulus(proxy="linear", checked=False, duration=0.5),
        ProxyStimulus(proxy="linear", duration=0.5),
    )
    assert overlap(SIMPLE, loose, 200) > 0.9
    _, misled = ran(COMPLEX, loose, 200)
    assert misled["found"] == misled["misleading"] == 1
    assert ran(UNSEEING, loose, 200)[1]["false_positive_rate"] == 1
    assert ran(UNSEEING, checked, 200)[1]["false_positive_rate"] == 0
    assert overlap(SIMPLE, checked, 200) > 0.9


def test_a_session_that_is_too_long_for_one_message_is_recorded_in_parts(monkeypatch):
    monkeypatch.setattr(_shown, "MOST_VALUES", 20 * 15 * 36)  # twenty trials of fifteen frames
    row, metrics = ran(SIMPLE, ProxyStimulus(proxy="linear", duration=0.5), 110)
    assert metrics["overlap"] > 0.9
    assert row["spent_trials"] > 100


def test_a_network_finds_the_plane_of_complex_cells():
    _, metrics = ran(COARSE, ProxyStimulus(hidden=16, checked=False, duration=0.5), 300)
    assert metrics["overlap"] > 0.8 * np.sqrt(0.5)


def test_nothing_is_bred_on_cells_that_see_nothing():
    assert ran(UNSEEING, EVOLVED, 100)[1]["false_positive_rate"] == 0


def test_they_abstain_where_they_cannot_show_or_cannot_pay():
    for method in (EVOLVED, ProxyStimulus(duration=0.5)):
        row, _ = ran(SIMPLE, method, 1)
        assert row["status"] == "abstained"
        assert "the budget buys" in row["reason"]
    assert Superposition().questions != SIMPLE.questions  # whoever shows no frames is not asked for filters


def test_the_gradient_is_that_of_the_network_and_it_is_climbed():
    rng = np.random.default_rng(0)
    net = Net(rng.standard_normal((5, 7)), rng.standard_normal(7), rng.standard_normal((7, 2)), np.zeros(2), True)
    frame, small = rng.standard_normal((2, 1, 5)), 1e-6
    said, slope = net.slopes(frame)
    for k in range(5):
        nudged = net.slopes(frame + small * np.eye(5)[k])[0]
        assert (np.log(nudged) - np.log(said)) / small == pytest.approx(slope[:, :, k], abs=1e-4)
    nothing = np.zeros((0, 2, 5))
    best, promised = ProxyStimulus()._climbed(net, 3.0, nothing, rng)
    assert np.linalg.norm(best, axis=1) == pytest.approx([1, 1])
    random = rng.standard_normal((2, 500, 5))
    random *= 3 / np.linalg.norm(random, axis=2, keepdims=True)
    assert (promised >= net.slopes(random)[0].max(axis=1) - 1e-3).all()
    second, _ = ProxyStimulus()._climbed(net, 3.0, best[None], rng)
    assert (second * best).sum(axis=1) == pytest.approx([0, 0], abs=1e-9)


def test_the_better_half_has_weight_and_what_is_taken_is_left_out():
    weight = _weights(np.array([[0.0, 3.0, 1.0, 2.0]]), np.random.default_rng(0))[0]
    assert weight[1] > weight[3] > 0
    assert weight[0] == weight[2] == 0
    apart = _apart(np.array([[3.0, 4.0]]), np.array([[[2.0, 0.0]]]))
    assert apart == pytest.approx(np.array([[0.0, 1.0]]))
    tests = np.array([[[9.0, 1.0, 5.0], [9.0, 1.0, 5.0]], [[2.0, 1.0, 4.0], [4.0, 1.0, 4.0]]])
    assert borne_out(tests, 3.0, 0.25).tolist() == [[True, True], [False, True]]
