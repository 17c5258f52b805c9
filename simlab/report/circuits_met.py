"""Which circuits a run met, under which plan and through which instruments: of its experiment, or of its `run.json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from simlab.contracts import SimlabError
from simlab.experiment import Cell, Plan
from simlab.naming import name_of
from simlab.registry import create

if TYPE_CHECKING:
    from simlab.store.results import Results

MOST_INSTRUMENTS = 6
LONGEST = 240.0
"""Seconds of data beyond which a plan is shortened: the archive has the run's own, a longer one costs time."""
SHOWN = Plan(8, 3.0)
"""What is simulated where the experiment's plans are all too long for a figure."""


@dataclass(frozen=True)
class Setup:
    """What one grid simulates and records with."""

    circuits: tuple[Any, ...]
    rivals: tuple[Any, ...]
    plans: tuple[Plan, ...]
    instruments: tuple[Any, ...]


@dataclass(frozen=True)
class Met:
    """One circuit of each name, with a cell for each of the instruments that it is seen through."""

    role: str
    circuit: Any
    cells: list[Cell] = field(default_factory=list)


def circuits_met(results: Results) -> dict[str, Met]:
    """By circuit name, those that can be simulated again: of a run made elsewhere, those that are registered here."""
    found: dict[str, Met] = {}
    for grid in _setups(results):
        plan = _shown_plan(grid.plans)
        for role, circuits in (("circuit", grid.circuits), ("rival", grid.rivals)):
            for circuit in circuits:
                own = found.setdefault(name_of(circuit), Met(role, circuit))
                own.cells.extend(Cell(own.circuit, 0, plan, i, None, role) for i in grid.instruments)
    return {name: replace(met, cells=_one_of_each(met.cells)) for name, met in found.items() if met.cells}


def _setups(results: Results) -> Iterator[Setup]:
    if results.spec is not None:
        for grid in results.spec.grids:
            yield Setup(grid.circuits, grid.rivals, grid.plans, grid.instruments)
        return
    for entry in results.provenance.get("grids", ()):
        kept = entry["parameters"]
        circuits, rivals, instruments = (
            tuple(_made(kind, kept.get(part, ())))
            for part, kind in (("circuits", "circuits"), ("rivals", "circuits"), ("instruments", "instruments"))
        )
        plans = tuple(Plan(p["parameters"]["trials"], p["parameters"]["duration"]) for p in kept["plans"])
        yield Setup(circuits, rivals, plans, instruments)


def _made(kind: str, kept: Any) -> Iterator[Any]:
    """The plug-ins of these names and parameters, as far as they are known here."""
    for plugin in kept:
        try:
            name, values = (plugin, {}) if isinstance(plugin, str) else (plugin["name"], plugin["parameters"])
            yield create(kind, name, **{name: _tupled(value) for name, value in values.items()})
        except (SimlabError, TypeError, ValueError, KeyError):
            continue  # its page says so


def _tupled(value: Any) -> Any:
    """JSON has lists where parameters are tuples."""
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def kept_parameters(results: Results, circuit: str) -> Mapping[str, Any]:
    """A circuit's parameters as `run.json` has them."""
    for entry in results.provenance.get("grids", ()):
        for plugin in (*entry["parameters"].get("circuits", ()), *entry["parameters"].get("rivals", ())):
            if isinstance(plugin, Mapping) and plugin.get("name") == circuit:
                return dict(plugin.get("parameters", {}))
    return {}


def _shown_plan(plans: tuple[Plan, ...]) -> Plan:
    plan = min(plans, key=lambda p: (_seconds(p) > LONGEST, -p.duration, _seconds(p)))
    if _seconds(plan) <= LONGEST:
        return plan
    duration = min(plan.duration, _seconds(SHOWN))
    return Plan(max(1, int(_seconds(SHOWN) / duration)), duration)


def _seconds(plan: Plan) -> float:
    return plan.trials * plan.duration


def _one_of_each(cells: list[Cell]) -> list[Cell]:
    """One cell for each name of instrument, of those swept the middle one; all under one plan."""
    by_name: dict[str, list[Cell]] = {}
    for cell in cells:
        by_name.setdefault(name_of(cell.instrument), []).append(replace(cell, plan=cells[0].plan))
    chosen = [group[len(group) // 2] for group in by_name.values()]
    return chosen[:MOST_INSTRUMENTS]
