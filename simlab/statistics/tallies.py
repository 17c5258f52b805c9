"""Plain counts of what happened in many groups of cells at once, in time linear in the cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simlab.statistics.matching import comparable, with_settings
from simlab.statistics.verdicts import abstained, askable, failed, fooled, recovered

if TYPE_CHECKING:
    import pandas as pd


def tallies(cells: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """One row per group of `by`, in the order of their first cells; see `simlab.statistics.verdicts` for what counts.

    Columns after those of `by`: n (cells), answers (that count in a recovery rate), recovered (of these),
    rival_answers (that count in a false-recovery rate), fooled (of these), abstained, failed (errors and exhausted
    budgets).
    """
    right, wrong = recovered(cells), fooled(cells)
    counts = cells[list(by)].assign(
        n=1,
        answers=right.notna().astype(int),
        recovered=right.fillna(0.0).astype(int),
        rival_answers=wrong.notna().astype(int),
        fooled=wrong.fillna(0.0).astype(int),
        abstained=abstained(cells).astype(int),
        failed=failed(cells).astype(int),
    )
    return counts.groupby(list(by), sort=False, dropna=False).sum().reset_index()


def met(cells: pd.DataFrame, across: str, value: str) -> pd.DataFrame:
    """The cells of one question that a map of `value` over the column `across` is made of.

    Of each method, the settings in which it met most values of `across`. Circuits that were met in other settings alone
    are in the map as well: methods are compared within such a column, not along a row of several. Recovery is that of
    circuits, and over circuits also that of rivals in which the question can be asked; false recovery that of rivals.
    """
    import pandas as pd

    cells = cells[cells["role"] != "ceiling"]
    if value == "recovery" and across == "circuit_label":  # where the question can be asked of a rival, it counts too
        cells = cells[askable(cells)].assign(role="circuit")
    cells = cells[cells["role"] == ("rival" if value == "false_recovery" else "circuit")]
    rest = with_settings(cells)
    parts: list[pd.DataFrame] = []
    while len(rest) and (across == "circuit_label" or not parts):
        parts.append(comparable(rest, across, ["method_label"]))
        rest = rest[~rest[across].isin(parts[-1][across])]
    return pd.concat(parts) if parts else rest
