"""How often a method answers at all: of one that knows a single label, how often it gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simlab.claims import Measured, chosen, rate

if TYPE_CHECKING:
    import pandas as pd


def answered(table: pd.DataFrame, **conditions: Any) -> Measured:
    """In how many recordings under these conditions there is an answer; an abstention is none."""
    rows = chosen(table, **conditions)
    rows = rows[rows["status"].isin(("ok", "abstained"))]
    return rate(rows.assign(named=(rows["status"] == "ok").astype(float), status="ok"), "named")
