"""Whose methods run in the lab's own process unless told otherwise: the house's."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

import simlab

HOUSE = {name: os.path.join(os.path.dirname(os.path.dirname(simlab.__file__)), name) for name in ("simlab", "methods")}
"""Packages that simlab itself installs, and where they lie: a user's project may have a `methods` of its own."""

PLAIN = (str, bytes, int, float, complex, type(None), np.ndarray, np.generic)


def sealed(method: Any, strict: bool | None, elsewhere: bool) -> bool:
    """Whether a method runs in a sealed process of its own.

    strict: what the user has said; None: it does `elsewhere` (in workers), and if it is not built in.
    """
    if strict is not None:
        return strict
    return sys.platform == "linux" and (elsewhere or not built_in(method))


def built_in(part: Any) -> bool:
    """Whether a method, or a part of one, is of a class of the house, and so are all its parts."""
    if isinstance(part, PLAIN):
        return True
    if isinstance(part, Mapping):
        return all(map(built_in, part.values()))
    if isinstance(part, tuple | list | set | frozenset):
        return all(map(built_in, part))
    return _of_the_house(type(part)) and all(map(built_in, getattr(part, "__dict__", {}).values()))


def _of_the_house(cls: type) -> bool:
    """Whether a class is what a module of the house has under its name."""
    folder = HOUSE.get(cls.__module__.partition(".")[0])
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None) or ""
    return folder is not None and file.startswith(folder + os.sep) and getattr(module, cls.__name__, None) is cls
