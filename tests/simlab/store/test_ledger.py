"""The ledger keeps what was written, in order, whatever happens to the process."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from simlab.contracts import Finding
from simlab.store.ledger import Ledger, LedgerError
from simlab.store.packing import digest, pack, pack_dataset, pack_finding, unpack, unpack_dataset, unpack_finding
from simlab.store.tables import table


def row(key: str, position: int = 0, **more) -> dict:
    return {
        "cell": key, "identity": f"is {key}", "made_of": json.dumps({"method": "code"}), "position": position,
        "circuit": "c", "instrument": "i", "method": "m", "question": "connectivity",
        "circuit_parameters": "{}", "instrument_parameters": json.dumps({"n_units": 10 + position}),
        "method_parameters": "{}", "status": "ok", "metrics": json.dumps({"mcc": 0.5, "auroc": None}),
        "chance": json.dumps({"mcc": 0.0}), **more,
    }  # fmt: skip


def test_rows_come_back_in_the_experiments_order(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for key, position in (("b", 2), ("a", 1), ("c", 0)):
        ledger.write(row(key, position))
    assert [r["cell"] for r in Ledger(tmp_path / "ledger.sqlite").rows()] == ["c", "a", "b"]


def test_writing_a_cell_again_replaces_its_row(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.write(row("a", status="error"))
    assert ledger.made_of() == {}
    ledger.write(row("a"))
    assert ledger.made_of() == {"a": {"method": "code"}}
    assert len(ledger.rows()) == 1


def test_a_row_put_in_the_place_of_another_leaves_one(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.write(row("a"))
    ledger.replace("a", row("b"))
    assert ledger.by_identity() == {"is b": ["b"]}


def test_a_truth_that_many_cells_share_is_kept_once(tmp_path):
    truth = xr.Dataset({"weight": (("pre", "post"), np.eye(3))})
    key = xr.DataArray(np.eye(3), dims=("unit", "neuron")).to_dataset(name="share")
    blobs = (pack_dataset(truth), pack_dataset(key))
    names = dict(zip(("truth", "unit_key"), map(digest, blobs), strict=True))
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for cell in "ab":
        ledger.write(row(cell, **names, finding=pack_finding(Finding({"score": np.eye(3)}, 0.5))), blobs)
    with ledger._open() as connection:
        assert connection.execute("SELECT count(*) FROM blobs").fetchone() == (3,)  # with the finding
    finding, neurons, share = ledger.kept(ledger.row("b"))
    assert finding.confidence == 0.5
    xr.testing.assert_equal(neurons, truth)
    np.testing.assert_array_equal(share.values, np.eye(3))


def test_rows_of_cells_that_are_no_longer_asked_for_are_set_aside_and_come_back(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.write(row("a", 0))
    ledger.write(row("b", 1))
    ledger.arrange({"b": 0})
    assert [r["cell"] for r in ledger.rows()] == ["b"]
    ledger.arrange({"b": 1, "a": 0})
    assert [r["cell"] for r in ledger.rows()] == ["a", "b"]


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


def test_arrays_survive_packing_to_the_bit():
    arrays = {"score": np.random.default_rng(0).normal(size=(3, 3)), "decided": np.eye(3, dtype=bool)}
    back, header = unpack(pack(arrays, {"n": 3}))
    assert header == {"n": 3}
    assert all((back[name] == values).all() and back[name].dtype == values.dtype for name, values in arrays.items())


def test_findings_survive_packing_with_labels_confidence_and_notes():
    finding = Finding(
        {"label": "ring attractor", "type": np.array(["E", "I"], object)}, 0.7, notes={"n": 3, "odd": {1}}
    )
    back = unpack_finding(pack_finding(finding))
    assert (back.estimate["label"], back.confidence, back.notes["n"]) == ("ring attractor", 0.7, 3)
    assert back.estimate["type"].tolist() == ["E", "I"]


def test_datasets_survive_packing_with_dims_labels_and_units():
    dataset = xr.Dataset({"label": "chain", "rate": ("neuron", [1.0, 2.0], {"units": "Hz"})}, {"neuron": [0, 1]})
    back = unpack_dataset(pack_dataset(dataset))
    xr.testing.assert_equal(back, dataset)
    assert back["rate"].attrs == {"units": "Hz"}


def test_a_file_that_is_no_ledger_is_a_clear_error(tmp_path):
    (tmp_path / "ledger.sqlite").write_text("this is no database at all, not even nearly" * 50)
    with pytest.raises(LedgerError, match=r"damaged .*--resume"):
        Ledger(tmp_path / "ledger.sqlite")


def test_an_unknown_column_is_refused(tmp_path):
    with pytest.raises(LedgerError, match="no columns"):
        Ledger(tmp_path / "ledger.sqlite").write({"cell": "a", "colour": 3})


def test_short_arrays_among_the_notes_are_kept_and_long_ones_named():
    notes = {"lags": np.arange(3), "level": np.float64(0.5), "everything": np.zeros((20, 30))}
    back = unpack_finding(pack_finding(Finding({"b0": 1}, notes=notes))).notes
    assert back == {"lags": [0, 1, 2], "level": 0.5, "everything": "array of shape (20, 30)"}


def test_a_traceback_is_kept_until_its_cell_has_an_answer_and_older_ledgers_have_none(tmp_path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.write(row("a"))
    assert ledger.traceback("a") == ""  # there is no such table yet
    ledger.write(row("b", 1, status="error", traceback="line 3, in helper"))
    ledger.arrange({"b": 0, "a": 1})
    ledger.close()
    again = Ledger(tmp_path / "ledger.sqlite")
    assert again.traceback("b") == "line 3, in helper"
    assert "traceback" not in again.rows()[0]
    again.write(row("b"))
    assert again.traceback("b") == ""
