"""The ledger: one SQLite row per finished cell, with its provenance.

SQLite in WAL mode, so that a report can be read while an experiment runs and a killed run loses no finished row.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab.contracts import Finding, SimlabError
from simlab.store.columns import COLUMNS
from simlab.store.packing import digest, unpack_dataset, unpack_finding

if TYPE_CHECKING:
    import xarray as xr

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
            connection.execute("CREATE TABLE IF NOT EXISTS blobs (name TEXT PRIMARY KEY, content BLOB)")

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

    def write(self, row: Row, blobs: Iterable[bytes] = ()) -> None:
        """Adds a row, or replaces the one of the same cell, and the blobs that it refers to by their digests."""
        if unknown := set(row) - set(COLUMNS):
            raise LedgerError(f"a row has no columns {sorted(unknown)}; they are {', '.join(COLUMNS)}")
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        with self._open() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO blobs VALUES (?, ?)", [(digest(blob), blob) for blob in blobs]
            )
            connection.execute(f"INSERT OR REPLACE INTO cells ({names}) VALUES ({marks})", list(row.values()))

    def replace(self, cell: str, row: Row) -> None:
        """Puts a row in the place of the one of this cell, which may have had another name."""
        with self._open() as connection:
            connection.execute("DELETE FROM cells WHERE cell = ?", (cell,))
        self.write(row)

    def made_of(self) -> dict[str, dict[str, Any]]:
        """What each finished cell was made of, by its digest: errors, which are tried again, are not among them."""
        with self._open() as connection:
            found = connection.execute("SELECT cell, made_of FROM cells WHERE status NOT IN ('error', 'fault')")
            return {cell: json.loads(parts) for cell, parts in found}

    def by_identity(self) -> dict[str, list[str]]:
        """The digests of the rows that each cell has had, whatever code made them: identity -> digests."""
        found: dict[str, list[str]] = {}
        with self._open() as connection:
            rows = connection.execute("SELECT identity, cell FROM cells WHERE status NOT IN ('error', 'fault')")
            for identity, cell in rows:
                found.setdefault(identity, []).append(cell)
        return found

    def arrange(self, order: Mapping[str, int]) -> None:
        """Gives each row its place in the experiment, digest -> position.

        Rows of cells that are not among them (of an earlier version of a method, say) are set aside: kept, not shown.
        """
        with self._open() as connection:
            connection.execute("UPDATE cells SET position = NULL")
            places = [(position, cell) for cell, position in order.items()]
            connection.executemany("UPDATE cells SET position = ? WHERE cell = ?", places)

    def rows(self) -> list[Row]:
        """Every row of the experiment as it stands but its finding, in the experiment's order."""
        names = [name for name in COLUMNS if name != "finding"]
        with self._open() as connection:
            cursor = connection.execute(
                f"SELECT {', '.join(names)} FROM cells WHERE position IS NOT NULL ORDER BY position"
            )
            return [dict(zip(names, values, strict=True)) for values in cursor]

    def row(self, cell: str) -> Row | None:
        """One row whole, by its digest."""
        with self._open() as connection:
            found = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM cells WHERE cell = ?", (cell,)).fetchone()
        return None if found is None else dict(zip(COLUMNS, found, strict=True))

    def kept(self, row: Row) -> tuple[Finding, xr.Dataset, xr.DataArray] | None:
        """The finding of a row, the truth over neurons and the (unit, neuron) key; None where it has no answer."""
        if row["finding"] is None:
            return None
        truth, key = (unpack_dataset(self._blob(row[name])) for name in ("truth", "unit_key"))
        return unpack_finding(row["finding"]), truth, key["share"]

    def _blob(self, name: str) -> bytes:
        with self._open() as connection:
            found = connection.execute("SELECT content FROM blobs WHERE name = ?", (name,)).fetchone()
        if found is None:
            raise LedgerError(f"the ledger {self.path} has lost the blob {name}: run these cells again with --resume")
        return found[0]
