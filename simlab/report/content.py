"""Every section of a report, made in the order in which they need one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from simlab.progress import report as progress
from simlab.report.circuit_section import (
    MOST_CIRCUITS,
    CircuitSection,
    Pictures,
    circuit_section,
    outcomes_by_circuit,
    pictures_of,
)
from simlab.report.circuits_met import circuits_met
from simlab.report.figures import Gallery
from simlab.report.index_section import IndexSection, index_section
from simlab.report.material import Material
from simlab.report.method_section import MethodSection, by_line, method_section
from simlab.report.question_section import QuestionSection, question_section

T = TypeVar("T")


@dataclass(frozen=True)
class Content:
    """All that is told, before it is laid out in pages."""

    index: IndexSection
    questions: list[QuestionSection]
    methods: list[MethodSection]
    circuits: list[CircuitSection]


def told(material: Material, gallery: Gallery) -> Content:
    """Every section, its figures saved in the gallery."""
    steps = _Steps(len(material.by_question) + len(material.by_circuit))
    questions = [
        steps.done(f"figures of {name}", partial(question_section, material, name, gallery))
        for name in material.by_question
    ]
    lines = {question.name: by_line(question) for question in questions}
    methods = [method_section(material, label, questions, lines) for label in material.by_method]
    circuits = list(_circuits(material, questions, gallery, steps))
    return Content(index_section(material), questions, methods, circuits)


@dataclass
class _Steps:
    """Tells how far the work is."""

    total: int
    finished: int = 0

    def done(self, what: str, work: Callable[[], T]) -> T:
        progress(self.finished / max(self.total, 1), what)
        self.finished += 1
        return work()


def _circuits(
    material: Material, questions: Sequence[QuestionSection], gallery: Gallery, steps: _Steps
) -> Iterator[CircuitSection]:
    met, outcomes = circuits_met(material.results), outcomes_by_circuit(questions)
    beyond = Pictures(trouble=f"Not drawn: the first {MOST_CIRCUITS} circuits of the run are.")
    for i, name in enumerate(material.by_circuit):
        own = met.get(name)
        pictures = (
            steps.done(f"figures of {name}", partial(pictures_of, material.results, own, gallery))
            if i < MOST_CIRCUITS
            else beyond
        )
        yield circuit_section(material, name, own, outcomes, pictures)
