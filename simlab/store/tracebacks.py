"""Where a method's error arose: the tracebacks of failed cells, in a table of the ledger that older ones lack.

They are for the developer's eye alone: no row refers to them, and two runs with the same rows may differ in them.
"""

from __future__ import annotations

import linecache
import re
import sqlite3
import sys

FRAME = re.compile(r'^( *)File "(?P<file>[^"]+)", line (?P<line>\d+), in ')


def keep(connection: sqlite3.Connection, cell: str, trace: str) -> None:
    """Keeps the traceback of a cell, or forgets the one that there was where it is empty."""
    if trace:
        connection.execute("CREATE TABLE IF NOT EXISTS tracebacks (cell TEXT PRIMARY KEY, trace TEXT)")
        connection.execute("INSERT OR REPLACE INTO tracebacks VALUES (?, ?)", (cell, with_source(trace)))
    elif _there(connection):
        connection.execute("DELETE FROM tracebacks WHERE cell = ?", (cell,))


def kept(connection: sqlite3.Connection, cell: str) -> str:
    """The traceback of a cell; "" where there is none."""
    if not _there(connection):
        return ""
    found = connection.execute("SELECT trace FROM tracebacks WHERE cell = ?", (cell,)).fetchone()
    return "" if found is None else str(found[0])


def with_source(trace: str) -> str:
    """The traceback with the source line below each frame of a notebook or script, which no sealed process sees.

    Of modules and cells of this process alone: a method's own words open no other file.
    """
    known = {*linecache.cache, *(getattr(module, "__file__", None) for module in list(sys.modules.values()))}
    lines = trace.splitlines()
    told = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        told.append(line)
        frame = FRAME.match(line)
        if frame and frame["file"] in known and not following.startswith(f"{frame[1]}  "):
            told.append(f"{frame[1]}  {linecache.getline(frame['file'], int(frame['line'])).strip()}")
    return "\n".join(told)


def _there(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'tracebacks'").fetchone()
    return found is not None
