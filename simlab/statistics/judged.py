"""What every cell of a table counts as, worked out once for all the groups of its cells that are to be counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlab.statistics import verdicts

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Judged:
    """A table's verdicts as arrays (cell,), each that of the function of its name in `simlab.statistics.verdicts`.

    subject, circuit: whole numbers in the order of names. fooled, falls: for each of `verdicts.FATES`.
    """

    subject: np.ndarray
    circuit: np.ndarray
    role: np.ndarray
    asked: np.ndarray
    settled: np.ndarray
    answered: np.ndarray
    abstained: np.ndarray
    error: np.ndarray
    over_budget: np.ndarray
    recovered: np.ndarray
    fooled: list[np.ndarray]
    right: np.ndarray
    hits: np.ndarray
    falls: list[np.ndarray]

    def of(self, role: str, cells: np.ndarray) -> np.ndarray:
        """Those of these cells (positions) that have this role."""
        return cells[self.role[cells] == role]

    def on_circuits_of(self, cells: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Those of these cells whose circuits are among those of the others."""
        return cells[np.isin(self.circuit[cells], self.circuit[others])]


def judged(table: pd.DataFrame) -> Judged:
    """Every verdict on every cell of the table."""
    import pandas as pd

    return Judged(
        subject=pd.factorize(verdicts.subject_of(table), sort=True)[0],
        circuit=pd.factorize(table["circuit_label"])[0],
        role=table["role"].to_numpy(dtype=object),
        asked=verdicts.asked(table).to_numpy(),
        settled=verdicts.settled(table).to_numpy(),
        answered=verdicts.answered(table).to_numpy(),
        abstained=verdicts.abstained(table).to_numpy(),
        error=verdicts.error(table).to_numpy(),
        over_budget=verdicts.over_budget(table).to_numpy(),
        recovered=verdicts.recovered(table).to_numpy(dtype=float),
        fooled=[verdicts.fooled(table, fate).to_numpy(dtype=float) for fate in verdicts.FATES],
        right=verdicts.right(table).to_numpy(dtype=float),
        hits=verdicts.separated(table)[0].to_numpy(dtype=float),
        falls=[verdicts.separated(table, fate)[1].to_numpy(dtype=float) for fate in verdicts.FATES],
    )
