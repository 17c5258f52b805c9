"""Whose methods run in the lab's own process unless told otherwise: the house's."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

HOUSE = ("simlab", "methods")
"""Packages that simlab itself installs."""


def sealed(method: Any, strict: bool | None, elsewhere: bool) -> bool:
    """Whether a method runs in a sealed process of its own.

    strict: what the user has said; None: it does `elsewhere` (in workers), and if it is not built in.
    """
    if strict is not None:
        return strict
    return sys.platform == "linux" and (elsewhere or not built_in(method))


def built_in(method: Any) -> bool:
    """Whether a method and all its parts are classes of the house."""
    if type(method).__module__.partition(".")[0] not in HOUSE:
        return False
    parts = [getattr(method, field.name) for field in dataclasses.fields(method)] if _is_plugin(method) else []
    flat = [part for value in parts for part in (value if isinstance(value, tuple | list) else (value,))]
    return all(built_in(part) for part in flat if _is_plugin(part))


def _is_plugin(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)
