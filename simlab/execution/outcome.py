"""What came of a method, and how its errors are told in one line."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from simlab.contracts import Finding

TRACEBACK_LENGTH = 8000
"""The last so many characters of a traceback are kept."""


@dataclass(frozen=True)
class Outcome:
    """What came of a method: its finding, or the reason why there is none."""

    finding: Finding | None  # validated; None after an error or when over budget
    error: str  # one line, "Type: message"; "" if there was none
    traceback: str
    over_budget: bool  # an active method spent more than it had and did not mind its rig
    seconds: float  # of the method alone, without the simulation of sessions it asked for
    peak_memory: int  # bytes of resident memory beyond what the process held before
    printed: str = ""  # what a sealed process wrote on its standard output and error; its last part


def one_line(problem: BaseException) -> str:
    """`Type: message` of an exception on one line; numpy's private MemoryError goes by its public name."""
    name = "MemoryError" if isinstance(problem, MemoryError) else type(problem).__name__
    try:
        message = " ".join(str(problem).split())
    except Exception as failure:
        message = f"(its message raised {type(failure).__name__})"
    return f"{name}: {message}"[:1000].rstrip(": ")


def time_error(limit: float) -> str:
    """The error of a method that ran past its limit [s]."""
    return f"TimeoutError: the method ran past its limit of {limit:g} s"


def trace_of(problem: BaseException) -> str:
    """The end of an exception's traceback."""
    return "".join(traceback.format_exception(problem, limit=-20))[-TRACEBACK_LENGTH:]
