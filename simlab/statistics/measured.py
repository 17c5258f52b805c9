"""One figure of a results table with its interval: a rate, a mean, a difference.

Every function takes the table (one row per cell, `simlab.store.ledger`) and conditions as keywords, which choose its
rows; what each cell counts as is decided in `simlab.statistics.verdicts`. Intervals are 95% and count subjects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.statistics.intervals import clustered_wilson, mean_interval, means_by_subject
from simlab.statistics.verdicts import counted, subject_of

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")


@dataclass(frozen=True)
class Measured:
    """What was measured: the figure, its 95% interval where it has one (else NaN), and from how many cells."""

    value: float
    low: float = NAN
    high: float = NAN
    n: int = 0
    detail: str = ""


def chosen(table: pd.DataFrame, **conditions: Any) -> pd.DataFrame:
    """The rows in which every named column equals its value, or is among its tuple of values.

    A KeyError if there is no such column: a claim on it is then not measured.
    """
    rows = table
    for column, wanted in conditions.items():
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        rows = rows[rows[column].isin(values)]
    return rows


def rate(table: pd.DataFrame, column: str, *, independent: bool = False, **conditions: Any) -> Measured:
    """Share of the chosen cells in which `column` is 1, with Wilson's interval over subjects.

    column: `recovered` (failures are no recovery), `false_recovery` (of rivals; failures are left out, and the interval
    is as wide as it would be whichever way they had gone), `abstained`, `error`, `over_budget`, or a metric that is 0
    or 1. Abstentions are left out of the first two. independent: the cells of a subject are independent of one another
    by construction (random answers, drawn afresh in each), so that cells are counted, not subjects.
    Raises SimlabError where the column holds anything but 0 and 1.
    """
    rows = chosen(table, **conditions)
    values = counted(rows, column)
    if not values.dropna().isin((0.0, 1.0)).all():
        raise SimlabError(f"a rate needs a column of 0 and 1, got {column!r} with other values: use mean()")
    groups = subject_of(rows)
    if independent:
        groups = groups.str.cat([str(i) for i in range(len(rows))], sep="#")
    figure = share(values, groups)
    if column != "false_recovery":
        return figure
    return either_way(figure, *(share(counted(rows, column, failures=fate), groups) for fate in (0.0, 1.0)))


def share(values: Any, groups: Any) -> Measured:
    """Mean of `values` (cell,) in {0, 1, NaN: not counted}, with Wilson's interval over subjects, `groups` (cell,)."""
    values = np.asarray(values, dtype=float)
    known = ~np.isnan(values)
    if not known.any():
        return Measured(NAN, detail="no cell gave a verdict")
    low, high = clustered_wilson(values[known], np.asarray(groups)[known])
    return Measured(float(values[known].mean()), low, high, int(known.sum()))


def either_way(figure: Measured, least: Measured, most: Measured) -> Measured:
    """A figure that leaves failures out, its interval widened to what it would be had they all gone either way.

    So failing where an answer would have been wrong never makes a method look safe.
    """
    if most.n == figure.n:
        return figure
    words = f"{most.n - figure.n} failures left out: {least.value:.3g} to {most.value:.3g} whichever way they went"
    detail = "; ".join(part for part in (figure.detail, words) if part)
    if not figure.n:
        return replace(figure, detail=detail)
    low = min(figure.low, least.low, most.low)
    return replace(figure, low=low, high=max(figure.high, least.high, most.high), detail=detail)


def mean(table: pd.DataFrame, column: str, **conditions: Any) -> Measured:
    """Mean of a metric over the chosen cells that gave an answer, each subject counting once, with its interval.

    The interval is a bootstrap over subjects: none with fewer than three of them, and of no width where three or more
    agree to the last digit. Where every value is 0 or 1, it is that of a rate.
    """
    rows = chosen(table, **conditions)
    rows = rows.assign(_value=counted(rows, column)).dropna(subset="_value")
    if rows.empty:
        return Measured(NAN, detail="no cell gave a value")
    told = rows["_value"].to_numpy(), subject_of(rows).to_numpy()
    return Measured(float(means_by_subject(*told).mean()), *mean_interval(*told), len(rows))


def difference(first: Measured, second: Measured) -> Measured:
    """First minus second, for figures of different subjects; the interval combines both (Newcombe 1998, method 10).

    NaN where either figure has none. Of the same subjects, `paired_difference` is sharper.
    """
    value = first.value - second.value
    low = value - np.hypot(first.value - first.low, second.high - second.value)
    high = value + np.hypot(first.high - first.value, second.value - second.low)
    words = [f"{first.value:.3g} against {second.value:.3g}", first.detail, second.detail]
    detail = "; ".join(part for part in words if part)
    return Measured(value, float(low), float(high), first.n + second.n, detail)
