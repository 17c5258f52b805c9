"""What all pages of a report are made of, grouped once, so that a report takes time linear in the cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simlab.contracts import SimlabError
from simlab.registry import question
from simlab.report import tables
from simlab.report.figures import unique_slug
from simlab.statistics import stand_in

if TYPE_CHECKING:
    import pandas as pd

    from simlab.store.results import Results

Record = dict[str, Any]


@dataclass
class Links:
    """Where the page of each question, method and circuit lies: a file of its own, or a place in the one page."""

    together: bool = False
    slugs: dict[tuple[str, str], str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=lambda: {"index"})

    def add(self, kind: str, names: Iterable[str]) -> None:
        """Gives each name of this kind (`question`, `method`, `circuit`) a page."""
        for name in names:
            self.slugs[kind, name] = unique_slug(f"{kind} {name}", self.taken)

    def file(self, kind: str, name: str) -> str:
        """The name of a page's file."""
        return f"{self.slugs[kind, name]}.html"

    def href(self, kind: str, name: str) -> str:
        """What leads there from any page; empty where there is no such page."""
        if (kind, name) not in self.slugs:
            return ""
        return f"#{self.slugs[kind, name]}" if self.together else self.file(kind, name)

    def slug(self, kind: str, name: str) -> str:
        """The id of a section."""
        return self.slugs[kind, name]


@dataclass(frozen=True)
class Material:
    """A run's cells by question, method label and circuit name, its leaderboard by question, and the pages' links."""

    results: Results
    table: pd.DataFrame
    board: pd.DataFrame
    by_question: dict[str, pd.DataFrame]
    by_method: dict[str, pd.DataFrame]
    by_circuit: dict[str, pd.DataFrame]
    leaders: dict[str, list[Record]]
    links: Links

    def order(self, asked: str) -> list[str]:
        """Method labels of a question as the leaderboard has them: methods first, baselines last."""
        rows = self.leaders.get(asked, [])
        return [r["method_label"] for stand_ins in (False, True) for r in rows if r["baseline"] == stand_ins]


def gathered(results: Results, links: Links) -> Material:
    """Everything grouped; `links` gets a page for each question, method and circuit."""
    table, board = results.table, results.leaderboard()
    by_question = _groups(table, "question", sort=True)
    by_method = _groups(table[~stand_in(table)], "method_label", sort=True)
    by_circuit = _groups(table, "circuit")
    for kind, names in (("question", by_question), ("method", by_method), ("circuit", by_circuit)):
        links.add(kind, names)
    leaders = {name: tables.records(rows) for name, rows in _groups(board, "question").items()}
    for row in (row for rows in leaders.values() for row in rows):
        row |= {"label": tables.short(row["method_label"]), "baseline": tables.baseline(row["method"])}
    return Material(results, table, board, by_question, by_method, by_circuit, leaders, links)


def _groups(table: pd.DataFrame, by: str, *, sort: bool = False) -> dict[str, pd.DataFrame]:
    return {str(name): group for name, group in table.groupby(by, sort=sort)} if len(table) else {}


def asked(results: Results, name: str) -> Any:
    """The question with the criteria of the run; None where it is not known here, as one of a notebook elsewhere."""
    try:
        return question(name, results.spec.questions if results.spec else ())
    except SimlabError:
        return None
