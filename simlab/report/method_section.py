"""What a report says of one method: where it works, where it claims wrongly, how much data it needs, what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.report import tables
from simlab.report.figures import plain_number
from simlab.report.material import Material, Record
from simlab.report.matrices import Block, Square
from simlab.report.question_section import QuestionSection
from simlab.report.words import duration_words, known, rate
from simlab.statistics.nulls import null_errors

if TYPE_CHECKING:
    import pandas as pd

MOST_REASONS = 25


@dataclass(frozen=True)
class Standing:
    """A method on one question: its row of the leaderboard, and where that row stands."""

    question: QuestionSection
    row: Record
    place: int  # in its league, from 1
    among: int
    works: Block | None
    claims: Block | None
    through: Block | None
    amounts: list[Amount]
    calibration: list[Record]
    nulls: list[Record]  # what it claims where nothing is connected (`simlab.statistics.nulls`)

    @property
    def badge(self) -> str:
        """What those come to, in a few words; "" where it met no such world."""
        wrong = [row for row in self.nulls if row["verdict"] == "errs"]
        if wrong:
            worst = max(wrong, key=lambda row: row["any_discovery"])
            share = f"claims wiring in {rate(worst['any_discovery'])} of recordings of {worst['circuit_label']}"
            return f"errs in {len(wrong)} of {len(self.nulls)} worlds without wiring: {share}"
        kept = sum(row["verdict"] == "keeps its word" for row in self.nulls)
        return f"keeps its error rate in all {kept} worlds without wiring" if kept else ""


@dataclass(frozen=True)
class Amount:
    """Recovery against one amount, and how much of it the target takes."""

    label: str
    points: list[Record]
    needed: list[tuple[str, str]]  # panel, amount in words


@dataclass(frozen=True)
class MethodSection:
    """One method's part of the report."""

    label: str
    slug: str
    facts: list[tuple[str, str]]
    standings: list[Standing]
    costs: list[tuple[str, str]]
    statuses: dict[str, int]
    failures: list[Record]


@dataclass(frozen=True)
class Lines:
    """The power curves and calibration points of a question by method label, grouped once for all methods."""

    curves: list[dict[str, pd.DataFrame]]
    points: dict[str, pd.DataFrame]


def by_line(question: QuestionSection) -> Lines:
    """A question's curves by method."""
    return Lines([_grouped(curve.power.curves) for curve in question.curves], _grouped(question.points))


def _grouped(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(line): own for line, own in frame.groupby("line")}


def method_section(
    material: Material, label: str, questions: Sequence[QuestionSection], lines: dict[str, Lines]
) -> MethodSection:
    """Everything that the report says of the method of this label; lines: by question."""
    cells = material.by_method[label]
    first = cells.iloc[0]
    named = ((column, first.get(column)) for column in ("kind", "family", "library"))
    facts = [(name, str(value)) for name, value in named if isinstance(value, str) and value]
    asked = set(cells["question"])
    nulls = {q: tables.records(null_errors(cells[cells["question"] == q])) for q in asked}
    standings = [s for q in questions if q.name in asked for s in _standings(q, label, lines[q.name], nulls[q.name])]
    statuses = {str(name): int(n) for name, n in cells["status"].value_counts().items()}
    return MethodSection(
        label,
        material.links.slug("method", label),
        facts,
        standings,
        list(_costs(cells)),
        statuses,
        tables.failures(cells, MOST_REASONS),
    )


def _standings(question: QuestionSection, label: str, lines: Lines, nulls: list[Record]) -> Iterator[Standing]:
    for league in question.leagues:
        for place, row in enumerate(league.methods, start=1):
            if row["method_label"] == label:
                blocks = {block.value: block for block in question.circuits.blocks if label in block.squares}
                through = next((b for b in question.instruments.blocks if label in b.squares), None)
                yield Standing(
                    question,
                    row,
                    place,
                    len(league.methods),
                    blocks.get("recovery"),
                    blocks.get("false_recovery"),
                    through,
                    list(_amounts(question, label, lines)),
                    tables.records(lines.points[label]) if label in lines.points else [],
                    nulls,
                )


def _amounts(question: QuestionSection, label: str, lines: Lines) -> Iterator[Amount]:
    for curve, own in zip(question.curves, lines.curves, strict=True):
        if label in own:
            points = [row | {"amount": row[curve.power.x]} for row in tables.records(own[label])]
            yield Amount(curve.power.label, points, list(curve.needed.get(label, {}).items()))


def squares(block: Block, label: str) -> list[tuple[str, Square]]:
    """A method's squares with what they were met on."""
    return list(block.squares[label].items())


def _costs(cells: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Means per cell of what the method took."""
    active = cells["kind"] == "active"
    seconds = cells["trials"] * cells["duration"]
    spent = {
        "analysis": (cells["seconds_analysis"], duration_words),
        "recording used": (cells.get("spent_seconds", seconds).where(active, seconds), duration_words),
        "trials used": (cells.get("spent_trials", cells["trials"]).where(active, cells["trials"]), plain_number),
        "perturbed trials": (cells.get("spent_perturbations", seconds * np.nan).where(active), plain_number),
        "different interventions": (cells.get("spent_interventions", seconds * np.nan).where(active), plain_number),
        "largest memory": (cells["peak_memory"] / 2**20, lambda size: f"{size:.0f} MiB"),
    }
    for name, (values, words) in spent.items():
        numbers = values.astype(float)
        figure: Any = float(numbers.max() if name == "largest memory" else numbers.mean())
        if known(figure):
            yield name, str(words(figure))
    yield "cells", str(len(cells))
    stated = cells["confidence"].notna().mean()
    yield "answers with a stated confidence", rate(float(stated))
