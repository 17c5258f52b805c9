"""What is asked of a method: a valid finding or an honest abstention, the same every time, its material untouched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from simlab.checks.examiner import Examiner, require
from simlab.checks.problem import (
    N_UNITS,
    PracticeRig,
    fluorescence_recording,
    silent_recording,
    spiking_recording,
)
from simlab.contracts import Budget, Finding
from simlab.execution.execute import Outcome, execute
from simlab.registry import names

TIME_LIMIT = 120.0
MEMORY_LIMIT = 4 * 2**30
BUDGET = Budget(trials=200, seconds=400.0, perturbations=200)


def check_method(examine: Examiner, method: Any, strict: bool) -> None:
    """Contract and tiny problem of a passive or active method; `strict`: also in a process of its own."""
    question = getattr(method, "question", None)
    known = f"question must be one of {', '.join(names('questions'))}, got {question!r}"
    examine.holds("asks a known question", lambda: require(question in names("questions"), known))
    if question not in names("questions"):
        return
    brief = {"candidates": tuple(names("circuits")) or ("this", "that")}
    if callable(getattr(method, "investigate", None)):
        _check_active(examine, method, brief, strict)
    if callable(getattr(method, "analyse", None)):
        _check_passive(examine, method, brief, strict)


def _check_passive(examine: Examiner, method: Any, brief: Mapping[str, Any], strict: bool) -> None:
    recording = spiking_recording(brief=brief)
    untouched = recording.copy(deep=True)
    first = examine.holds(f"answers or abstains on {N_UNITS} Poisson units", lambda: _answer(_run(method, recording)))
    examine.holds(
        "leaves its recording as it was",
        lambda: require(recording.identical(untouched), "the recording was changed: work on a copy of its arrays"),
    )
    if first is not None:
        examine.holds("same recording and stream, same finding", lambda: _same(first, _run(method, recording)))
        if strict:
            examine.holds(
                "finds the same in a process of its own",
                lambda: _same(first, _run(method, spiking_recording(brief=brief), strict=True)),
            )
    for what, other in (
        ("fluorescence", fluorescence_recording(brief)),
        ("a recording without a spike", silent_recording(brief)),
        ("a single unit", spiking_recording(4, 1.0, 1, brief)),
    ):
        examine.holds(f"answers or abstains on {what}", _saying(method, lambda other=other: other))  # type: ignore[misc]


def _check_active(examine: Examiner, method: Any, brief: Mapping[str, Any], strict: bool) -> None:
    def rig(budget: Budget = BUDGET) -> PracticeRig:
        return PracticeRig(brief, budget)

    first = examine.holds(f"answers or abstains at a rig of {N_UNITS} units", lambda: _answer(_run(method, rig())))
    if first is not None:
        examine.holds("same rig and stream, same finding", lambda: _same(first, _run(method, rig())))
        if strict:
            examine.holds(
                "finds the same in a process of its own", lambda: _same(first, _run(method, rig(), strict=True))
            )
    examine.holds(
        "minds its budget: answers, abstains or is over it with one trial",
        _saying(method, lambda: rig(Budget(1, 1.0, 1))),
    )


def _run(method: Any, material: Any, strict: bool = False) -> Outcome:
    return execute(method, material, entropy=7, time_limit=TIME_LIMIT, memory_limit=MEMORY_LIMIT, strict=strict)


def _saying(method: Any, material: Callable[[], Any]) -> Callable[[], str]:
    """A test that the method comes to an end on this material; it returns what came of it."""

    def test() -> str:
        outcome = _run(method, material())
        if outcome.over_budget:
            return outcome.error
        finding = _answer(outcome)
        return f"abstains ({finding.abstained})" if finding.abstained else "answers"

    return test


def _answer(outcome: Outcome) -> Finding:
    require(outcome.finding is not None, f"{outcome.error}\n{outcome.traceback}".rstrip())
    assert outcome.finding is not None  # for the type checker: `require` has raised
    return outcome.finding


def _same(first: Finding, outcome: Outcome) -> None:
    again = _answer(outcome)
    same = first.abstained == again.abstained and first.confidence == again.confidence
    same = same and first.estimate.keys() == again.estimate.keys()
    differing = [
        k for k in first.estimate if k not in again.estimate or not np.array_equal(first.estimate[k], again.estimate[k])
    ]
    require(
        same and not differing,
        f"two runs differ in {', '.join(differing) or 'confidence or abstention'}: draw only from the given rng",
    )
