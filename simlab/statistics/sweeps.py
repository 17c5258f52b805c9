"""What varies in a run, whatever it is: a parameter of a circuit, an instrument, a stimulator or a method, the plan,
a budget, or the parts themselves; and what else makes up the setting in which it was swept."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from simlab.contracts import SimlabError
from simlab.statistics.amounts import DERIVED, amount
from simlab.statistics.matching import with_settings
from simlab.statistics.verdicts import stand_in

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("circuit", "instrument", "stimulator", "method")

WORDS = {
    "trials": "trials",
    "duration": "length of a trial [s]",
    "seconds": "recording of each subject [s]",
    "minutes": "recording of each subject [min]",
    "n_units": "recorded units",
    "hidden_fraction": "hidden fraction of the network",
    "budget_trials": "trials allowed",
    "budget_seconds": "recording allowed [s]",
    "budget_perturbations": "perturbed trials allowed",
    "budget_interventions": "different interventions allowed",
}
"""What varies beside parts and their parameters, as its axis calls it."""

TIES = {
    "seconds": ("plan",),
    "minutes": ("plan",),
    "budget_trials": ("plan", "budget"),
    "budget_seconds": ("plan", "budget"),
    "budget_perturbations": ("pulses",),
    "budget_interventions": ("interventions",),
    "n_units": ("instrument.",),
    "hidden_fraction": ("circuit.", "instrument."),
}
"""What changes along with an amount by its nature: parts, words of the budget, or (with a dot) just parameters."""


def varying(table: pd.DataFrame) -> list[str]:
    """The names of all that takes several values among the methods' cells, ceilings left out."""
    cells = as_imitated(table[(table["role"] != "ceiling") & ~stand_in(table)])
    columns = [name for name in map(str, cells.columns) if name.partition(".")[0] in PARTS and "." in name]
    names = [*WORDS, *columns, *(f"{part}{ending}" for part in PARTS[:3] for ending in ("", "_label"))]
    return [name for name in names if _known(cells, name) and _readable(amount(cells, name)).nunique() > 1]


def values_of(table: pd.DataFrame, name: str) -> pd.Series:
    """What each cell has of this column or derived amount; SimlabError, with what varies, where there is none."""
    if not _known(table, name):
        found = varying(table)
        close = get_close_matches(name, [*found, *map(str, table.columns)], n=1, cutoff=0.5)
        close = close or [other for other in found if other.partition(".")[2] == name]
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise SimlabError(
            f"nothing called {name!r} varies in this run: {hint}what varies is {', '.join(found) or 'nothing'}"
        )
    return _readable(amount(as_imitated(table), name))


def _known(table: pd.DataFrame, name: str) -> bool:
    needed = {"hidden_fraction": "n_neurons", "seconds": "trials", "minutes": "trials"}.get(name, name)
    return needed in table and (name in DERIVED or name in table)


def _readable(values: pd.Series) -> pd.Series:
    """Numbers as floats, infinite ones (an unlimited budget) as NaN; anything else as text, "" as NaN."""
    import pandas as pd

    known = values.dropna()
    if known.map(lambda v: isinstance(v, int | float) and not isinstance(v, bool)).all():
        numbers = pd.to_numeric(values).astype(float)
        return numbers.where(numbers.abs() != float("inf"))
    return values.map(lambda v: str(v) if v == v and v is not None and v != "" else None).astype(object)


def as_imitated(table: pd.DataFrame) -> pd.DataFrame:
    """The table with each rival's circuit, and its parameters, those of the circuit that it imitates, where it does.

    So a rival stands where its circuit stands: one that was matched to a circuit of 200 neurons is its rival at 200.
    """
    if "twin" not in table or "circuit_label" not in table:
        return table
    columns = ["circuit", *(name for name in map(str, table.columns) if name.startswith("circuit."))]
    own = table[table["role"] == "circuit"].drop_duplicates("circuit_label").set_index("circuit_label")
    imitates = table["role"].eq("rival") & table["twin"].isin(own.index)
    if not imitates.any():
        return table
    twins = table.loc[imitates, "twin"]
    changed = {}
    for name in columns:
        values = table[name].astype(object)
        values[imitates] = own[name].astype(object).reindex(twins).to_numpy()
        changed[name] = values
    return table.assign(**changed, circuit_label=table["circuit_label"].where(~imitates, table["twin"]))


def settings(table: pd.DataFrame, over: str) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """The table with all that makes up a setting as text, and the names of these columns, by part.

    over: what is swept, and so is no part of the setting, nor what changes along with it by its nature (see `TIES`).
    A method's parameters are not among them: they tell lines apart.
    """
    cells = with_settings(table)
    told = as_imitated(cells)
    parts = {"plan": {name: cells[name] for name in ("trials", "duration")}}
    for part in PARTS[:3]:
        names = [part, *(name for name in map(str, cells.columns) if name.startswith(f"{part}."))]
        parts[part] = {name: told[name] for name in names if name in told}
    parts["circuit"]["rival"] = cells["circuit"].where(cells["role"] == "rival", "")
    budget = {name: cells[name] for name in ("pulses", "interventions")}
    parts |= {"budget": budget, "subject": {"subject": cells["subject"]}}
    columns: dict[str, pd.Series] = {}
    kept: dict[str, list[str]] = {}
    for part, found in parts.items():
        names = [name for name in found if not _tied(over, part, name)]
        columns |= {f"_is_{name}": found[name].map(str) for name in names}
        kept[part] = [f"_is_{name}" for name in names]
    return cells.assign(**columns), kept


def _tied(over: str, part: str, name: str) -> bool:
    ties = TIES.get(over, ())
    if over.removesuffix("_label") == part or part in ties or name in (over, *ties):
        return True
    return "." in name and f"{part}." in ties


def label_of(over: str, unit: str = "") -> str:
    """How the axis of a sweep is called."""
    if over in WORDS:
        return WORDS[over]
    part, _, parameter = over.partition(".")
    words = f"{part}: {parameter.replace('_', ' ')}" if parameter else part.removesuffix("_label")
    return f"{words} [{unit}]" if unit else words
