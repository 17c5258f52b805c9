"""What a worker keeps from one cell to the next: subjects, implants, activities, recordings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

KEPT = 16
"""So many parts; the longest unused goes first."""

_memory: OrderedDict[tuple, Any] = OrderedDict()
_overdue: dict[tuple, str] = {}


def kept(name: tuple, make: Callable[[], T]) -> T:
    """What stands under this name, made if nothing does; what once took too long is not tried again."""
    if name in _overdue:
        raise TimeoutError(_overdue[name])
    if name not in _memory:
        try:
            _memory[name] = make()
        except TimeoutError as error:
            _overdue[name] = str(error)
            raise
        while len(_memory) > KEPT:
            _memory.popitem(last=False)
    _memory.move_to_end(name)
    return _memory[name]


def forget() -> None:
    """Empties the memory: for tests that must simulate again."""
    _memory.clear()
    _overdue.clear()
