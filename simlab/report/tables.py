"""What of the results goes into which table or figure of the report; its statistics are `simlab.statistics`'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.statistics import maps
from simlab.statistics.amounts import MOST_VALUES, swept
from simlab.statistics.confidence import calibration_points
from simlab.statistics.curves import Power, power
from simlab.statistics.maps import Heat
from simlab.statistics.verdicts import fooled, stand_in, told

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MOST_VALUES", "Heat", "Power", "baseline", "calibration_points", "failures", "heat", "leaders", "notable_cells",
    "power", "records", "short", "swept",
]  # fmt: skip


def baseline(method: str) -> bool:
    """Whether this is a stand-in that may see the truth, not a method."""
    return method.startswith("baseline:")


def short(method_label: str) -> str:
    """A baseline's kind alone; a method's label as it is."""
    return method_label.removeprefix("baseline:").replace("_", " ") if baseline(method_label) else method_label


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dictionaries by column name."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def leaders(board: pd.DataFrame, question: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Methods and baselines of one question, best first, as the leaderboard's rows."""
    rows = records(board[board["question"] == question].assign(label=lambda b: b["method_label"].map(short)))
    return [r for r in rows if not baseline(r["method"])], [r for r in rows if baseline(r["method"])]


def heat(table: pd.DataFrame, question: str, across: str, value: str, count: str, order: Sequence[str]) -> Heat:
    """`simlab.statistics.maps.heat`, its methods called as on the page."""
    found = maps.heat(table, question, across, value, count, order)
    return replace(found, values=found.values.rename(index=short), counts=found.counts.rename(index=short))


def failures(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Errors, exhausted budgets and abstentions: how many cells of which methods on what, for each reason."""
    bad = table[~told(table)].assign(reason=lambda t: t["reason"].fillna("").map(str))
    rank = {"error": 0, "over_budget": 1, "abstained": 2}
    rows = []
    for (status, method, reason), group in bad.groupby(["status", "method_label", "reason"], sort=False):
        rows.append(
            {
                "status": status,
                "method": short(str(method)),
                "reason": reason or "no reason given",
                "n": len(group),
                "circuits": sorted(set(group["circuit_label"].map(str))),
                "instruments": sorted(set(group["instrument_label"].map(str))),
            }
        )
    return sorted(rows, key=lambda row: (rank.get(str(row["status"]), 3), -row["n"], row["method"], row["reason"]))


def notable_cells(table: pd.DataFrame, question: str, headline: str) -> list[tuple[str, dict[str, Any]]]:
    """Cells whose matrices are worth seeing: each kind of case, and its cells from the clearest example on."""
    cells = table[(table["question"] == question) & told(table) & ~stand_in(table)]
    if headline not in cells:
        return []
    answered = cells[(cells["role"] == "circuit") & cells[headline].notna()]
    answered = answered.sort_values(headline, kind="stable")
    deceived = cells[fooled(cells) == 1]
    best = answered.iloc[::-1]
    middle = answered.iloc[np.argsort(np.abs(np.arange(len(answered)) - len(answered) // 2), kind="stable")]
    cases = {"best": best, "median": middle, "worst": answered, "false recovery on a rival": deceived}
    return [(case, row) for case, group in cases.items() for row in records(group.head(400))]
