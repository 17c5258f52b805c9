"""Which engine runs spiking networks: chosen once for a run; circuits need not know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from simlab.errors import SimlabError

ENGINES = ("auto", "kernel", "brian2", "brian2-cython")
"""auto: the kernel, and Brian2 for what no kernel expresses. brian2: the reference, on NumPy or compiled."""

_chosen: ContextVar[str] = ContextVar("engine", default=ENGINES[0])


def checked(engine: str) -> str:
    """The name of an engine; raises SimlabError if there is none of this name."""
    if engine not in ENGINES:
        raise SimlabError(f"engine must be one of {', '.join(ENGINES)}, got {engine!r}: leave it out for `auto`")
    return engine


def chosen_engine() -> str:
    """The engine of this run: `auto`, unless another was chosen."""
    return _chosen.get()


@contextmanager
def using(engine: str) -> Iterator[None]:
    """Within this block spiking networks run on an engine, unless a call of `simulate` names another."""
    before = _chosen.set(checked(engine))
    try:
        yield
    finally:
        _chosen.reset(before)
