"""What one cell of a results table counts as: right, wrong, fooled, or nothing of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def subject_of(table: pd.DataFrame) -> pd.Series:
    """Who each cell was measured on: subject 3 of one circuit is another individual than subject 3 of another."""
    circuit = table["circuit_label"] if "circuit_label" in table else table["circuit"]
    return circuit.astype(str) + "#" + table["subject"].astype(str)


def answered(table: pd.DataFrame) -> pd.Series:
    """Cells that count in a recovery rate (bool): no abstention, and a truth that the question can be asked of."""
    return (table["status"] != "abstained") & ~((table["status"] == "ok") & table["recovered"].isna())


def outcome(table: pd.DataFrame) -> np.ndarray:
    """1.0 where the cell's mechanism was recovered, else 0.0; errors and exhausted budgets are 0 (cell,)."""
    return ((table["status"] == "ok") & (table["recovered"] == 1)).to_numpy(dtype=float)


def fooled(table: pd.DataFrame) -> np.ndarray:
    """1.0 where a mechanism was claimed that is not there, else 0.0; errors claim nothing (cell,)."""
    return ((table["status"] == "ok") & (table["false_recovery"] == 1)).to_numpy(dtype=float)
