"""Fields that walk from day to day, peaks that change, and what maps of several days say of either."""

from __future__ import annotations

import json

import numpy as np
import pytest

import simlab
from circuits.coding.coded_target import CodedTarget
from circuits.coding.walking_rates import WalkingRates
from circuits.space.drifting_gain import DriftingGain
from circuits.space.drifting_tuning import DriftingTuning
from circuits.space.place_cells import PlaceCells
from methods.coding.session_permutation import SessionPermutation
from methods.tuning.across_sessions import AcrossSessions
from simlab.checks.problem import PracticeRig
from simlab.contracts import Budget
from simlab.experiment import Cell, Plan
from simlab.instruments.recording.losing_units import LosingUnits
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.cell import run_cell
from simlab.lab.row import Settings
from simlab.streams import stream

CODE = DriftingTuning(like=PlaceCells(n_neurons=30))
FLOOR = np.indices((12, 12)).reshape(2, -1).T / 11
VECTORS, MAPS = AcrossSessions(measure="population_vector"), AcrossSessions()
FAMILY = ("drifting code", "stable code")


def days(circuit, n: int) -> np.ndarray:
    """Rates (day, place, neuron) on the floor on each of n days."""
    subject = circuit.subject(stream(1, "subject"))
    centres, gain = subject.course(n, stream(1, "course"))
    return np.stack([subject.cells.rates(c, FLOOR, g) for c, g in zip(centres, gain, strict=True)])


@pytest.mark.parametrize("name", ["drifting_tuning", "drifting_gain"])
def test_they_keep_the_contract(name):
    assert simlab.check(name).ok


def test_fields_walk_in_one_and_stay_in_the_other_whose_peaks_change():
    walking, staying = days(CODE, 300), days(DriftingGain(like=CODE), 300)
    tops = [FLOOR[rates.argmax(axis=1)] for rates in (walking, staying)]  # (day, neuron, 2)
    step = np.diff(tops[0], axis=0)[np.all(np.abs(tops[0][1:] - 0.5) < 0.2, axis=2)]  # far from walls
    assert 0.1 < step.std() < 0.2  # .15, on a floor of twelve bins
    assert np.abs(np.diff(tops[1], axis=0)).max() == 0.0
    gain = np.log(staying.max(axis=1) - 0.1)
    assert gain.std(axis=0).mean() == pytest.approx(1.0, abs=0.15)
    kept = np.mean([np.corrcoef(g[1:], g[:-1])[0, 1] for g in gain.T])
    assert kept == pytest.approx(0.7, abs=0.05)


@pytest.mark.parametrize(
    ("circuit", "instrument", "by_vectors", "by_maps"),
    [
        (CODE, Perfect(), 1.0, 1.0),
        (DriftingGain(like=CODE), Perfect(), 0.0, 1.0),
        (DriftingGain(like=CODE, spread=0.0), LosingUnits(half_life=3.0), 0.0, 1.0),
        (DriftingGain(like=CODE, spread=0.0), Perfect(), 1.0, 1.0),
    ],
)
def test_vectors_take_gains_and_losses_for_a_code_that_drifts_and_maps_do_not(circuit, instrument, by_vectors, by_maps):
    for method, right in ((VECTORS, by_vectors), (MAPS, by_maps)):
        cell = Cell(circuit, 0, Plan(5, 200.0), instrument, method, family=FAMILY)
        assert run_cell(cell, Settings("days", None, 60.0, 2**30))[0]["recovered"] == right


def test_permuted_sessions_call_what_follows_a_target_and_not_what_walks_beside_it():
    for circuit, low, high in ((CodedTarget(), 0.8, 1.0), (WalkingRates(like=CodedTarget()), 0.0, 0.2)):
        cell = Cell(circuit, 1, Plan(600, 1.0), Perfect(), SessionPermutation(), stimulator=Ideal())
        called = json.loads(run_cell(cell, Settings("sessions", None, 60.0, 2**30))[0]["metrics"])["called"]
        assert low <= called <= high


def test_the_order_of_sessions_is_the_only_thing_that_is_drawn():
    t = stream(2, "t").standard_normal((5, 5, 400, 1))
    p = SessionPermutation(sessions=5)._p(t, stream(2, "p"))
    assert p.min() == 1 / 120
    assert np.mean(p <= 0.05) == pytest.approx(0.05, abs=0.04)  # 400 units, .011; orders of five share much
    t[np.arange(5), np.arange(5)] += 3.0
    assert np.mean(SessionPermutation(sessions=5)._p(t, stream(2, "p")) <= 0.05) > 0.95


def test_what_cannot_be_answered_is_not():
    rig = PracticeRig({"variables": ("target", "none")}, Budget(60, 60.0, 0), n_units=5)
    assert "sessions" in SessionPermutation().investigate(rig, stream(3, "x")).abstained
    few = SessionPermutation(sessions=4, level=0.01)
    assert "orders" in few.investigate(rig, stream(3, "x")).abstained
