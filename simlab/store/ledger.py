"""The ledger: one SQLite row per finished cell, with its provenance.

Every row carries a hash of its contents, and whatever is large (findings, truths, keys) is a blob named by its digest;
both are compared on reading, so that a damaged file gives an error and never a wrong number (`simlab.store.mending`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab.contracts import Finding
from simlab.store import tracebacks
from simlab.store.columns import COLUMNS
from simlab.store.opening import Damage, begun, damaged, explained, settle, to_read, to_write
from simlab.store.opening import LedgerError as LedgerError
from simlab.store.packing import digest, unpack_dataset, unpack_finding
from simlab.store.rows import Row as Row
from simlab.store.rows import is_whole, named, sealed

if TYPE_CHECKING:
    import xarray as xr


FORGET_UNUSED = """
DELETE FROM blobs WHERE name NOT IN (
    SELECT truth FROM cells WHERE truth NOT NULL UNION SELECT unit_key FROM cells WHERE unit_key NOT NULL
    UNION SELECT finding FROM cells WHERE finding NOT NULL)
"""
"""The findings and truths of rows that have been replaced."""

TRIED_AGAIN = ("error", "fault")
"""Statuses of cells that a resumed run tries again."""

FAILED = (*TRIED_AGAIN, "over_budget")
"""Statuses of cells of which a traceback may be kept."""


class Ledger:
    """The rows of one run folder's `ledger.sqlite`."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._connection: sqlite3.Connection | None = None
        self._writes = False
        with self._look():
            pass  # a file that is no ledger is told at once

    def close(self) -> None:
        """Closes the file, and leaves it so that it can be read without writing; the next call opens it again."""
        if self._connection is not None and self._writes:
            with suppress(LedgerError), self._open() as connection:
                connection.execute(FORGET_UNUSED)
            if self._connection is not None:
                settle(self._connection)
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._writes = None, False

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction; the file is made at the first one."""
        with self._explaining():
            if self._connection is None or not self._writes:
                self._drop()
                self._connection, self._writes = to_write(self.path), True
                if _is_empty(self._connection):
                    _make_tables(self._connection)
            with self._connection:
                yield self._connection

    @contextmanager
    def _look(self) -> Iterator[sqlite3.Connection]:
        """For reading; a ledger that has not been begun is an empty one."""
        with self._explaining():
            if self._connection is None and begun(self.path):
                self._connection = to_read(self.path)
            if self._connection is not None and not _is_empty(self._connection):
                yield self._connection
                return
            empty = sqlite3.connect(":memory:")
            _make_tables(empty)
            yield empty

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except LedgerError:
            self._drop()
            raise
        except Damage as error:
            self._drop()
            raise explained(self.path, error) from error

    def write(self, row: Row, blobs: Iterable[bytes] = ()) -> None:
        """Adds a row, or replaces the one of the same cell, and the blobs that it refers to by their digests.

        A `finding` may be given as packed bytes, which are kept among the blobs, and a `traceback`, kept apart.
        """
        self.write_all((row,), blobs)

    def write_all(self, rows: Iterable[Row], blobs: Iterable[bytes] = ()) -> None:
        """Writes several rows as `write` does, all or none."""
        rows = list(rows)
        for row in rows:
            if unknown := set(row) - set(COLUMNS) - {"traceback"}:
                raise LedgerError(f"a row has no columns {sorted(unknown)}; they are {', '.join(COLUMNS)}")
        with self._open() as connection:
            _keep(connection, blobs)
            for row in rows:
                _insert(connection, row)

    def replace(self, cell: str, row: Row) -> None:
        """Puts a row in the place of the one of this cell, which may have had another name."""
        with self._open() as connection:
            connection.execute("DELETE FROM cells WHERE cell = ?", (cell,))
            _insert(connection, row)

    def made_of(self) -> dict[str, dict[str, Any]]:
        """What each finished cell was made of, by its digest: errors, which are tried again, are not among them."""
        return {row["cell"]: json.loads(row["made_of"]) for row in self._all() if row["status"] not in TRIED_AGAIN}

    def by_identity(self) -> dict[str, list[str]]:
        """The digests of the rows that each cell has had, whatever code made them: identity -> digests."""
        found: dict[str, list[str]] = {}
        for row in self._all():
            if row["status"] not in TRIED_AGAIN:
                found.setdefault(row["identity"], []).append(row["cell"])
        return found

    def arrange(self, order: Mapping[str, int]) -> None:
        """Gives each row its place in the experiment, digest -> position.

        Rows of cells that are not among them (of an earlier version of a method, say) are set aside: kept, not shown.
        """
        moved = [row | {"position": order.get(row["cell"])} for row in self._all()]
        moved = [row for row in moved if not is_whole(row)]
        with self._open() as connection:
            for row in moved:
                _insert(connection, row)

    def rows(self) -> list[Row]:
        """Every row of the experiment as it stands, in the experiment's order."""
        shown = [row for row in self._all() if row["position"] is not None]
        return sorted(shown, key=lambda row: row["position"])

    def row(self, cell: str) -> Row | None:
        """One row whole, by its digest."""
        with self._look() as connection:
            found = _found(connection, "cells", "cell", cell)
            return None if found is None else self._whole([named(found)])[0]

    def kept(self, row: Row) -> tuple[Finding, xr.Dataset, xr.DataArray] | None:
        """The finding of a row, the truth over neurons and the (unit, neuron) key; None where it has no answer."""
        if row["finding"] is None:
            return None
        truth, key = (unpack_dataset(self._blob(row[name])) for name in ("truth", "unit_key"))
        return unpack_finding(self._blob(row["finding"])), truth, key["share"]

    def traceback(self, cell: str) -> str:
        """Where the error of a cell arose; "" where there was none, or none is known."""
        with self._look() as connection:
            return tracebacks.kept(connection, cell)

    def _all(self) -> list[Row]:
        with self._look() as connection:
            return self._whole([named(values) for values in connection.execute("SELECT * FROM cells")])

    def _whole(self, rows: list[Row]) -> list[Row]:
        if broken := sum(not is_whole(row) for row in rows):
            raise damaged(self.path, f"{broken} of {len(rows)} rows do not match their hash")
        return rows

    def _blob(self, name: str) -> bytes:
        with self._look() as connection:
            found = _found(connection, "blobs", "name", name)
        if found is None or digest(found[1]) != name:
            state = "lost" if found is None else "damaged"
            raise damaged(self.path, f"the finding, truth or key {name} is {state}")
        return found[1]


