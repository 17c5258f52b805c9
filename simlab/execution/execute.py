"""Running a method on a recording or a rig, so that whatever it does becomes an outcome.

Here, in this process, it costs well under a millisecond; with `strict=True` the method runs in a process of its own
that holds nothing but the sealed recording (docs/protocol.md).
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlab.contracts import BudgetExceeded, Finding, SimlabError
from simlab.execution.limits import Guard, TimeIsUp, off_the_clock
from simlab.questions.validation import validate

__all__ = ["Outcome", "execute", "off_the_clock", "question_size", "validate"]

TRACEBACK_LENGTH = 8000
"""The last so many characters of a traceback are kept."""


@dataclass(frozen=True)
class Outcome:
    """What came of a method: its finding, or the reason why there is none."""

    finding: Finding | None  # validated; None after an error or when over budget
    error: str  # one line, "Type: message"; "" if there was none
    traceback: str
    over_budget: bool  # an active method spent more than it had and did not mind its rig
    seconds: float  # wall time of the method alone, without the simulation of sessions it asked for
    peak_memory: int  # bytes of resident memory beyond what the process held before


def execute(
    method: Any,
    material: Any,
    *,
    entropy: int,
    time_limit: float,
    memory_limit: int,
    strict: bool = False,
    last_resort: bool = False,
) -> Outcome:
    """The outcome of a method on `material`: a Recording for a passive method, a rig for an active one.

    entropy seeds the method's generator, PCG64(entropy); time_limit [s] and memory_limit [bytes] bound the method
    alone (see `off_the_clock`). strict: in a process of its own. last_resort: this is a worker process that may be
    ended (status 1, the hung method's traceback on stderr) when a method cannot be interrupted; its owner then
    repeats the cell with strict=True. A strict run that dies for any reason is an outcome, never a dead worker.

    Raises SimlabError where method and material do not fit, and KeyboardInterrupt when the user interrupts.
    """
    call = _entry(method, material)
    n_units, brief = question_size(material)
    if strict or getattr(method, "command", None) is not None:
        from simlab.execution.strict.host import run_strictly

        outcome = run_strictly(method, material, entropy, time_limit, memory_limit)
    else:
        rng = np.random.Generator(np.random.PCG64(entropy))
        outcome = _run_here(lambda: call(material, rng), Guard(time_limit, memory_limit, last_resort))
    return _validated(outcome, method.question, n_units, brief)


def question_size(material: Any) -> tuple[int, Mapping[str, Any]]:
    """Number of units, and the question's brief, of a Recording or a rig."""
    if hasattr(material, "record"):
        return material.units.sizes["unit"], material.brief
    return material.sizes["unit"], material.attrs.get("brief", {})


def _entry(method: Any, material: Any) -> Callable[..., Any]:
    """The method's entry point for this material."""
    active = hasattr(material, "record") and hasattr(material, "session")
    entry = getattr(method, "investigate" if active else "analyse", None)
    if not callable(entry):
        given, needed = ("a rig", "investigate(rig, rng)") if active else ("a recording", "analyse(recording, rng)")
        raise SimlabError(f"a method that is given {given} needs {needed}; {type(method).__name__} has none")
    return entry


def _run_here(call: Callable[[], Any], guard: Guard) -> Outcome:
    finding, error, trace, over_budget = None, "", "", False
    try:
        with guard:
            finding = call()
    except TimeIsUp as up:
        error, trace = time_error(guard.time_limit), _format(up)
    except BudgetExceeded as problem:
        error, over_budget = one_line(problem), True
    except BaseException as problem:
        error, trace = one_line(problem), _format(problem)
    finally:
        guard.release()
    if guard.user_interrupted:
        raise KeyboardInterrupt
    return Outcome(finding, error, trace, over_budget, guard.seconds, guard.peak_memory)


def _validated(outcome: Outcome, question: str, n_units: int, brief: Mapping[str, Any]) -> Outcome:
    if outcome.error:
        return outcome
    finding, error = None, ""
    try:
        finding = validate(outcome.finding, question, n_units, brief.get("candidates"))
    except SimlabError as problem:
        error = one_line(problem)
    return Outcome(finding, error, "", False, outcome.seconds, outcome.peak_memory)


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


def _format(problem: BaseException) -> str:
    return "".join(traceback.format_exception(problem, limit=-20))[-TRACEBACK_LENGTH:]
