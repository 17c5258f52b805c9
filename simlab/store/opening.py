"""Opening the SQLite file of a ledger: to write, to read, on storage that cannot be written; and what went wrong.

A run writes in WAL mode, so that its results can be read meanwhile and a killed one loses no finished row. When it
ends, the file goes back to a rollback journal (`settle`): one file that can be copied, and read from a read-only disk.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

from simlab.contracts import HouseFault
from simlab.litter import room

WAITING = 60.0
"""Seconds that one waits for another process to finish writing."""

OF_THE_SYSTEM = ("BUSY", "LOCKED", "IOERR", "FULL", "CANTOPEN", "READONLY", "PERM", "AUTH", "NOLFS")
"""SQLite's errors that say nothing about the file's contents."""

WHAT_TO_DO = "`--resume` keeps what is whole and runs the damaged cells again"

Damage = (sqlite3.Error, sqlite3.Warning, MemoryError, OverflowError, ValueError)
"""What reading a damaged file may raise."""


class LedgerError(HouseFault):
    """The ledger cannot be read or written."""


def begun(path: Path) -> bool:
    """Whether anything has been written there."""
    return any(file.is_file() and file.stat().st_size for file in (path, _wal(path)))


def to_write(path: Path) -> sqlite3.Connection:
    """A connection that writes; a commit survives the death of the process (though not a power cut)."""
    connection = _connected(str(path))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def to_read(path: Path) -> sqlite3.Connection:
    """A connection that reads, from storage that cannot be written too; raises LedgerError where pages are damaged."""
    connection = _connected(str(path)) if _writable(path) else _read_only(path)
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except BaseException:
        connection.close()
        raise
    if found != "ok":
        connection.close()
        raise damaged(path, " ".join(found.split()))
    return connection


def settle(connection: sqlite3.Connection) -> None:
    """Leaves one file that needs no other beside it, unless somebody is reading it just now."""
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA busy_timeout=0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")


def damaged(path: Path, what: object) -> LedgerError:
    """The error of a file whose contents are not what was written."""
    return LedgerError(f"the ledger {path} is damaged ({what}): {WHAT_TO_DO}")


def explained(path: Path, error: BaseException) -> LedgerError:
    """What an error of SQLite means to a user."""
    if not is_of_the_system(error):
        return damaged(path, error or type(error).__name__)
    return LedgerError(
        f"the ledger {path} cannot be used ({error}): check that its folder is writable, the disk not full, "
        "and nobody else holds the file; finished rows are kept, and `--resume` goes on with them"
    )


def is_of_the_system(error: BaseException) -> bool:
    """Whether an error comes from disk, permissions or other processes rather than from the file's contents."""
    name = str(getattr(error, "sqlite_errorname", None) or "")
    return name.removeprefix("SQLITE_").startswith(OF_THE_SYSTEM)


def copied(path: Path, folder: Path) -> Path:
    """A copy of the file in this folder, with what the write-ahead log holds beside it."""
    set_aside(path, folder / path.name)
    return folder / path.name


def set_aside(path: Path, aside: Path) -> None:
    """A copy of the file and its write-ahead log under another name."""
    shutil.copyfile(path, aside)
    if _wal(path).is_file():
        shutil.copyfile(_wal(path), _wal(aside))


def lenient(raw: bytes) -> str:
    """Text that may be damaged: a row's hash tells, not an exception that spoils all others."""
    return raw.decode("utf-8", "surrogateescape")


def forget_log(path: Path) -> None:
    """Removes what SQLite keeps beside the file."""
    for ending in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _writable(path: Path) -> bool:
    """SQLite needs the folder too, for what it keeps beside the file."""
    return os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)


def _connected(target: str, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(target, timeout=WAITING, check_same_thread=False, uri=uri)
    connection.text_factory = lenient
    return connection


def _read_only(path: Path) -> sqlite3.Connection:
    """A settled file as it is; one that a killed run left unsettled is read from a copy in memory."""
    address = path.resolve().as_uri()
    logged = _wal(path).is_file() and _wal(path).stat().st_size > 0
    for options in ("mode=ro", *(() if logged else ("mode=ro&immutable=1",))):
        connection = _connected(f"{address}?{options}", uri=True)
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            return connection
        except sqlite3.Error as error:
            connection.close()
            if not is_of_the_system(error):
                raise
    with room() as folder:
        copy, memory = _connected(str(copied(path, folder))), _connected(":memory:")
        copy.backup(memory)
        copy.close()
    return memory
