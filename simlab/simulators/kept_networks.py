"""Networks that take long to find, kept for the processes of a run and for the next: each is found once."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from zipfile import BadZipFile

import numpy as np

from simlab.caches import cache_folder
from simlab.fingerprint import fingerprint, part_hash
from simlab.sources import libraries

T = TypeVar("T", bound=NamedTuple)

_found: dict[str, Any] = {}


def kept(recipe: Any, seed: int, kind: type[T], find: Callable[[], T]) -> T:
    """What `find` finds, a named tuple of arrays of this kind, once for a recipe and a seed.

    recipe: a frozen dataclass that decides all but the seed, with the code of its module and of what this is built on.
    Kept in this process, and in the user's cache folder, so that the workers of a run find each network once. What
    raises is not kept.
    """
    name = fingerprint([part_hash(recipe), int(seed), libraries(None), version("optax")])
    if name not in _found:
        file = cache_folder() / "networks" / f"{name}.npz"
        stored = _stored(file, kind)
        _found[name] = find() if stored is None else stored
        if stored is None:
            _store(file, _found[name])
    return _found[name]  # type: ignore[no-any-return]


def _stored(file: Path, kind: type[T]) -> T | None:
    """None where there is no such file, or none that can be read: then it is made anew."""
    try:
        with np.load(file) as arrays:
            return kind(*(arrays[name] for name in kind._fields))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _store(file: Path, found: Any) -> None:
    """Under another name first, so that readers meet a whole file; a folder that cannot be written is no loss."""
    draft = file.with_name(f"{file.stem}.{os.getpid()}.npz")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(draft, **found._asdict())
        draft.replace(file)
