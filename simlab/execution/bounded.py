"""A time limit on what circuits and instruments do, so that one that never ends becomes its cells' error."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from simlab.execution.limits import Guard, TimeIsUp, within

T = TypeVar("T")

ANY_MEMORY = 2**60
"""Bytes: a simulation may hold what the machine has."""


def bounded(what: str, work: Callable[[], T], seconds: float, *, last_resort: bool = False) -> T:
    """What `work` returns; raises TimeoutError, which says `what` it was, after so many seconds of processor time.

    Like a method's limit it is best effort against loops in C; last_resort then ends the process (`limits.Guard`).
    """

    def late(up: TimeIsUp) -> NoReturn:
        raise TimeoutError(
            f"{what} must end within {seconds:g} s of processor time, and did not: record less, choose parameters "
            "that are simulated sooner, or raise the experiment's simulation_limit"
        ) from None

    return within(Guard(seconds, ANY_MEMORY, last_resort), work, late)
