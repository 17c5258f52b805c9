"""What came of a method: the door through which its finding and its errors enter, clean and cut."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from simlab import text
from simlab.contracts import Finding, SimlabError
from simlab.questions.form import validate

HOUSE = str(Path(__file__).parent)
"""The frames through which a method is called lie here; they tell nothing of it."""

FRAMES, CAUSES = 20, 5
"""The innermost frames of each exception, and so many exceptions that led to one another, are told."""


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
    """`Type: message` of an exception as one clean line; numpy's private MemoryError goes by its public name.

    Whatever the exception does when it is asked for its message, this neither raises nor copies a huge one. It runs the
    exception's code, so call it while the method's limits still hold.
    """
    name = "MemoryError" if isinstance(problem, MemoryError) else text.type_name(problem)
    try:
        message = text.line(str(problem))
    except BaseException as failure:
        message = f"(its message raised {text.type_name(failure)})"
    return text.line(f"{name}: {message}").rstrip(": ")


def time_error(limit: float) -> str:
    """The error of a method that ran past its limit [s]."""
    return f"TimeoutError: the method ran past its limit of {limit:g} s"


def trace_of(problem: BaseException) -> str:
    """The end of an exception's traceback, from the method's own frames on, and of what caused it: clean text."""
    parts: list[str] = []
    each: BaseException | None = problem
    while each is not None and len(parts) < CAUSES:
        frames = "".join(traceback.format_tb(_from_the_method_on(each.__traceback__), -FRAMES))
        parts.insert(0, f"Traceback (most recent call last):\n{frames}{one_line(each)}\n")
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return text.lines("\nwhich led to\n\n".join(parts))


def _from_the_method_on(frames: TracebackType | None) -> TracebackType | None:
    """The frames without the outermost ones, those of the house that calls the method."""
    inner = frames
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(HOUSE):
        inner = inner.tb_next
    return inner or frames


def admitted(outcome: Outcome, question: Any, sizes: Mapping[str, int], brief: Mapping[str, Any]) -> Outcome:
    """A method's raw outcome as the lab takes it: text clean and cut, finding of the question's form or an error.

    The one door for what methods say, however they were run. A finding may hold objects of the method's own, whose code
    this runs: call it while the method's limits still hold.
    """
    if outcome.error:
        return replace(outcome, finding=None, error=text.line(outcome.error), traceback=text.lines(outcome.traceback))
    try:
        return replace(outcome, finding=validate(outcome.finding, question, sizes, brief), traceback="")
    except SimlabError as problem:
        error, trace = one_line(problem), ""
    except Exception as problem:  # of the method's own classes
        error, trace = one_line(problem), trace_of(problem)
    return replace(outcome, finding=None, error=error, traceback=trace)
