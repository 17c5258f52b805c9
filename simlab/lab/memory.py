"""What a worker keeps from one cell to the next: subjects, implants, activities, recordings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")

KEPT = 16
"""So many parts; the longest unused goes first."""

_memory: OrderedDict[tuple, Any] = OrderedDict()
_overdue: dict[tuple, str] = {}
_at_work = Lock()


def kept(name: tuple, make: Callable[[], T]) -> T:
    """What stands under this name, made if nothing does; what once took too long is not tried again."""
    if name in _overdue:
        raise TimeoutError(_overdue[name])
    with _at_work:
        if name in _memory:
            _memory.move_to_end(name)
            return _memory[name]
    try:
        made = make()  # not locked: threads simulate side by side
    except TimeoutError as error:
        _overdue[name] = str(error)
        raise
    with _at_work:
        _memory[name] = made
        while len(_memory) > KEPT:
            _memory.popitem(last=False)
    return made


def forget() -> None:
    """Empties the memory: for tests that must simulate again."""
    _memory.clear()
    _overdue.clear()
