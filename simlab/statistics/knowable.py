"""Methods beside what could be known: whether a method missed what a classifier that was trained on truth sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simlab.statistics.summaries import summarise

if TYPE_CHECKING:
    import pandas as pd

MISSED, REACHED, UNKNOWN, OPEN = "missed", "reached", "nobody could", "undecided"
"""missed: the bound's interval lies above that of the best passive method. reached: that method's lies above zero, and
not below the bound's. nobody could: the classifier is at chance as well. undecided: anything else."""


def beside_bounds(table: pd.DataFrame, bounds: Sequence[Mapping[str, Any]], question: str) -> list[dict[str, Any]]:
    """Each bound with the passive method that separates best in its setting (Youden's J), and what that amounts to.

    A bound on a circuit and rival of whom the question was not asked in that setting is left out.
    """
    asked = table[(table["question"] == question) & (table["role"] != "ceiling")]
    met = [(bound, _of_pair(asked, bound)) for bound in bounds]
    return [_beside(cells[cells["kind"] == "passive"], bound) for bound, cells in met if len(cells)]


def _of_pair(cells: pd.DataFrame, bound: Mapping[str, Any]) -> pd.DataFrame:
    """The cells of a bound's circuit and rival in its setting."""
    keys = ("instrument_label", "trials", "duration")
    here = cells[(cells[list(keys)] == [bound[key] for key in keys]).all(axis=1)]
    pair = ((here["role"] == "circuit") & (here["circuit_label"] == bound["circuit_label"])) | (
        (here["role"] == "rival") & (here["circuit_label"] == bound["rival_label"])
    )
    return here[pair]


def _beside(passive: pd.DataFrame, bound: Mapping[str, Any]) -> dict[str, Any]:
    board = summarise(passive)
    told = board[board["separation"].notna()] if "separation" in board else board
    if not len(told):
        return dict(bound) | {"method": "", "verdict": OPEN}
    best = told.sort_values("separation", ascending=False, kind="stable").iloc[0]
    found = {name: float(best[name]) for name in ("separation", "separation_low", "separation_high")}
    return dict(bound) | found | {"method": str(best["method_label"]), "verdict": _verdict(bound, found)}


def _verdict(bound: Mapping[str, Any], best: Mapping[str, float]) -> str:
    if best["separation_high"] < bound["youden_low"]:
        return MISSED
    if best["separation_low"] > 0:
        return REACHED
    return UNKNOWN if bound["youden_low"] <= 0 else OPEN
