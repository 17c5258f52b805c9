"""A damaged ledger made whole: what still is what was written moves to a new file, and the rest counts as never run."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from simlab.contracts import HouseFault
from simlab.litter import room
from simlab.store.columns import COLUMNS
from simlab.store.ledger import Ledger
from simlab.store.opening import (
    Damage,
    LedgerError,
    begun,
    copied,
    explained,
    forget_log,
    is_of_the_system,
    lenient,
    set_aside,
    to_read,
)
from simlab.store.packing import digest
from simlab.store.rows import Row, is_whole, named

MAGIC = b"SQLite format 3\0"

BLOBS = ("truth", "unit_key", "finding")
"""Columns that name blobs."""


def mended(path: Path) -> list[str]:
    """Makes sure that a ledger is whole, and says in a sentence what was lost if it was not.

    The damaged file is kept beside it. Raises LedgerError where the disk, and not the file, is at fault.
    """
    if not begun(path) or _is_sound(path):
        return []
    try:
        with room() as folder:
            rows, blobs, lost = _salvaged(copied(path, folder))
        aside = _put_in_place(path, rows, blobs)
    except OSError as error:
        raise LedgerError(f"the damaged ledger {path} cannot be mended ({error}): free some space") from error
    said = f"the ledger was damaged: {len(rows)} rows are whole and kept, {lost} damaged ones run again"
    return [f"{said}; the damaged file is kept as {aside.name}"]


def _is_sound(path: Path) -> bool:
    """Whether pages, rows and blobs are what was written; a trouble of the system is raised."""
    try:
        with closing(to_read(path)) as connection:
            rows, _ = _read(connection)
            tables = connection.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").fetchone()[0]
            count = connection.execute("SELECT count(*) FROM cells").fetchone()[0] if tables else 0
            return count == len(rows) and connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
    except Damage as error:
        if is_of_the_system(error):
            raise explained(path, error) from error
        return False
    except HouseFault:
        return False


def _salvaged(copy: Path) -> tuple[list[Row], list[bytes], int]:
    """Whole rows and their blobs, and how many rows there were beside them as far as one can tell."""
    with open(copy, "r+b") as file:
        file.write(MAGIC)
    rows: list[Row] = []
    blobs: dict[str, bytes] = {}
    count = 0
    with suppress(*Damage), closing(sqlite3.connect(copy)) as connection:
        connection.text_factory = lenient
        rows, blobs = _read(connection)
        count = len(rows)
        count = max(count, *(_counted(connection, index) for index in ("NOT INDEXED", "")))
    return rows, list(blobs.values()), count - len(rows)


def _read(connection: sqlite3.Connection) -> tuple[list[Row], dict[str, bytes]]:
    """The rows that are whole and have their blobs, and these blobs by name."""
    blobs = {name: content for name, content in _each(connection, "blobs") if _is_named(name, content)}
    rows: dict[str, Row] = {}
    for values in _each(connection, "cells"):
        if len(values) == len(COLUMNS) and is_whole(row := named(values)):
            rows[row["cell"]] = row
    whole = [row for row in rows.values() if all(row[column] is None or row[column] in blobs for column in BLOBS)]
    used = {row[column] for row in whole for column in BLOBS}
    return whole, {name: content for name, content in blobs.items() if name in used}


def _each(connection: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a table that can be read, from its beginning and, past a damaged page, from its end."""
    for direction in ("ASC", "DESC"):
        try:
            yield from connection.execute(f"SELECT * FROM {table} NOT INDEXED ORDER BY rowid {direction}")
            return
        except Damage:
            continue


def _counted(connection: sqlite3.Connection, how: str) -> int:
    with suppress(*Damage):
        return int(connection.execute(f"SELECT count(cell) FROM cells {how}").fetchone()[0])
    return 0


def _is_named(name: Any, content: Any) -> bool:
    return isinstance(content, bytes) and digest(content) == name


def _put_in_place(path: Path, rows: list[Row], blobs: list[bytes]) -> Path:
    """Writes a new ledger, sets the damaged one aside, and puts the new one in its place."""
    scratch, aside = path.with_suffix(".mending.sqlite"), path.with_suffix(".damaged.sqlite")
    for left in (scratch, aside):
        left.unlink(missing_ok=True)
        forget_log(left)
    ledger = Ledger(scratch)
    ledger.write_all(rows, blobs)
    ledger.close()
    set_aside(path, aside)
    forget_log(path)  # SQLite would play the old log back into the new file
    os.replace(scratch, path)
    return aside
