"""A circuit or an instrument that never ends becomes an error of its cells, and of no others."""

import time
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from toys import Endless, LagCorrelation, PulseAndCount, ToyChain

from simlab.contracts import SimlabError
from simlab.experiment import Cell, Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.cell import run_cell
from simlab.lab.memory import forget
from simlab.lab.row import Settings
from simlab.running.loop import run

SETTINGS = Settings(seed=3, archive=None, time_limit=60.0, memory_limit=2**30, simulation_limit=0.2)
CELL = Cell(ToyChain(), 0, Plan(5, 0.5), Perfect(), LagCorrelation(), family=("chain", "no chain"))


@pytest.fixture(autouse=True)
def _forget():
    forget()


@dataclass(frozen=True)
class EndlessInstrument(Perfect):
    name: ClassVar[str] = "endless_instrument"

    def implant(self, anatomy, rng):
        while True:
            pass


@pytest.mark.parametrize("part", ["subject", "session", "run", "truth"])
def test_a_circuit_that_never_ends_is_an_error_of_its_cell(part):
    row, _ = run_cell(replace(CELL, circuit=Endless(part=part)), SETTINGS)
    assert row["status"] == "fault"
    assert "must end within 0.2 s of processor time, and did not" in row["reason"]
    ample = replace(SETTINGS, simulation_limit=60.0)  # the first of all imports what it needs
    assert run_cell(CELL, ample)[0]["status"] == "ok"


def test_so_is_an_instrument():
    row, _ = run_cell(replace(CELL, instrument=EndlessInstrument()), SETTINGS)
    assert "before the analysis: TimeoutError: implanting must end within 0.2 s" in row["reason"]


def test_what_took_too_long_is_not_tried_again_for_the_next_method():
    settings = replace(SETTINGS, simulation_limit=1.0)
    cell = replace(CELL, circuit=Endless())
    first = run_cell(cell, settings)[0]["reason"]
    began = time.process_time()
    assert run_cell(replace(cell, method=LagCorrelation(width=0.004)), settings)[0]["reason"] == first
    assert time.process_time() - began < 0.8


def test_a_rig_that_never_answers_ends_the_method_and_not_by_its_own_limit():
    cell = replace(CELL, circuit=Endless(), method=PulseAndCount(repeats=1), plan=Plan(6, 0.1), stimulator=Ideal())
    row, _ = run_cell(cell, replace(SETTINGS, simulation_limit=1.0, time_limit=0.9))
    assert "TimeoutError: the simulation of a session must end within 1 s" in row["reason"]


@pytest.mark.parametrize("workers", [None, 2])
def test_a_run_with_an_endless_circuit_ends_and_the_others_rows_are_there(tmp_path, workers):
    grid = Grid((ToyChain(), Endless()), (Plan(5, 0.5),), (Perfect(),), (LagCorrelation(),), baselines=False)
    experiment = Experiment("ends", "?", (grid,), subjects=2, simulation_limit=2.0)
    table = run(experiment, tmp_path / "run", workers=workers, archive=False).table.set_index("circuit")
    assert (table.loc["toy_chain", "status"] == "ok").all()
    assert (table.loc["endless", "status"] == "fault").all()
    assert table.loc["endless", "reason"].str.contains("the simulation of a session must end within 2 s").all()


def test_the_limit_must_be_positive():
    grid = Grid((ToyChain(),), (Plan(5, 0.5),), (Perfect(),), (LagCorrelation(),))
    with pytest.raises(SimlabError, match=r"simulation_limit must be .* s, got 0"):
        Experiment("none", "?", (grid,), simulation_limit=0)
