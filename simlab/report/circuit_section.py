"""What a report says of one circuit: its mechanism and truths, its subject 0 seen again, and who recovered it."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlab.contracts import SimlabError
from simlab.describe import field_docs
from simlab.fingerprint import label, parameters
from simlab.naming import name_of
from simlab.report import circuit_figures
from simlab.report.circuits_met import Met, kept_parameters
from simlab.report.figures import Gallery, Plate
from simlab.report.material import Material
from simlab.report.matrices import Square
from simlab.report.portrait import place, true_wiring
from simlab.report.question_section import QuestionSection
from simlab.report.words import paragraphs, shortened
from simlab.truths import answerable

if TYPE_CHECKING:
    from simlab.lab.laboratory import Lab
    from simlab.store.results import Results

MOST_CIRCUITS = 40
"""Circuits that are simulated and drawn; the pages of further ones have no pictures."""
TRUTH = "what happened"


@dataclass(frozen=True)
class Pictures:
    """A circuit's subject 0 in this run; `trouble` says why a picture is missing."""

    note: str = ""
    portrait: Plate | None = None
    seen: Plate | None = None
    trouble: str = ""


@dataclass
class Outcome:
    """How one method fared on one variant of the circuit."""

    question: str
    method: str
    variant: str
    recovery: Square | None = None
    false_recovery: Square | None = None


@dataclass(frozen=True)
class CircuitSection:
    """One circuit's part of the report."""

    name: str
    slug: str
    roles: list[str]
    facts: list[tuple[str, str]]
    says: list[str]
    parameters: list[tuple[str, str, str]]
    variants: list[str]
    outcomes: list[Outcome]
    pictures: Pictures


def outcomes_by_circuit(questions: Sequence[QuestionSection]) -> dict[str, list[Outcome]]:
    """The matrices of all questions, read by circuit label."""
    found: dict[str, dict[tuple[str, str], Outcome]] = defaultdict(dict)
    for question in questions:
        for block in question.circuits.blocks:
            for method, squares in block.squares.items():
                for circuit, square in squares.items():
                    fresh = Outcome(question.name, method, circuit)
                    setattr(found[circuit].setdefault((question.name, method), fresh), block.value, square)
    return {circuit: list(outcomes.values()) for circuit, outcomes in found.items()}


def circuit_section(
    material: Material, name: str, met: Met | None, outcomes: dict[str, list[Outcome]], pictures: Pictures
) -> CircuitSection:
    """Everything that the report says of the circuit of this name."""
    cells = material.by_circuit[name]
    variants = list(dict.fromkeys(cells["circuit_label"].map(str)))
    roles = [role for role in dict.fromkeys(cells["role"]) if role != "ceiling"]
    circuit = None if met is None else met.circuit
    return CircuitSection(
        name,
        material.links.slug("circuit", name),
        roles,
        _facts(cells, circuit),
        [] if circuit is None else paragraphs(inspect.getdoc(circuit) or ""),
        _parameters(material.results, name, circuit),
        variants if len(variants) > 1 else [],
        [outcome for variant in variants for outcome in outcomes.get(variant, ())],
        pictures,
    )


def _facts(cells: Any, circuit: Any) -> list[tuple[str, str]]:
    def told(column: str) -> str:
        found = dict.fromkeys(str(v) for v in cells.get(column, ()) if isinstance(v, str) and v)
        return ", ".join(shortened(value) for value in list(found)[:8])

    truths = ", ".join(answerable(circuit)) if circuit is not None else ""
    facts = [("mechanism", told("mechanism")), ("imitates", told("twin")), ("truths that it states", truths)]
    return [(name, value) for name, value in facts if value]


def _parameters(results: Results, name: str, circuit: Any) -> list[tuple[str, str, str]]:
    values = kept_parameters(results, name) if circuit is None else parameters(circuit)
    notes = field_docs(type(circuit)) if circuit is not None else {}
    return [(key, shortened(value), notes.get(key, "")) for key, value in values.items()]


def pictures_of(results: Results, met: Met | None, gallery: Gallery) -> Pictures:
    """Subject 0 of the circuit seen again, through each of its instruments."""
    if met is None:
        return Pictures(trouble="This circuit is not registered here, so it cannot be simulated again: register it.")
    try:
        return _pictures(met, _settings(results), gallery)
    except Exception as error:  # a plug-in may raise anything; the report must still say all the rest
        return Pictures(trouble=shortened(f"{type(error).__name__}: {error}", 2000))


def _settings(results: Results) -> Any:
    from simlab.lab.row import Settings
    from simlab.store.archive import default_root

    known = results.provenance
    return Settings(known["seed"], str(default_root()), known.get("time_limit", 60.0), known.get("memory_limit", 2**32))


def _pictures(met: Met, settings: Any, gallery: Gallery) -> Pictures:
    from simlab.lab.laboratory import Lab

    title = shortened(label(met.circuit))
    labs = [Lab(cell, settings) for cell in met.cells]
    subject, activity = labs[0].subject(), labs[0].activity()
    plan, where = met.cells[0].plan, place(subject)
    figure = circuit_figures.circuit_figure(title, subject.anatomy, activity, true_wiring(subject, activity), where)
    portrait = gallery.add(f"circuit {title}", figure, f"Activity, wiring and statistics of {title}")
    plain = [lab for lab in labs if name_of(lab.cell.instrument) == "perfect"] if len(labs) > 1 else []
    seen, troubles = _seen(lab for lab in labs if lab not in plain)
    above = f"{TRUTH} = what perfect sees" if plain else TRUTH
    picture = gallery.add(
        f"seen {title}",
        circuit_figures.seen_figure(activity, subject.anatomy, seen, where, above),
        f"One trial of {title} as each instrument sees it",
    )
    note = f"Subject 0 of this run: {plan.trials} trials of {plan.duration:g} s, {activity.sizes['neuron']} neurons."
    return Pictures(note, portrait, picture, "; ".join(troubles))


def _seen(labs: Iterable[Lab]) -> tuple[dict[str, Any], list[str]]:
    """Recording and key by instrument, and why others made none."""
    seen, troubles = {}, []
    for lab in labs:
        title = shortened(label(lab.cell.instrument))
        try:
            seen[title] = (lab.recording(), lab.implant().key)
        except SimlabError as error:
            troubles.append(f"{title}: {error}")
    return seen, troubles
