"""The subjects of a run seen again for the report: each circuit's activity, and what each instrument made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from simlab.contracts import SimlabError
from simlab.experiment import Cell, Experiment, Plan
from simlab.fingerprint import label
from simlab.progress import report as progress
from simlab.registry import name_of
from simlab.report import circuit_figures
from simlab.report.figures import Gallery, Plate
from simlab.report.portrait import place, true_wiring

if TYPE_CHECKING:
    from simlab.lab.laboratory import Lab
    from simlab.store.results import Results

MOST_CIRCUITS, MOST_INSTRUMENTS = 8, 6
LONGEST = 240.0
"""Seconds of data beyond which a plan is shortened: the archive has the run's own, a longer one costs time."""
TRUTH = "what happened"
SHOWN = Plan(8, 3.0)
"""What is simulated where the experiment's plans are all too long for a figure."""


@dataclass(frozen=True)
class CircuitSeen:
    """A circuit as the report shows it; `trouble` says why a picture is missing."""

    title: str
    role: str
    note: str
    portrait: Plate | None
    seen: Plate | None
    trouble: str = ""


def circuits_of(results: Results, spec: Experiment, gallery: Gallery) -> Iterator[CircuitSeen]:
    """Each different circuit of the experiment, subject 0, through each of its instruments."""
    settings = _settings(results, spec)
    found = _circuits(spec)
    for i, (role, circuit, cells) in enumerate(found[:MOST_CIRCUITS]):
        progress(i / len(found), f"figures of {name_of(circuit)}")
        try:
            yield _circuit_seen(role, circuit, cells, settings, gallery)
        except Exception as error:  # a plug-in may raise anything; the report must still say all the rest
            yield CircuitSeen(label(circuit), role, "", None, None, f"{type(error).__name__}: {error}")


def omitted(spec: Experiment) -> list[str]:
    """Circuits that are left out of the report, there being too many."""
    return [label(circuit) for _, circuit, _ in _circuits(spec)[MOST_CIRCUITS:]]


def _settings(results: Results, spec: Experiment) -> Any:
    from simlab.lab.row import Settings
    from simlab.store.archive import default_root

    seed = results.provenance.get("seed", spec.seed)
    return Settings(seed, str(default_root()), spec.time_limit, spec.memory_limit)


def _circuits(spec: Experiment) -> list[tuple[str, Any, list[Cell]]]:
    """Role and circuit, one of each name, with a cell for each of the instruments that it is seen through."""
    found: dict[str, tuple[str, Any, list[Cell]]] = {}
    for grid in spec.grids:
        plan = min(grid.plans, key=lambda p: (_seconds(p) > LONGEST, -p.duration, _seconds(p)))
        if _seconds(plan) > LONGEST:
            duration = min(plan.duration, _seconds(SHOWN))
            plan = Plan(max(1, int(_seconds(SHOWN) / duration)), duration)
        for role, circuits in (("circuit", grid.circuits), ("rival", grid.rivals)):
            for circuit in circuits:
                cells = found.setdefault(name_of(circuit), (role, circuit, []))[2]
                cells += [Cell(found[name_of(circuit)][1], 0, plan, i, grid.methods[0], role) for i in grid.instruments]
    return [(role, circuit, _one_of_each(cells)) for role, circuit, cells in found.values()]


def _seconds(plan: Plan) -> float:
    return plan.trials * plan.duration


def _one_of_each(cells: list[Cell]) -> list[Cell]:
    """One cell for each name of instrument, of those swept the middle one; all under one plan."""
    by_name: dict[str, list[Cell]] = {}
    for cell in cells:
        by_name.setdefault(name_of(cell.instrument), []).append(replace(cell, plan=cells[0].plan))
    chosen = [group[len(group) // 2] for group in by_name.values()]
    return chosen[:MOST_INSTRUMENTS]


def _circuit_seen(role: str, circuit: Any, cells: list[Cell], settings: Any, gallery: Gallery) -> CircuitSeen:
    from simlab.lab.laboratory import Lab

    title = label(circuit)
    labs: list[Lab] = [Lab(cell, settings) for cell in cells]
    subject, activity = labs[0].subject(), labs[0].activity()
    plan = cells[0].plan
    note = f"Subject 0 of this run: {plan.trials} trials of {plan.duration:g} s, {activity.sizes['neuron']} neurons."
    portrait = gallery.add(
        f"circuit {title}",
        circuit_figures.circuit_figure(
            title, subject.anatomy, activity, true_wiring(subject, activity), place(subject)
        ),
        f"Activity, wiring and statistics of {title}",
    )
    seen, troubles = {}, []
    plain = [lab for lab in labs if name_of(lab.cell.instrument) == "perfect"] if len(labs) > 1 else []
    for lab in labs:
        if lab in plain:
            continue
        try:
            seen[label(lab.cell.instrument)] = (lab.recording(), lab.implant().key)
        except SimlabError as error:
            troubles.append(f"{label(lab.cell.instrument)}: {error}")
    picture = gallery.add(
        f"seen {title}",
        circuit_figures.seen_figure(
            activity, subject.anatomy, seen, place(subject), TRUTH + " = what perfect sees" if plain else TRUTH
        ),
        f"One trial of {title} as each instrument sees it",
    )
    return CircuitSeen(title, role, note, portrait, picture, "; ".join(troubles))
