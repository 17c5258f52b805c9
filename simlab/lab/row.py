"""The row of a cell: what it is, what it is made of, what came of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from simlab.contracts import Budget
from simlab.experiment import Baseline, Cell
from simlab.fingerprint import label, parameters
from simlab.naming import name_of
from simlab.provenance import versions

Row = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """What a worker needs to know of the run beside the cell."""

    seed: int | str
    archive: str | None
    time_limit: float  # s of processor time
    memory_limit: int  # bytes
    strict: bool | None = None  # None: as `simlab.execution.trust.sealed` decides
    elsewhere: bool = False  # in a worker, whatever kind of executor it is
    worker: bool = False  # in a process that may be ended if a method cannot be stopped otherwise
    simulation_limit: float = 3600.0  # s of processor time
    engine: str = "auto"  # of spiking networks (`simlab.simulators.engines`)


def identity(cell: Cell, settings: Settings) -> Row:
    """All that is known of a cell before it is run."""
    baseline = isinstance(cell.method, Baseline)
    budget: Budget | None = cell.budget if cell.active else None
    return {
        "cell": cell.digest(settings.seed),
        "identity": cell.identity(),
        "made_of": json.dumps(cell.made_of(), sort_keys=True),
        "role": cell.role,
        "mechanism": getattr(cell.circuit, "mechanism", ""),
        "twin": cell.label_of(cell.twin),
        "subject": cell.subject,
        "trials": cell.plan.trials,
        "duration": cell.plan.duration,
        **_part("circuit", cell.circuit) | {"circuit_label": cell.label_of(cell.circuit)},
        **_part("instrument", cell.instrument),
        **(_part("stimulator", cell.stimulator) if cell.active else {"stimulator": "", "stimulator_label": ""}),
        **_part("method", cell.method),
        "method_label": cell.method.name if baseline else label(cell.method),
        "method_parameters": "{}" if baseline else json.dumps(parameters(cell.method)),
        "family": getattr(cell.method, "family", ""),
        "library": getattr(cell.method, "library", ""),
        "question": cell.method.question,
        "kind": "baseline" if baseline else "active" if cell.active else "passive",
        **({} if budget is None else {f"budget_{name}": amount for name, amount in asdict(budget).items()}),
        "versions": json.dumps(versions()),
        "seed": str(settings.seed),
    }


def _part(what: str, plugin: Any) -> Row:
    return {
        what: name_of(plugin),
        f"{what}_label": label(plugin),
        f"{what}_parameters": json.dumps(parameters(plugin)),
    }


def lost(cell: Cell, settings: Settings, reason: str) -> Row:
    """The row of a cell that could not be run at all."""
    return identity(cell, settings) | fault(reason)


def failure(reason: str, traceback: str = "", *, over_budget: bool = False) -> Row:
    """What a row says instead of a verdict where the method failed; the traceback is kept beside the row."""
    return {"status": "over_budget" if over_budget else "error", "reason": reason, "traceback": traceback}


def fault(reason: str, traceback: str = "") -> Row:
    """What it says where circuit, instrument or question failed: that tells nothing of the method."""
    return {"status": "fault", "reason": reason, "traceback": traceback}


def plain(numbers: Mapping[str, float]) -> str:
    """Numbers by name as JSON, which has no NaN."""
    return json.dumps({name: float(value) if math.isfinite(value) else None for name, value in numbers.items()})


def told(brief: Mapping[str, Any]) -> str:
    """A brief as JSON."""
    return json.dumps(brief, default=lambda value: np.asarray(value).tolist())


def written(verdict: Mapping[str, Any]) -> Row:
    """A verdict (`simlab.scoring.verdict`) as columns."""
    return {name: plain(value) if isinstance(value, Mapping) else value for name, value in verdict.items()}
