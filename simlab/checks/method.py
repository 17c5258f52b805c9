"""What is asked of a method: a valid finding or an honest abstention, the same every time, its material untouched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from simlab.checks.declarations import check_declarations
from simlab.checks.examiner import Examiner, require
from simlab.checks.nulls import KINDS, check_null, states_p_values
from simlab.checks.problem import (
    N_UNITS,
    PracticeRig,
    connectome_recording,
    fluorescence_recording,
    silent_recording,
    spiking_recording,
    unequal_recording,
)
from simlab.contracts import Budget, Finding
from simlab.data import missing
from simlab.execution.execute import Outcome, execute
from simlab.registry import create, get, names

TIME_LIMIT = 120.0
MEMORY_LIMIT = 4 * 2**30
BUDGET = Budget(trials=200, seconds=400.0, perturbations=200)


def check_method(examine: Examiner, method: Any, strict: bool) -> None:
    """Contract and tiny problem of a passive or active method; `strict`: also in a process of its own."""
    declared = check_declarations(examine, method)
    question = getattr(method, "question", None)
    known = f"question must be one of {', '.join(names('questions'))}, got {question!r}"
    examine.holds("asks a known question", lambda: require(question in names("questions"), known))
    if not declared or question not in names("questions"):
        return
    brief = practice_brief(str(question))
    if callable(getattr(method, "investigate", None)):
        _check_active(examine, method, brief, strict)
    if callable(getattr(method, "analyse", None)):
        _check_passive(examine, method, brief, strict)


def practice_brief(question: str) -> dict[str, Any]:
    """What the question would tell a method of a problem among the mechanisms of all registered circuits.

    A question that must see a real subject's truth for its brief gives just those mechanisms, as `candidates`.
    """
    circuits = (get("circuits", name) for name in names("circuits"))
    family = tuple(sorted({str(circuit.mechanism) for circuit in circuits if hasattr(circuit, "mechanism")}))
    family = family if len(family) > 1 else ("this", "that")
    try:
        return dict(create("questions", question).brief(family, xr.Dataset({"label": family[0]})))
    except Exception:  # whatever a third party's question misses in that truth
        return {"candidates": family}


def _check_passive(examine: Examiner, method: Any, brief: dict[str, Any], strict: bool) -> None:
    def told(recording: xr.Dataset) -> xr.Dataset:
        return recording.assign_attrs(brief=brief)

    recording = told(spiking_recording())
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
                lambda: _same(first, _run(method, told(spiking_recording()), strict=True)),
            )
        if states_p_values(first):
            for kind, whose in KINDS.items():
                examine.holds(
                    f"keeps to its p-values among {whose}",
                    lambda kind=kind: check_null(kind, lambda null: _run(method, told(null)).finding),  # type: ignore[misc]
                )
    for what, other in (
        ("fluorescence", fluorescence_recording()),
        ("trials of unequal length", unequal_recording()),
        ("a recording without a spike", silent_recording()),
        ("a connectome", connectome_recording()),
        ("a single unit", spiking_recording(4, 1.0, 1)),
    ):
        examine.holds(f"answers or abstains on {what}", _saying(method, lambda other=other: told(other)))  # type: ignore[misc]


def _check_active(examine: Examiner, method: Any, brief: dict[str, Any], strict: bool) -> None:
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
    """The outcome as the lab has it: an abstention, without asking the method, where its needs are not met."""
    if isinstance(material, xr.Dataset) and (reason := missing(material, method.needs)):
        return Outcome(Finding.abstain(reason), "", "", False, 0.0, 0)
    return execute(method, material, entropy=7, time_limit=TIME_LIMIT, memory_limit=MEMORY_LIMIT, strict=strict)


def _saying(method: Any, material: Callable[[], Any]) -> Callable[[], str]:
    """A test that the method comes to an end on this material; it returns what came of it."""

    def test() -> str:
        outcome = _run(method, material())
        if outcome.over_budget:
            return outcome.error
        finding = _answer(outcome, UNANSWERABLE)
        return f"abstains ({finding.abstained})" if finding.abstained else "answers"

    return test


UNANSWERABLE = "; where it cannot answer, declare it in needs, or abstain with Finding.abstain('reason')"
"""The fix for a method that fails on a recording in which there may be nothing to find."""


def _answer(outcome: Outcome, fix: str = "") -> Finding:
    require(outcome.finding is not None, f"{outcome.error}{fix}\n{outcome.traceback}".rstrip())
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
