"""What of the results goes into which table or figure of the report; its statistics are `simlab.statistics`'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.statistics.amounts import MOST_VALUES, swept
from simlab.statistics.confidence import calibration_points
from simlab.statistics.curves import FalseClaims, Power, false_claims, power
from simlab.statistics.verdicts import fooled, stand_in, told

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MOST_VALUES", "FalseClaims", "Power", "baseline", "calibration_points", "failures", "false_claims",
    "notable_cells", "power", "records", "short", "swept",
]  # fmt: skip

RANK = {"error": 0, "over_budget": 1, "abstained": 2}
"""What is listed first of what gave no answer."""


def baseline(method: str) -> bool:
    """Whether this is a stand-in that may see the truth, not a method."""
    return method.startswith("baseline:")


def short(method_label: str) -> str:
    """A baseline's kind alone; a method's label as it is."""
    return method_label.removeprefix("baseline:").replace("_", " ") if baseline(method_label) else method_label


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dictionaries by column name."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def failures(table: pd.DataFrame, most: int = 80) -> list[dict[str, Any]]:
    """Errors, exhausted budgets and abstentions: how many cells of which methods on what, for each reason.

    The `most` first ones: errors before budgets before abstentions, the frequent before the rare.
    """
    bad = table[~told(table)].assign(reason=lambda t: t["reason"].fillna("").map(str)).reset_index(drop=True)
    if bad.empty:
        return []
    groups = bad.groupby(["status", "method_label", "reason"], sort=False)
    counts = groups.size()
    ranked = sorted(counts.items(), key=lambda item: (RANK.get(item[0][0], 3), -item[1], item[0][1:]))
    where = groups.indices
    return [
        {
            "status": status,
            "method": short(str(method)),
            "method_label": method,
            "reason": reason or "no reason given",
            "n": int(n),
            "circuits": sorted(set(bad["circuit_label"].iloc[where[status, method, reason]].map(str))),
            "instruments": sorted(set(bad["instrument_label"].iloc[where[status, method, reason]].map(str))),
        }
        for (status, method, reason), n in ranked[:most]
    ]


def notable_cells(table: pd.DataFrame, headline: str) -> list[tuple[str, dict[str, Any]]]:
    """Cells of one question whose matrices are worth seeing: each kind of case, and its cells, the clearest first."""
    cells = table[told(table) & ~stand_in(table)]
    if headline not in cells:
        return []
    answered = cells[(cells["role"] == "circuit") & cells[headline].notna()]
    answered = answered.sort_values(headline, kind="stable")
    deceived = cells[fooled(cells) == 1]
    best = answered.iloc[::-1]
    middle = answered.iloc[np.argsort(np.abs(np.arange(len(answered)) - len(answered) // 2), kind="stable")]
    cases = {"best": best, "median": middle, "worst": answered, "false recovery on a rival": deceived}
    return [(case, row) for case, group in cases.items() for row in records(group.head(400))]
