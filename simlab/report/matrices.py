"""Methods in rows, circuits or instruments in columns: how often each recovered, and on rivals claimed wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlab.report import tables
from simlab.report.words import shortened, told_apart
from simlab.statistics import held, met, stand_in, tallies

if TYPE_CHECKING:
    import pandas as pd

TITLES = {"recovery": "recovered", "false_recovery": "false recovery on rivals"}
COUNTS = {"recovery": ("recovered", "answers"), "false_recovery": ("fooled", "rival_answers")}


@dataclass(frozen=True)
class Square:
    """One cell of a matrix: `hits` of `asked` answers, and how many cells gave none."""

    hits: int
    asked: int
    abstained: int
    failed: int
    letter: str  # of its colours: r where a high rate is good, f where it is bad

    @property
    def text(self) -> str:
        """The rate [%], or why there is none: a, abstained everywhere; e, failed everywhere."""
        if self.asked:
            return str(round(100 * self.hits / self.asked))
        return "a" if self.abstained else "e" if self.failed else ""

    @property
    def colour(self) -> str:
        """The class of its colour, of eleven; none where there is no rate."""
        return f"{self.letter}{round(10 * self.hits / self.asked)}" if self.asked else "no"

    @property
    def title(self) -> str:
        """The counts in words."""
        others = [f"{n} {word}" for n, word in ((self.abstained, "abstained"), (self.failed, "failed")) if n]
        return ", ".join([f"{self.hits} of {self.asked}", *others])

    @property
    def share(self) -> float:
        """The rate."""
        return self.hits / self.asked if self.asked else float("nan")


ROOM = 29
"""Characters of a column's label that stand above it."""


@dataclass(frozen=True)
class Block:
    """The columns of one rate: their labels, and the squares of each method label by column."""

    value: str
    columns: list[str]
    squares: dict[str, dict[str, Square]]
    held: str  # what was the same in all cells

    @property
    def title(self) -> str:
        """What the rate is."""
        return TITLES[self.value]

    @property
    def heads(self) -> list[tuple[str, str]]:
        """Each column's label, and as much of it as there is room for."""
        return list(zip(self.columns, told_apart(self.columns, ROOM), strict=True))

    def row(self, method_label: str) -> list[Square | None]:
        """A method's squares in the columns' order."""
        own = self.squares.get(method_label, {})
        return [own.get(column) for column in self.columns]


@dataclass(frozen=True)
class Matrix:
    """Blocks of columns beside each other, for the same methods in the leaderboard's order."""

    rows: list[tuple[str, str]]  # method label, and how the page calls it
    blocks: list[Block]

    def worth_showing(self) -> bool:
        """Whether there is anything in it."""
        return any(block.squares for block in self.blocks)


def by_circuit(cells: pd.DataFrame, order: Sequence[str]) -> Matrix:
    """The matrix of one question's cells: recovery on circuits, then false recovery on rivals."""
    return _matrix(cells, "circuit_label", ("recovery", "false_recovery"), order)


def by_instrument(cells: pd.DataFrame, across: str, order: Sequence[str]) -> Matrix:
    """Recovery through each instrument; across: `instrument`, or `instrument_label` with its parameters."""
    return _matrix(cells, across, ("recovery",), order)


def _matrix(cells: pd.DataFrame, across: str, values: Sequence[str], order: Sequence[str]) -> Matrix:
    blocks = [block for value in values if (block := _block(cells, across, value)).squares]
    there = [label for label in order if any(label in block.squares for block in blocks)]
    return Matrix([(label, tables.short(label)) for label in there], blocks)


def _block(cells: pd.DataFrame, across: str, value: str) -> Block:
    chosen = met(cells, across, value)
    if chosen.empty:
        return Block(value, [], {}, "")
    columns = list(dict.fromkeys(cells[across].map(str)))
    squares: dict[str, dict[str, Square]] = {}
    hits, asked = COUNTS[value]
    for row in tables.records(tallies(chosen, ["method_label", across])):
        squares.setdefault(row["method_label"], {})[str(row[across])] = _square(row, hits, asked, value)
    there = {column for own in squares.values() for column in own}
    same = held(chosen[~stand_in(chosen)])
    return Block(value, [column for column in columns if column in there], squares, shortened(same, 200))


def _square(row: dict[str, Any], hits: str, asked: str, value: str) -> Square:
    right, told, abstained, failed = (int(row[name]) for name in (hits, asked, "abstained", "failed"))
    return Square(right, told, abstained, failed, "r" if value == "recovery" else "f")
