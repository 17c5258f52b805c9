"""A damaged ledger gives the right rows or an error that says what to do; what is whole survives."""

from __future__ import annotations

import shutil
import sqlite3
import warnings
from pathlib import Path

import numpy as np
import pytest
from toys import LagCorrelation, Misbehaving, ToyChain

from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.running.loop import run
from simlab.store.ledger import Ledger, LedgerError
from simlab.store.mending import mended
from simlab.store.results import Results

FLIPS = 200


def experiment() -> Experiment:
    methods = (LagCorrelation(), Misbehaving("abstain"), Misbehaving("raise"))
    return Experiment("small", "?", (Grid((ToyChain(),), (Plan(20, 1.0),), (Perfect(),), methods),), subjects=2)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(experiment(), tmp_path_factory.mktemp("runs") / "run", archive=False).folder


def contents(path: Path) -> tuple[dict, dict]:
    """All rows by cell, and the blobs that they refer to by name."""
    ledger = Ledger(path)
    try:
        rows = {row["cell"]: row for row in ledger.rows()}
        names = {row[column] for row in rows.values() for column in ("truth", "unit_key", "finding")} - {None}
        return rows, {name: ledger._blob(name) for name in names}
    finally:
        ledger.close()


def test_a_finished_ledger_is_one_file_with_a_hash_in_every_row(finished):
    assert [file.name for file in finished.glob("ledger*")] == ["ledger.sqlite"]
    assert all(len(row["sha256"]) == 64 for row in Ledger(finished / "ledger.sqlite").rows())


def test_any_flipped_byte_gives_the_right_rows_or_an_error_that_says_what_to_do(finished, tmp_path):
    whole, (rows, kept) = (finished / "ledger.sqlite").read_bytes(), contents(finished / "ledger.sqlite")
    rng, path, noticed, rescued = np.random.default_rng(6), tmp_path / "ledger.sqlite", 0, 0
    for place in rng.integers(0, len(whole), FLIPS):
        broken = bytearray(whole)
        broken[place] ^= 1 << rng.integers(8)
        path.write_bytes(broken)
        try:
            assert contents(path) == (rows, kept), place
            said = None
        except LedgerError as error:
            said = str(error)
        noticed += said is not None
        assert said is None or "--resume" in said
        assert mended(path) or said is None
        after_rows, after_kept = contents(path)
        assert after_rows.items() <= rows.items()
        assert after_kept.items() <= kept.items()
        rescued += len(after_rows)
        for left in tmp_path.iterdir():
            left.unlink()
    assert noticed > FLIPS / 4
    assert rescued > 0.7 * FLIPS * len(rows)  # one flip costs the cells that it touches, and rarely more


def test_a_resumed_run_names_and_repeats_the_damaged_cells_alone(finished, tmp_path):
    folder = Path(shutil.copytree(finished, tmp_path / "run"))
    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.execute("UPDATE cells SET recovered = 1 - recovered WHERE status = 'ok' AND subject = 1")
    connection.commit()
    changed = connection.execute("SELECT changes()").fetchone()[0]
    connection.close()
    with pytest.raises(LedgerError, match=f"{changed} of .* rows do not match their hash.*--resume"):
        _ = Results(folder).table
    heard, again = [], []
    after = run(
        experiment(), folder, resume=True, archive=False, say=heard.append,
        progress=lambda done, total, row: again.append(row),
    )  # fmt: skip
    assert any(f"{changed} damaged ones run again" in sentence for sentence in heard)
    assert sum(row["status"] != "error" for row in again) == changed
    timeless = [c for c in Results(finished).table if not c.startswith(("seconds", "peak"))]
    assert after.table[timeless].equals(Results(finished).table[timeless])


def test_a_timing_or_position_that_was_changed_is_noticed(finished, tmp_path):
    for column in ("seconds_analysis", "position", "peak_memory"):
        shutil.copy(finished / "ledger.sqlite", tmp_path / "ledger.sqlite")
        connection = sqlite3.connect(tmp_path / "ledger.sqlite")
        connection.execute(f"UPDATE cells SET {column} = NULL WHERE rowid = 2")
        connection.commit()
        connection.close()
        with pytest.raises(LedgerError, match="1 of"):
            Ledger(tmp_path / "ledger.sqlite").rows()


@pytest.mark.parametrize("length", [0, 1, 100, 4096, 30_000])
def test_a_ledger_that_was_cut_short_resumes(finished, tmp_path, length):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes((finished / "ledger.sqlite").read_bytes()[:length])
    mended(path)
    rows, _ = contents(path)
    assert rows.items() <= contents(finished / "ledger.sqlite")[0].items()
    ledger = Ledger(path)
    ledger.write({"cell": "a", "position": 0, "status": "ok"})
    assert ledger.row("a")["status"] == "ok"


def test_a_sound_ledger_is_left_as_it_is(finished):
    before = (finished / "ledger.sqlite").read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mended(finished / "ledger.sqlite") == []
    assert (finished / "ledger.sqlite").read_bytes() == before
