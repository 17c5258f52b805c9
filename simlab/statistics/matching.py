"""Like with like: which cells may be compared across an amount, an instrument or a circuit.

An experiment often sweeps one thing at a time, each in a grid of its own. Pooled over all its grids, a short
recording may only have been made with 20 units and a long one with any number; a curve through such pools would
show the grid, not the method. So each method is compared across a thing only in the settings that met it most widely.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.statistics.grouping import groups

if TYPE_CHECKING:
    import pandas as pd

FACTORS = ("circuit_label", "plan", "instrument_label", "stimulator_label", "pulses", "interventions")
"""What makes up a setting; `plan`, `pulses` and `interventions` are added by `with_settings`."""

TIED = {
    "seconds": "plan",
    "minutes": "plan",
    "n_units": "instrument_label",
    "hidden_fraction": "circuit_label",
    "budget_perturbations": "pulses",
    "budget_interventions": "interventions",
    "instrument": "instrument_label",
}
"""The factor that changes along with an amount by its nature, and so is no part of the setting."""

SETTING = ("role", "circuit_label", "trials", "duration", "instrument_label", "subject")
"""What two methods must have in common for their cells to be alike: role, circuit, plan, instrument, individual."""


def settings_of(cells: pd.DataFrame) -> list[tuple]:
    """The setting of each cell; see `SETTING`."""
    return list(zip(*(cells[name] for name in SETTING if name in cells), strict=True))


def with_settings(table: pd.DataFrame) -> pd.DataFrame:
    """The results with the columns `plan`, `pulses` and `interventions` (what an active method may spend) in words."""
    trials, durations = list(table["trials"]), list(table["duration"])
    plans = {(t, d): f"{t:g} × {d:g} s" for t, d in set(zip(trials, durations, strict=True))}
    plan = [plans[pair] for pair in zip(trials, durations, strict=True)]
    budget = table.get("budget_perturbations", table["trials"] * float("nan"))
    pulses = [
        "" if b != b else "one pulse per trial" if b == t else f"{b:g} pulses"
        for b, t in zip(budget.astype(float), trials, strict=True)
    ]
    stimulator = table["stimulator_label"].fillna("") if "stimulator_label" in table else ""
    limit = table.get("budget_interventions", table["trials"] * float("nan")).astype(float)
    different = ["" if b != b or b == float("inf") else f"{b:g} interventions" for b in limit]
    return table.assign(plan=plan, pulses=pulses, interventions=different, stimulator_label=stimulator)


OF_ONE_HAND = ("stimulator_label", "pulses", "interventions")
"""Factors that only active methods have, and so cannot be shared with the others."""


def comparable(
    cells: pd.DataFrame, across: str, by: list[str], factors: Sequence[str] = (), own: Sequence[str] = OF_ONE_HAND
) -> pd.DataFrame:
    """The cells, of each group of `by`, in those settings that met the largest same set of values of `across`.

    Where a group has several such settings, those in which most of the others are compared are preferred; the last
    name in `by` tells the others apart. cells: as `with_settings` returns them. factors: columns that make up a
    setting, by default those of `FACTORS` that do not change along with `across`; own: those that only some methods
    have.
    """
    if cells.empty:
        return cells
    tied = TIED.get(across, f"{across.partition('.')[0]}_label" if "." in across else across)
    factors = list(factors) or [factor for factor in FACTORS if factor != tied]
    values, own_settings = list(cells[across]), _settings(cells, factors)
    shared_settings = _settings(cells, [factor for factor in factors if factor not in own])
    parts = []
    for block in _blocks(cells, by[:-1]):
        usual = _widest(block, shared_settings, values)
        for group in _blocks(cells.iloc[block], by[-1:]):
            members = block[group]
            widest = _widest(members, own_settings, values)
            chosen = [i for i in members if own_settings[i] in widest]
            parts += [i for i in chosen if shared_settings[i] in usual] or chosen
    return cells.iloc[parts]


def _blocks(cells: pd.DataFrame, by: list[str]) -> list[np.ndarray]:
    """The positions of the cells of each group, as their first cells come."""
    return [own for _, own in groups(cells, by, sort=False, dropna=True)] if by else [np.arange(len(cells))]


def _settings(cells: pd.DataFrame, factors: list[str]) -> list[tuple | None]:
    """The setting of each cell; None where a factor is missing."""
    known = cells[factors].notna().all(axis=1)
    rows = zip(*(cells[factor] for factor in factors), strict=True)
    return [row if complete else None for row, complete in zip(rows, known, strict=True)]


def _widest(cells: np.ndarray, settings: list[tuple | None], values: list[Any]) -> set[tuple]:
    """The settings that met the largest set of values; of several such sets, the one met most often."""
    met: dict[tuple, set[Any]] = {}
    for i in cells:
        if (setting := settings[i]) is not None:
            met.setdefault(setting, set()).add(values[i])
    often = Counter(map(frozenset, met.values()))
    widest = max(often, key=lambda found: (len(found), often[found]))
    return {setting for setting, found in met.items() if found == widest}


def held(cells: pd.DataFrame) -> str:
    """The factors that are the same in all these cells, in words."""
    constant = [str(cells[factor].iloc[0]) for factor in FACTORS if cells[factor].nunique() == 1]
    return ", ".join(value for value in constant if value)
