"""The ledger keeps what was written, in order, whatever happens to the process."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simlab.store.ledger import Ledger, LedgerError, pack, table, unpack


def row(key: str, position: int = 0, **more) -> dict:
    return {
        "key": key, "position": position, "circuit": "c", "instrument": "i", "method": "m", "question": "connectivity",
        "circuit_parameters": "{}", "instrument_parameters": json.dumps({"n_units": 10 + position}),
        "method_parameters": "{}", "status": "ok", "metrics": json.dumps({"mcc": 0.5, "auroc": None}),
        "chance": json.dumps({"mcc": 0.0}), **more,
    }  # fmt: skip


def test_rows_come_back_in_the_experiments_order(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for key, position in (("b", 2), ("a", 1), ("c", 0)):
        ledger.write(row(key, position))
    assert [r["key"] for r in Ledger(tmp_path / "ledger.sqlite").rows()] == ["c", "a", "b"]


def test_writing_a_key_again_replaces_its_row(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.write(row("a", status="error"))
    assert ledger.keys() == set()
    ledger.write(row("a"))
    assert ledger.keys() == {"a"}
    assert len(ledger.rows()) == 1


def test_rows_of_cells_that_are_no_longer_asked_for_are_set_aside_and_come_back(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.write(row("a", 0))
    ledger.write(row("b", 1))
    ledger.arrange({"b": 0})
    assert [r["key"] for r in ledger.rows()] == ["b"]
    ledger.arrange({"b": 1, "a": 0})
    assert [r["key"] for r in ledger.rows()] == ["a", "b"]


def test_the_table_spreads_metrics_chance_and_varying_parameters(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.write(row("a", 0))
    ledger.write(row("b", 1))
    frame = table(ledger.rows())
    assert frame["mcc"].tolist() == [0.5, 0.5]
    assert np.isnan(frame["auroc"]).all()
    assert frame["chance_mcc"].tolist() == [0.0, 0.0]
    assert frame["instrument.n_units"].tolist() == [10, 11]


def test_an_empty_ledger_makes_an_empty_table(tmp_path):
    assert len(table(Ledger(tmp_path / "ledger.sqlite").rows())) == 0


def test_arrays_survive_packing():
    arrays = {"score": np.eye(3, dtype=np.float32), "decided": np.eye(3, dtype=bool)}
    back = unpack(pack(arrays))
    assert all((back[name] == values).all() and back[name].dtype == values.dtype for name, values in arrays.items())


def test_a_file_that_is_no_ledger_is_a_clear_error(tmp_path):
    (tmp_path / "ledger.sqlite").write_text("this is no database at all, not even nearly" * 50)
    with pytest.raises(LedgerError, match="finished rows are kept"):
        Ledger(tmp_path / "ledger.sqlite")


def test_an_unknown_column_is_refused(tmp_path):
    with pytest.raises(LedgerError, match="no columns"):
        Ledger(tmp_path / "ledger.sqlite").write({"key": "a", "colour": 3})
