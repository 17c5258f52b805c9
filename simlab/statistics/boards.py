"""Leaderboards for each instrument, amount of data, or whatever else varies in a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simlab.statistics.ranking import leaderboard
from simlab.statistics.sweeps import values_of

if TYPE_CHECKING:
    import pandas as pd


def leaderboards(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The `leaderboard` of the cells of each combination of `by`, one below the other; the columns `by` lead.

    by: columns of the results or derived amounts (`seconds`, `minutes`); a rival stands where the circuit that it
    imitates stands. Ceilings, which are of the perfect instrument and ample data, are the same in every board. Cells
    that have no value of `by` are in no board. SimlabError, with what varies, for a name that is neither.
    """
    import pandas as pd

    values = pd.DataFrame({name: values_of(table, name) for name in by}, index=table.index)
    ceiling = table["role"] == "ceiling"
    boards = []
    for keys, group in values[~ceiling].groupby(list(by), sort=True):
        board = leaderboard(table[table.index.isin(group.index) | ceiling])
        lead = dict(zip(by, keys, strict=True))
        boards.append(
            pd.concat([pd.DataFrame(lead, index=board.index), board.drop(columns=[*lead], errors="ignore")], axis=1)
        )
    if not boards:
        return leaderboard(table[:0])
    return pd.concat(boards, ignore_index=True)
