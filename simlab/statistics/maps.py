"""Maps of rates: methods by circuits, rivals or instruments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.contracts import SimlabError
from simlab.statistics.matching import held
from simlab.statistics.summaries import summarise
from simlab.statistics.tallies import met
from simlab.statistics.verdicts import askable, stand_in

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Heat:
    """A map of rates: methods in rows, whatever they met in columns, and the number behind each rate."""

    values: pd.DataFrame
    counts: pd.DataFrame
    held: str  # what was the same in all cells

    def worth_showing(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.values.notna().to_numpy().any())


def heat(table: pd.DataFrame, question: str, across: str, value: str, count: str, order: Sequence[str]) -> Heat:
    """`value` of `summarise` for each method (row, in this order) on each value of the column `across`.

    Each method in the settings in which it met most of these values, so that like is compared with like.
    """
    cells = met(table[table["question"] == question], across, value)
    summary = summarise(cells, [across, "method_label"])
    maps = []
    for name in (value, count):
        wide = summary.pivot(index="method_label", columns=across, values=name) if len(summary) else summary
        wide = wide.reindex([label for label in order if label in wide.index])
        maps.append(wide)
    values, counts = maps
    kept = values.columns[values.notna().any()]
    same = held(cells[~stand_in(cells)]) if len(cells) else ""
    return Heat(values[kept], counts[kept].fillna(0), same)


def heatmap(table: pd.DataFrame, question: str, value: str = "recovery") -> pd.DataFrame:
    """`value` of each circuit (row) by each method (column) on one question: recovery, or any of `summarise`'s.

    Recovery is shown on every circuit, rivals among them, whose truth the question can be asked of.
    """
    cells = table[(table["question"] == question) & (table["role"] != "ceiling")]
    if value == "recovery":  # a rival's truth is a truth like any other where the question has an answer there
        cells = cells[askable(cells)].assign(role="circuit")
    if cells.empty:
        raise SimlabError(f"no results on {question!r}; there are some on {', '.join(sorted(set(table['question'])))}")
    summary = summarise(cells, ["circuit_label", "method_label"])
    return summary.pivot(index="circuit_label", columns="method_label", values=value).dropna(how="all")