def _make_tables(connection: sqlite3.Connection) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with connection:
        connection.execute("BEGIN")
        connection.execute(f"CREATE TABLE IF NOT EXISTS cells ({columns})")
        connection.execute("CREATE TABLE IF NOT EXISTS blobs (name TEXT PRIMARY KEY, content BLOB)")


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]


def _found(connection: sqlite3.Connection, table: str, column: str, name: str) -> tuple[Any, ...] | None:
    """A row by name, looked for without the index too, which may be what is damaged."""
    for where in (column, f"+{column}"):
        found = connection.execute(f"SELECT * FROM {table} WHERE {where} = ?", (name,)).fetchone()
        if found is not None:
            return tuple(found)
    return None


def _keep(connection: sqlite3.Connection, blobs: Iterable[bytes]) -> None:
    connection.executemany("INSERT OR IGNORE INTO blobs VALUES (?, ?)", [(digest(blob), blob) for blob in blobs])


def _insert(connection: sqlite3.Connection, row: Row) -> None:
    if isinstance(row.get("finding"), bytes):
        _keep(connection, (row["finding"],))
        row = row | {"finding": digest(row["finding"])}
    if "traceback" in row or row.get("status") not in FAILED:
        tracebacks.keep(connection, row["cell"], row.get("traceback", ""))
    marks = ", ".join("?" * len(COLUMNS))
    connection.execute(f"INSERT OR REPLACE INTO cells VALUES ({marks})", list(sealed(row).values()))
