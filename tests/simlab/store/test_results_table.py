"""What of a ledger's rows becomes a column of the results."""

from __future__ import annotations

import json

from synthetic_run import row
from toys import PulseAndCount, ToyChain

from simlab.experiment import Cell, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.row import Settings, identity
from simlab.store.tables import table


def test_a_stimulators_parameters_are_kept_of_an_active_cell_and_become_columns_where_they_vary() -> None:
    cell = Cell(ToyChain(), 0, Plan(40, 0.1), Perfect(), PulseAndCount(), stimulator=Ideal())
    assert json.loads(identity(cell, Settings(1, None, 1.0, 1))["stimulator_parameters"]) == {}
    rows = [row(stimulator="light", stimulator_parameters=json.dumps({"power": p, "delay": 0.1})) for p in (1.0, 3.0)]
    found = table([*rows, row(stimulator="", stimulator_parameters=None)])
    assert found["stimulator.power"].tolist()[:2] == [1.0, 3.0]
    assert found["stimulator.power"].isna().tolist() == [False, False, True]
    assert "stimulator.delay" not in found
