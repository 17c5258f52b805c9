"""Which parameter of a family of circuits decides whether a method succeeds?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.statistics.verdicts import counted, subject_of

if TYPE_CHECKING:
    import pandas as pd

DRAWN = "drawn."
"""What columns of drawn parameters begin with."""

COLUMNS = ("circuit", "method_label", "parameter", "correlation", "low", "high", "joint", "subjects")
LEAST = 5
"""Subjects below which a rank correlation says nothing."""


def deciding(table: pd.DataFrame, measure: str = "recovered", **conditions: Any) -> pd.DataFrame:
    """How a measure goes with each drawn parameter, over the subjects of a family; the strongest of a method first.

    Cells whose circuit was not drawn are left out, whatever their subjects are called, and each circuit is a family.

    measure: `recovered`, `false_recovery` or a metric. correlation: Spearman's over subjects, with its 95% interval;
    joint: the parameter's coefficient in a least-squares regression of the measure's rank on those of all
    parameters (standardised; NaN with fewer than three subjects per parameter). Raises SimlabError where nothing was
    drawn.
    """
    import pandas as pd

    from simlab.statistics.measured import chosen

    rows = chosen(table, **conditions)
    names = [name for name in rows if str(name).startswith(DRAWN)]
    if not names:
        raise SimlabError("no parameters were drawn in this run: set `drawn=True` in a grid, and give circuits a prior")
    rows = rows.assign(_value=counted(rows, measure), _subject=subject_of(rows))
    rows = rows[rows[names].notna().any(axis=1) & (rows["kind"] != "baseline")]
    found = []
    for (circuit, method), cells in rows.groupby(["circuit", "method_label"], sort=True):
        per_subject = cells.dropna(subset="_value").groupby("_subject")[["_value", *names]].mean()
        found += [(str(circuit), str(method), *line) for line in _of_method(per_subject, names)]
    order = pd.DataFrame(found, columns=list(COLUMNS))
    by = ["circuit", "method_label", "_s"]
    return order.assign(_s=order["correlation"].abs()).sort_values(by, ascending=[True, True, False]).drop(columns="_s")


def strongest(table: pd.DataFrame, question: str, measure: str) -> pd.DataFrame:
    """The first line of `deciding` of each family and method, the circuits' own cells and not their rivals', and how
    many parameters it is the strongest of (`of`); empty where nothing was drawn, or too few subjects were."""
    import pandas as pd

    if not any(str(name).startswith(DRAWN) for name in table):
        return pd.DataFrame(columns=[*COLUMNS, "of"])
    found = deciding(table, measure, question=question, role="circuit")
    groups = found.groupby(["circuit", "method_label"], sort=False)
    return found.assign(of=groups["parameter"].transform("size")).groupby(["circuit", "method_label"]).head(1)


def family_size(table: pd.DataFrame, question: str) -> int:
    """Subjects of the largest family that was asked this; 0 where nothing was drawn."""
    names = [name for name in table if str(name).startswith(DRAWN)]
    rows = table[(table["question"] == question) & (table["role"] == "circuit")]
    rows = rows[rows[names].notna().any(axis=1)] if names else rows.iloc[:0]
    return int(rows.groupby("circuit")["subject"].nunique().max()) if len(rows) else 0


def _of_method(per_subject: pd.DataFrame, names: list[str]) -> list[tuple[Any, ...]]:
    varying = [name for name in names if per_subject[name].notna().all() and per_subject[name].nunique() > 2]
    if len(per_subject) < LEAST or per_subject["_value"].nunique() < 2 or not varying:
        return []
    ranks = per_subject[["_value", *varying]].rank().to_numpy()
    joint = _joint(ranks)
    found = []
    for column, name in enumerate(varying, start=1):
        pair = ranks[:, [0, column]]
        value = _correlation(pair)
        low, high = _interval(value, len(ranks))
        found.append((name[len(DRAWN) :], value, low, high, joint[column - 1], len(ranks)))
    return found


def _correlation(pairs: np.ndarray) -> float:
    first, second = (pairs - pairs.mean(axis=0)).T
    scale = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / scale) if scale > 0 else 0.0


def _interval(correlation: float, n: int) -> tuple[float, float]:
    """Of a rank correlation, 95%: Fisher's z with the variance 1.06/(n - 3) of Fieller, Hartley & Pearson (1957)."""
    z, half = np.arctanh(np.clip(correlation, -1 + 1e-12, 1 - 1e-12)), 1.96 * np.sqrt(1.06 / (n - 3))
    return float(np.tanh(z - half)), float(np.tanh(z + half))


def _joint(ranks: np.ndarray) -> np.ndarray:
    """Standardised coefficients (parameter,) of the first column on the others."""
    n, n_parameters = len(ranks), ranks.shape[1] - 1
    if n < 3 * n_parameters:
        return np.full(n_parameters, np.nan)
    z = (ranks - ranks.mean(axis=0)) / ranks.std(axis=0)
    return np.asarray(np.linalg.lstsq(z[:, 1:], z[:, 0], rcond=None)[0])
