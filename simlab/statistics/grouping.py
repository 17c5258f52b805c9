"""Groups of a table's cells as positions, so that counting in a group copies nothing of the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.contracts import SimlabError

if TYPE_CHECKING:
    import pandas as pd


def groups(
    table: pd.DataFrame, by: Sequence[str], among: pd.Series | None = None, *, sort: bool = True, dropna: bool = False
) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """The values of `by` of each group of cells, and the positions of these in the table, ascending.

    among: which cells are grouped (bool; all of them if None). sort: groups by their values, else as their first cells
    come. dropna: without the cells that lack one of the values. SimlabError where the table has no such column.
    """
    if missing := [column for column in by if column not in table.columns]:
        raise SimlabError(f"the results have no column {', '.join(missing)}; they have {', '.join(table.columns)}")
    where = np.arange(len(table)) if among is None else np.flatnonzero(among.to_numpy())
    if not len(where):
        return
    grouped = table[list(by)].iloc[where].groupby(list(by), sort=sort, dropna=dropna)
    number = grouped.ngroup().to_numpy()
    order = np.argsort(number, kind="stable")[np.count_nonzero(number < 0) :]
    parts = np.split(where[order], np.flatnonzero(np.diff(number[order])) + 1)
    for values, cells in zip(grouped.size().index, parts, strict=True):
        yield dict(zip(by, values if len(by) > 1 else (values,), strict=True)), cells


class Found:
    """What was found for each group of cells, by its values; looked up by those that another group shares with it."""

    def __init__(self, by: Sequence[str], otherwise: Any) -> None:
        self.by, self.otherwise = by, otherwise
        self._known: dict[tuple[Any, ...], tuple[dict[str, Any], Any]] = {}

    def put(self, values: dict[str, Any], what: Any) -> None:
        """Keeps it for the group of these values."""
        self._known[self._key(values)] = values, what

    def get(self, values: dict[str, Any]) -> Any:
        """What was kept for the group that has these of the values; `otherwise` where there is none."""
        return self._known.get(self._key(values), ({}, self.otherwise))[1]

    def items(self) -> Iterable[tuple[dict[str, Any], Any]]:
        """Every group's values and what was kept for it."""
        return self._known.values()

    def _key(self, values: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(None if values[name] != values[name] else values[name] for name in self.by)  # NaN equals NaN
