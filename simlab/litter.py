"""Temporary folders that are gone when their owner is, and the sweeping of those whose owner was killed.

An owned folder holds a file that its owner keeps locked (flock), and a folder `here` that is handed out. The kernel
lets go of a lock when the last process that holds it ends, however it ends: who can lock a folder may remove it.
What has no lock (made by an earlier version, or on a file system without locks) is abandoned after a day.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from simlab.caches import builds_folder

PREFIXES = ("simlab-room-", ".writing-")
"""How the folders are called that are ours to sweep: in the system's folder for temporary files, and in the archive."""

ABANDONED = 86_400.0
"""A folder without a lock that nobody touched for this long [s] was left by a dead process."""

LOCK, HERE = "lock", "here"

BUILDS_KEPT = 30 * 86_400.0
"""Compiled simulations that were not used for this long [s] go with the next purge; what is missing is built again."""


@contextmanager
def room(prefix: str = PREFIXES[0], within: Path | str | None = None) -> Iterator[Path]:
    """A folder of one's own (mode 0700) that goes with the block, or with the next `sweep` if this process is killed.

    within: where to make it; by default the system's folder for temporary files. Raises OSError where that cannot be.
    """
    folder, lock = _taken(prefix, within)
    try:
        inner = folder / HERE
        inner.mkdir(mode=0o700)
        yield inner
    finally:
        remove(folder)
        if lock is not None:
            os.close(lock)


def sweep(*places: Path | str | None) -> int:
    """Removes what dead processes left in these places and among the system's temporary files; returns how many.

    Only folders of this user with our prefixes and without a living owner; links are not followed.
    """
    removed = 0
    for place in {str(p) for p in (tempfile.gettempdir(), *places) if p is not None}:
        with suppress(OSError), os.scandir(place) as entries:
            ours = [Path(e.path) for e in entries if e.name.startswith(PREFIXES)]
            removed += sum(map(_swept, ours))
    return removed


def remove(folder: Path) -> None:
    """Removes a folder and all that is in it, however deep and whatever its modes; follows no links, and never raises.

    What lies deep is moved up first, so that neither the length of paths nor the depth of calls is a limit.
    """
    with suppress(OSError):
        os.chmod(folder, 0o700)
        while _emptied_by_one_level(folder):
            pass
        os.rmdir(folder)


def purge_builds(unused_for: float = BUILDS_KEPT) -> int:
    """Removes compiled simulations that were not used for so long [s], and those that earlier versions left."""
    removed = 0
    for place in (builds_folder(), Path.home() / ".cython" / "simlab_standalone"):
        with suppress(OSError), os.scandir(place) as entries:
            for entry in list(entries):
                if entry.is_dir(follow_symlinks=False) and _age(entry.stat(follow_symlinks=False)) >= unused_for:
                    remove(Path(entry.path))
                    Path(entry.path + ".lock").unlink(missing_ok=True)
                    removed += 1
    return removed


def _taken(prefix: str, within: Path | str | None) -> tuple[Path, int | None]:
    """A new folder and its lock; a sweep that came between the two has removed the folder, and another is made."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=within))
        try:
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            continue
        except OSError:
            remove(folder)
            raise
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        except OSError:  # a file system without locks
            os.close(lock)
            (folder / LOCK).unlink(missing_ok=True)
            return folder, None
        if os.fstat(lock).st_nlink:
            return folder, lock
        os.close(lock)


def _swept(folder: Path) -> bool:
    """Removes a folder if it is ours and abandoned."""
    with suppress(OSError):  # it went meanwhile, is not ours, or somebody lives here
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            return False
        if not (folder / LOCK).exists():
            return _age(found) > ABANDONED and _removed(folder)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return _removed(folder)
        finally:
            os.close(lock)
    return False


def _removed(folder: Path) -> bool:
    remove(folder)
    return not folder.exists()


def _age(found: os.stat_result) -> float:
    return time.time() - found.st_mtime


def _emptied_by_one_level(folder: Path) -> bool:
    """Removes what lies in a folder, its folders' folders moved up; whether to go on."""
    moved = False
    for name in os.listdir(folder):
        path = folder / name
        if not stat.S_ISDIR(path.lstat().st_mode):
            path.unlink()
            continue
        os.chmod(path, 0o700)
        for inner in os.listdir(path):
            if stat.S_ISDIR((path / inner).lstat().st_mode):
                os.chmod(path / inner, 0o700)
                os.rename(path / inner, folder / uuid.uuid4().hex)
                moved = True
            else:
                (path / inner).unlink()
        path.rmdir()
    return moved
