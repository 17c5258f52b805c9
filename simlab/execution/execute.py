"""Running a method on a recording or a rig, so that whatever it does becomes an outcome.

Here, in this process, it costs well under a millisecond; with `strict=True` the method runs in a process of its own
that holds nothing but the sealed recording (docs/protocol.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simlab import text
from simlab.contracts import BudgetExceeded, SimlabError
from simlab.execution.limits import Guard, TimeIsUp, within
from simlab.execution.material import known_of
from simlab.execution.outcome import Outcome, admitted, one_line, time_error, trace_of
from simlab.execution.state import generator, put_back
from simlab.registry import question as question_named

ADMITTING = 5.0
"""Seconds of processor time that a method's own objects may take to be read."""


def execute(
    method: Any,
    material: Any,
    *,
    entropy: int,
    time_limit: float,
    memory_limit: int,
    question: Any = None,
    strict: bool = False,
    last_resort: bool = False,
) -> Outcome:
    """The outcome of a method on `material`: a Recording for a passive method, a rig for an active one.

    entropy seeds the method's generator, PCG64(entropy); time_limit [s of processor time] and memory_limit [bytes]
    bound the method alone (see `off_the_clock`). question: whose form the finding must have; by default
    the registered one. strict: in a process of its own. last_resort: this is a worker process that may be
    ended (status 1, the hung method's traceback on stderr) when a method cannot be interrupted; its owner then
    repeats the cell with strict=True. A strict run that dies for any reason is an outcome, never a dead worker.

    Raises SimlabError where method and material do not fit, and KeyboardInterrupt when the user interrupts.
    """
    call, asked = _entry(method, material), question or question_named(method.question)
    sizes, brief = known_of(material)
    if strict or getattr(method, "command", None) is not None:
        from simlab.execution.strict.host import run_strictly

        outcome = run_strictly(method, material, entropy, time_limit, memory_limit)
    else:
        with put_back():
            rng = generator(entropy)
            outcome = _run_here(lambda: call(material, rng), Guard(time_limit, memory_limit, last_resort))
            return within(  # a finding may hold objects of the method's own
                Guard(ADMITTING, memory_limit, last_resort),
                lambda: admitted(outcome, asked, sizes, brief),
                lambda _: replace(outcome, finding=None, error=time_error(ADMITTING)),
            )
    return admitted(outcome, asked, sizes, brief)


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
        error, trace = time_error(guard.time_limit), trace_of(up)
    except BudgetExceeded as problem:
        error, over_budget = one_line(problem), True
    except BaseException as problem:
        error, trace = _told(problem, guard.memory_limit)
    finally:
        guard.release()
    if guard.user_interrupted:
        raise KeyboardInterrupt
    return Outcome(finding, error, trace, over_budget, guard.seconds, guard.peak_memory)


def _told(problem: BaseException, memory_limit: int) -> tuple[str, str]:
    """An exception in words, which runs its own code: under limits too."""
    endless = f"{text.type_name(problem)}: (its message does not come to an end)", ""
    return within(Guard(ADMITTING, memory_limit), lambda: (one_line(problem), trace_of(problem)), lambda _: endless)
