"""Figures that claims are checked on, computed from a table of results: rates with intervals, differences, ratios."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.experiment import Measured
from simlab.statistics import bootstrap, clustered_wilson, subject_of
from simlab.streams import stream

if TYPE_CHECKING:
    import pandas as pd


def chosen(table: pd.DataFrame, **conditions: Any) -> pd.DataFrame:
    """The rows in which every named column equals its value, or is among its tuple of values."""
    rows = table
    for column, wanted in conditions.items():
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        rows = rows[rows[column].isin(values)]
    return rows


def rate(table: pd.DataFrame, column: str, **conditions: Any) -> Measured:
    """Share of the chosen cells in which `column` (`recovered` or `false_recovery`) is 1, with its interval.

    Abstentions are left out; errors and exhausted budgets recover nothing and claim nothing, as in the leaderboard.
    The interval counts subjects, not cells.
    """
    rows = chosen(table, **conditions)
    if "status" in rows:
        failed = rows["status"].isin(("error", "over_budget"))
        rows = rows.assign(**{column: rows[column].mask(failed, 0.0)})
    rows = rows.dropna(subset=[column])
    if rows.empty:
        return Measured(float("nan"), detail="no cell gave a verdict")
    low, high = clustered_wilson(rows[column].to_numpy(), subject_of(rows))
    return Measured(float(rows[column].mean()), float(low), float(high), len(rows))


def mean(table: pd.DataFrame, column: str, **conditions: Any) -> Measured:
    """Mean of a metric over the chosen cells, with a bootstrap interval over subjects."""
    rows = chosen(table, **conditions).dropna(subset=[column])
    if rows.empty:
        return Measured(float("nan"), detail="no cell gave a value")
    per_subject = rows.groupby(subject_of(rows))[column].mean().to_numpy()
    low, high = interval(per_subject)
    return Measured(float(per_subject.mean()), low, high, len(rows))


def interval(values: np.ndarray) -> tuple[float, float]:
    """95% bootstrap interval of a mean; the same values always give the same interval."""
    if len(values) < 2:
        return float("nan"), float("nan")
    low, high = bootstrap(values, rng=stream(0, "claims"))
    return float(low), float(high)


def separation(table: pd.DataFrame, method: str, **conditions: Any) -> Measured:
    """Recovery on the circuit minus false recovery on its rivals (Youden's J): 1 tells them apart, 0 cannot.

    Abstentions and errors separate nothing: they count as a zero on their side.
    """
    rows = chosen(table, method=method, **conditions)
    hits = _share(chosen(rows, role="circuit"), "recovered")
    falls = _share(chosen(rows, role="rival"), "false_recovery")
    if not hits.n or not falls.n:
        return Measured(float("nan"), detail=f"{method} was not run on both circuit and rival")
    figure = difference(hits, falls)
    return replace(figure, detail=f"{method}: {figure.detail}")


def _share(rows: pd.DataFrame, column: str) -> Measured:
    return rate(rows.assign(**{column: rows[column].fillna(0.0)}), column)


def difference(first: Measured, second: Measured) -> Measured:
    """First minus second, for figures of separate cells; the interval combines both (Newcombe 1998, method 10)."""
    value = first.value - second.value
    low = value - np.hypot(first.value - first.low, second.high - second.value)
    high = value + np.hypot(first.high - first.value, second.value - second.low)
    return Measured(value, float(low), float(high), first.n + second.n, f"{first.value:.3g} against {second.value:.3g}")
