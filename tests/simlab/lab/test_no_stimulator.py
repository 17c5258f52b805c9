"""A cell that was made by hand without a stimulator says so, instead of failing on an attribute of nothing."""

from __future__ import annotations

from toys import PulseAndCount, ToyChain

from simlab.experiment import Cell, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.lab.cell import run_cell
from simlab.lab.row import Settings

SETTINGS = Settings(seed=3, archive=None, time_limit=10.0, memory_limit=2**30)


def test_an_active_method_without_a_stimulator_is_told_the_rule_and_the_fix():
    row, blobs = run_cell(Cell(ToyChain(), 0, Plan(40, 0.1), Perfect(), PulseAndCount(repeats=3)), SETTINGS)
    assert blobs == ()
    assert row["status"] == "fault"
    assert "AttributeError" not in row["reason"]
    for word in ("SimlabError", "pulse_and_count", "needs a stimulator", "stimulator=Ideal()"):
        assert word in row["reason"]
