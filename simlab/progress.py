"""Progress of long work, reported to whoever listens; silent otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[float, str], None]

_listener: ContextVar[Listener | None] = ContextVar("simlab_progress", default=None)


def report(done: float, what: str) -> None:
    """Tells the listener, if there is one, that `done` (0 to 1) of `what` is finished."""
    listener = _listener.get()
    if listener is not None:
        listener(done, what)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Within this block, `report` calls the listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
