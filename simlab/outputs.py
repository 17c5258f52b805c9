"""Whether a file could be written: asked before anything is simulated, not after."""

from __future__ import annotations

import tempfile
from pathlib import Path

from simlab.contracts import SimlabError


def check_writable(what: str, path: Path, *, making: bool = False) -> None:
    """Raises SimlabError unless a file could be written there: its folder is there, or (`making`) can be made.

    What counts is an attempt: permissions alone do not tell of read-only disks and full ones.
    """
    if path.is_dir():
        raise SimlabError(f"cannot write {what} {path}: that is a folder; name a file in it")
    folder = path.parent
    while making and not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise SimlabError(f"cannot write {what} {path}: {folder} is no folder that is there; make it first")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SimlabError(
            f"cannot write {what} {path}: {error.strerror or error} in {folder}; name a file in another folder"
        ) from error
