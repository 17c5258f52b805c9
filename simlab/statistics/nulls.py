"""Is an error rate what it says? What methods claim where nothing is connected, world by world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlab.statistics.intervals import clustered_wilson, mean_interval
from simlab.statistics.measured import NAN, Measured, mean
from simlab.statistics.verdicts import subject_of

if TYPE_CHECKING:
    import pandas as pd

NOMINAL = 0.05
"""The rate of false claims that methods promise: of p-values at or below it, and of worlds with any discovery."""

LEVEL = 0.95
"""Of the verdict over all of a method's worlds together."""

COLUMNS = (
    "method_label", "circuit_label", "instrument_label", "cells", "p_below_05", "p_low", "p_high", "any_discovery",
    "any_low", "any_high", "verdict",
)  # fmt: skip


def null_cells(table: pd.DataFrame) -> pd.DataFrame:
    """The answers of methods about wiring in worlds that have none among what was recorded."""
    if "n_edges" not in table or "any_discovery" not in table:
        return table.iloc[:0]
    return table[(table["status"] == "ok") & (table["n_edges"] == 0) & (table["kind"] != "baseline")]


def null_errors(table: pd.DataFrame) -> pd.DataFrame:
    """What each method claims in each world without wiring: share of pairs with p <= .05, share with any discovery.

    Intervals (95%) are over subjects. verdict: `errs` where the rate lies above the nominal .05 at a family-wise error
    rate of .05 over the method's worlds and both rates (Bonferroni: of k worlds, the intervals at 1 - .05/2k count),
    else `keeps its word`; "" with fewer than three subjects and nothing wrong. Columns: `COLUMNS`.
    """
    import pandas as pd

    cells = null_cells(table)
    found = []
    for method, own in cells.groupby("method_label", sort=True):
        worlds = list(own.groupby(["circuit_label", "instrument_label"], sort=True))
        found += [(method, *names, *_line(group, len(worlds))) for names, group in worlds]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _line(cells: pd.DataFrame, n_worlds: int) -> tuple[object, ...]:
    """What is measured in one of a method's `n_worlds` worlds."""
    subjects, level = subject_of(cells), 1 - (1 - LEVEL) / (2 * n_worlds)
    p = mean(cells, "p_below_05") if "p_below_05" in cells else Measured(NAN)
    claims = cells["any_discovery"].to_numpy(dtype=float), subjects.to_numpy()
    any_low, any_high = clustered_wilson(*claims)
    lows = [clustered_wilson(*claims, level=level)[0]]
    if cells.get("p_below_05") is not None and (told := cells.dropna(subset="p_below_05")).size:
        lows.append(mean_interval(told["p_below_05"].to_numpy(dtype=float), subject_of(told).to_numpy(), level)[0])
    wrong = any(low > NOMINAL + 1e-9 for low in lows if not np.isnan(low))
    verdict = "errs" if wrong else "keeps its word" if subjects.nunique() >= 3 else ""
    return len(cells), p.value, p.low, p.high, float(cells["any_discovery"].mean()), any_low, any_high, verdict


def worst_null(table: pd.DataFrame, column: str = "p_below_05", **conditions: object) -> Measured:
    """The largest of a method's rates over worlds without wiring, with the interval that it has in that world.

    column: `p_below_05` or `any_discovery`. The world is named in the detail. It is the worst of several, so that its
    interval is a little too high: a rate that holds up here holds up.
    """
    from simlab.statistics.measured import chosen

    lines = null_errors(chosen(table, **conditions)).dropna(subset=column)
    if lines.empty:
        return Measured(NAN, detail="no world without wiring was answered")
    worst = lines.loc[lines[column].idxmax()]
    low, high = ("p_low", "p_high") if column == "p_below_05" else ("any_low", "any_high")
    where = f"{worst['circuit_label']} through {worst['instrument_label']}"
    return Measured(float(worst[column]), float(worst[low]), float(worst[high]), int(worst["cells"]), where)
