"""Amounts that recovery may be plotted against: recorded units, seconds, the hidden fraction, pulses, parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlab.contracts import SimlabError
from simlab.statistics.verdicts import stand_in

if TYPE_CHECKING:
    import pandas as pd

AMOUNTS = {
    "n_units": "recorded units",
    "seconds": "recording of each subject [s]",
    "hidden_fraction": "hidden fraction of the network",
    "budget_perturbations": "perturbed trials allowed",
    "budget_interventions": "different interventions allowed",
}
"""Amounts that a power curve may run over, and how their axis is called."""

MOST_VALUES = 6
"""An amount that takes more values than this, since an instrument draws it, is pooled into this many classes."""

DERIVED = {
    "seconds": lambda table: table["trials"] * table["duration"],
    "minutes": lambda table: table["trials"] * table["duration"] / 60,
    "hidden_fraction": lambda table: 1 - table["n_units"] / table["n_neurons"],
}
"""Amounts that are no column of the results: data recorded [s], and the share of neurons that no unit stands for."""


def amount(table: pd.DataFrame, x: str) -> pd.Series:
    """The column `x` of the results, or one of `DERIVED`; SimlabError lists both if it is neither."""
    if x in table.columns:
        return table[x]
    if x in DERIVED:
        return DERIVED[x](table)
    raise SimlabError(f"no amount {x!r}; there are {', '.join([*DERIVED, *map(str, table.columns)])}")


def swept(table: pd.DataFrame) -> dict[str, str]:
    """Amounts that vary among the cells that give recovery, and their axis labels."""
    cells = table[(table["role"] == "circuit") & ~stand_in(table)]
    found = {}
    for name, text in (AMOUNTS | _parameters(cells)).items():
        if name in cells or name in ("seconds", "hidden_fraction"):
            values = finite(amount(cells, name))
            if values.nunique() > 1 and not _follows_units(cells, name, values):
                found[name] = text
    if "hidden_fraction" in found:
        found.pop("circuit.n_neurons", None)
    return found


def finite(values: pd.Series) -> pd.Series:
    """Amounts as floats; an unlimited one is no place on an axis and becomes NaN."""
    return values.astype(float).replace([np.inf, -np.inf], np.nan)


def _parameters(cells: pd.DataFrame) -> dict[str, str]:
    """Numeric parameters that vary within one circuit or one instrument."""
    found = {}
    for column in map(str, cells.columns):
        part, _, parameter = column.partition(".")
        if part not in ("circuit", "instrument") or not parameter or parameter == "n_units":
            continue
        numbers = cells[column].map(lambda value: isinstance(value, int | float) and not isinstance(value, bool))
        known = cells[numbers & cells[column].notna()]
        if len(known) and known.groupby(part)[column].nunique().max() > 1:
            found[column] = f"{part}: {parameter.replace('_', ' ')}"
    return found


def _follows_units(cells: pd.DataFrame, name: str, values: pd.Series) -> bool:
    """Whether the hidden fraction says no more than the number of units, all networks being of one size."""
    return name == "hidden_fraction" and cells["n_neurons"].nunique() == 1


def classed(cells: pd.DataFrame, x: str) -> pd.DataFrame:
    """An amount of many values replaced, within each panel, by the median of its quantile class."""
    import pandas as pd

    parts = []
    for _, group in cells.groupby("panel", sort=False):
        if group[x].nunique() > MOST_VALUES:
            classes = pd.qcut(group[x], MOST_VALUES - 1, labels=False, duplicates="drop")
            group = group.assign(**{x: group.groupby(classes)[x].transform("median")})
        parts.append(group)
    return pd.concat(parts) if parts else cells
