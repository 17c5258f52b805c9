"""The report: a folder of small static pages that need no network, or one self-contained file for a small run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from simlab.contracts import SimlabError
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
from simlab.report.material import Links, Material, gathered
from simlab.report.method_section import MethodSection, by_line, method_section
from simlab.report.question_section import QuestionSection, question_section
from simlab.report.rendering import ASSETS, Pages

if TYPE_CHECKING:
    from simlab.store.results import Results

T = TypeVar("T")


@dataclass(frozen=True)
class Content:
    """All that is told, before it is laid out in pages."""

    index: IndexSection
    questions: list[QuestionSection]
    methods: list[MethodSection]
    circuits: list[CircuitSection]


def write_report(results: Results, out: Path | str | None = None) -> Path:
    """Writes the report of a run and returns the path of its first page.

    out: a folder, by default `report` in the run folder, that gets `index.html`, a page for each question, method and
    circuit, and `figures`; or an .html file that holds everything in one. Raises SimlabError where these cannot be
    written.
    """
    out = results.folder / "report" if out is None else Path(out)
    together = out.suffix.lower() == ".html"
    links = Links(together)
    material = gathered(results, links)
    content = told(material, Gallery(None if together else out / "figures"))
    pages = Pages(links)
    try:
        if together:
            return _written(out, pages.single(content))
        for name, text in pages.folder(content):
            _written(out / name, text)
        for name, text in ASSETS.items():
            _written(out / name, text)
    except OSError as error:
        raise SimlabError(f"the report {out} cannot be written ({error}): name another place") from error
    finally:
        progress(1.0, "report")
    return out / "index.html"


def _written(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", errors="replace")
    return file


def told(material: Material, gallery: Gallery) -> Content:
    """Every section, its figures saved in the gallery."""
    steps = _Steps(len(material.by_question) + len(material.by_circuit))
    questions = [
        steps.done(f"figures of {name}", lambda name=name: question_section(material, name, gallery))
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
            steps.done(f"figures of {name}", lambda own=own: pictures_of(material.results, own, gallery))
            if i < MOST_CIRCUITS
            else beyond
        )
        yield circuit_section(material, name, own, outcomes, pictures)
