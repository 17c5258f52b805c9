"""What a training found, kept: in the process, and in the user's cache folder for the workers of a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast
from zipfile import BadZipFile

import numpy as np

from simlab.caches import cache_folder
from simlab.fingerprint import fingerprint, part_hash
from simlab.sources import libraries

T = TypeVar("T", bound=NamedTuple)

_found: dict[str, NamedTuple] = {}


def kept(kind: type[T], recipe: Any, seed: int, solve: Callable[[], T]) -> T:
    """What `solve` finds, arrays in a named tuple of this kind, once for a recipe and a seed.

    recipe: a frozen dataclass; the code of its module counts with its fields.
    """
    name = fingerprint([part_hash(recipe), int(seed), libraries(None), version("optax")])
    if name not in _found:
        file = cache_folder() / "trained" / f"{name}.npz"
        stored = _stored(kind, file)
        _found[name] = solve() if stored is None else stored
        if stored is None:
            _store(file, _found[name])
    return cast(T, _found[name])


def _stored(kind: type[T], file: Path) -> T | None:
    """None where there is no such file, or none that can be read: then it is made anew."""
    try:
        with np.load(file) as arrays:
            return kind(*(arrays[name] for name in kind._fields))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _store(file: Path, found: NamedTuple) -> None:
    """Under another name first, so that readers meet a whole file; a folder that cannot be written is no loss."""
    draft = file.with_name(f"{file.stem}.{os.getpid()}.npz")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(draft, **found._asdict())
        draft.replace(file)
