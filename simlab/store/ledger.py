"""The ledger: one SQLite row per finished cell, with its provenance.

SQLite in WAL mode, so that a report can be read while an experiment runs and a killed run loses no finished row.
"""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.contracts import SimlabError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Mapping[str, str] = {
    "key": "TEXT PRIMARY KEY",
    "position": "INTEGER",  # place in the experiment's order, so that results read the same whoever finished first
    "experiment": "TEXT",
    "role": "TEXT",  # circuit, rival or ceiling
    "circuit": "TEXT",
    "circuit_label": "TEXT",
    "circuit_parameters": "TEXT",  # JSON
    "subject": "INTEGER",
    "trials": "INTEGER",
    "duration": "REAL",  # s
    "instrument": "TEXT",
    "instrument_label": "TEXT",
    "instrument_parameters": "TEXT",
    "stimulator": "TEXT",
    "stimulator_label": "TEXT",
    "method": "TEXT",
    "method_label": "TEXT",
    "method_parameters": "TEXT",
    "question": "TEXT",
    "kind": "TEXT",  # passive, active or baseline
    "status": "TEXT",  # ok, abstained, error or over_budget
    "reason": "TEXT",
    "recovered": "REAL",
    "false_recovery": "REAL",
    "confidence": "REAL",
    "metrics": "TEXT",
    "chance": "TEXT",
    "n_units": "INTEGER",
    "n_neurons": "INTEGER",
    "budget_trials": "REAL",
    "budget_seconds": "REAL",
    "budget_perturbations": "REAL",
    "spent_trials": "REAL",
    "spent_seconds": "REAL",
    "spent_perturbations": "REAL",
    "seconds_simulation": "REAL",
    "seconds_recording": "REAL",
    "seconds_analysis": "REAL",
    "seconds_scoring": "REAL",
    "peak_memory": "REAL",  # bytes
    "engine": "TEXT",  # simulator, version and code generation target
    "versions": "TEXT",  # JSON
    "seed": "TEXT",
    "exhibit": "BLOB",  # compressed arrays of a small finding and its truth, for the report
}
"""Every column of the table `cells` and its SQLite type."""

TIMINGS = ("seconds_simulation", "seconds_recording", "seconds_analysis", "seconds_scoring", "peak_memory")
"""Columns that differ between two runs of the same experiment; all others are identical."""

Row = dict[str, Any]


class LedgerError(SimlabError):
    """The ledger cannot be read or written."""


class Ledger:
    """The rows of one run folder's `ledger.sqlite`."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._connection: sqlite3.Connection | None = None
        with self._open() as connection:
            columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
            connection.execute(f"CREATE TABLE IF NOT EXISTS cells ({columns})")

    def close(self) -> None:
        """Closes the file; the next call opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction. A commit survives the death of the process (though not a power cut)."""
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self.path, timeout=60, check_same_thread=False)
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute("PRAGMA synchronous=NORMAL")
            with self._connection:
                yield self._connection
        except sqlite3.Error as error:
            self.close()
            raise LedgerError(
                f"the ledger {self.path} cannot be used ({error}): check that its folder is writable, "
                "the disk not full, and the file a ledger; finished rows are kept"
            ) from error

    def write(self, row: Row) -> None:
        """Adds a row, or replaces the one of the same key."""
        if unknown := set(row) - set(COLUMNS):
            raise LedgerError(f"a row has no columns {sorted(unknown)}; they are {', '.join(COLUMNS)}")
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        with self._open() as connection:
            connection.execute(f"INSERT OR REPLACE INTO cells ({names}) VALUES ({marks})", list(row.values()))

    def keys(self, *, finished_only: bool = True) -> set[str]:
        """Keys of the rows that need no second run: with `finished_only`, errors are not among them."""
        where = "WHERE status != 'error'" if finished_only else ""
        with self._open() as connection:
            return {key for (key,) in connection.execute(f"SELECT key FROM cells {where}")}

    def arrange(self, order: Mapping[str, int]) -> None:
        """Gives each row its place in the experiment, key -> position.

        Rows of cells that are not among them (of an earlier version of a method, say) are set aside: kept, not shown.
        """
        with self._open() as connection:
            connection.execute("UPDATE cells SET position = NULL")
            places = [(position, key) for key, position in order.items()]
            connection.executemany("UPDATE cells SET position = ? WHERE key = ?", places)

    def rows(self) -> list[Row]:
        """Every row of the experiment as it stands but its exhibit, in the experiment's order."""
        names = [name for name in COLUMNS if name != "exhibit"]
        with self._open() as connection:
            cursor = connection.execute(
                f"SELECT {', '.join(names)} FROM cells WHERE position IS NOT NULL ORDER BY position"
            )
            return [dict(zip(names, values, strict=True)) for values in cursor]

    def exhibit(self, key: str) -> dict[str, np.ndarray] | None:
        """The stored arrays of a cell's finding and truth, if it was small enough to keep."""
        with self._open() as connection:
            found = connection.execute("SELECT exhibit FROM cells WHERE key = ?", (key,)).fetchone()
        return None if found is None or found[0] is None else unpack(found[0])


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Named arrays as compressed bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack(blob: bytes) -> dict[str, np.ndarray]:
    """What `pack` packed."""
    with np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def table(rows: list[Row]) -> pd.DataFrame:
    """Rows as a DataFrame: metrics and chance levels spread into columns, and parameters where they vary."""
    import pandas as pd

    spread = []
    for row in rows:
        metrics, chance = json.loads(row["metrics"] or "{}"), json.loads(row["chance"] or "{}")
        flat = {k: v for k, v in row.items() if k not in ("metrics", "chance") and not k.endswith("_parameters")}
        flat |= {k: np.nan if v is None else v for k, v in metrics.items()}
        flat |= {f"chance_{k}": np.nan if v is None else v for k, v in chance.items()}
        spread.append(flat)
    frame = pd.DataFrame(spread, columns=None if spread else [c for c in COLUMNS if c != "exhibit"])
    for column in ("recovered", "false_recovery", "confidence"):
        frame[column] = frame[column].astype(float)
    return pd.concat([frame, _varying_parameters(rows)], axis=1)


def _varying_parameters(rows: list[Row]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, list[Any]] = {}
    for part in ("circuit", "instrument", "method"):
        parsed = [json.loads(row[f"{part}_parameters"] or "{}") for row in rows]
        for name in dict.fromkeys(name for parameters in parsed for name in parameters):
            values = [p.get(name) for p in parsed]
            by_name: dict[str, set[str]] = {}
            for row, parameters in zip(rows, parsed, strict=True):
                if name in parameters:
                    by_name.setdefault(row[part], set()).add(json.dumps(parameters[name]))
            if any(len(seen) > 1 for seen in by_name.values()):
                columns[f"{part}.{name}"] = [v if not isinstance(v, dict | list) else json.dumps(v) for v in values]
    return pd.DataFrame(columns, index=range(len(rows)))
