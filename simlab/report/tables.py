"""The numbers of the report: what of the results goes into which table or figure. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.report.figures import plain_number
from simlab.statistics.matching import comparable, held, with_settings
from simlab.statistics.verdicts import fooled, recovered

if TYPE_CHECKING:
    import pandas as pd

AMOUNTS = {
    "n_units": "recorded units",
    "seconds": "recording of each subject [s]",
    "hidden_fraction": "hidden fraction of the network",
    "budget_perturbations": "perturbed trials allowed",
}
"""Amounts that a power curve may run over, and how their axis is called."""

MOST_VALUES = 6
"""An amount that takes more values than this, since an instrument draws it, is pooled into this many classes."""


LUCK = 1.5
"""Numbers of units that differ by a smaller factor are those of one instrument in several subjects."""
FEWEST = 5
"""A share of fewer answers than this is not drawn."""


def baseline(method: str) -> bool:
    """Whether this is a stand-in that may see the truth, not a method."""
    return method.startswith("baseline:")


def short(method_label: str) -> str:
    """A baseline's kind alone; a method's label as it is."""
    return method_label.removeprefix("baseline:").replace("_", " ") if baseline(method_label) else method_label


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dictionaries by column name."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def levels(series: pd.Series) -> dict[str, float]:
    """A series as a dictionary of floats by its index."""
    return {str(name): float(value) for name, value in series.items()}


def leaders(board: pd.DataFrame, question: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Methods and baselines of one question, best first, as the leaderboard's rows."""
    rows = records(board[board["question"] == question].assign(label=lambda b: b["method_label"].map(short)))
    return [r for r in rows if not baseline(r["method"])], [r for r in rows if baseline(r["method"])]


@dataclass(frozen=True)
class Heat:
    """A map of rates: methods in rows, whatever they met in columns, and the number behind each rate."""

    values: pd.DataFrame
    counts: pd.DataFrame
    held: str  # what was the same in all cells

    def worth_showing(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.values.notna().to_numpy().any())


def heat(table: pd.DataFrame, question: str, across: str, value: str, count: str, order: Sequence[str]) -> Heat:
    """`value` of `summarise` for each method (row, in this order) on each value of the column `across`.

    Each method in the settings in which it met most of these values, so that like is compared with like.
    """
    from simlab.statistics import summarise

    cells = table[(table["question"] == question) & (table["role"] != "ceiling")]
    if value == "recovery" and across == "circuit_label":  # where the question can be asked of a rival, it counts too
        cells = cells[cells["recovered"].notna() | (cells["role"] == "circuit")].assign(role="circuit")
    role = "rival" if value == "false_recovery" else "circuit"
    cells = cells[cells["role"] == role]
    cells = comparable(with_settings(cells), across, ["method_label"])
    summary = summarise(cells, [across, "method_label"])
    maps = []
    for name in (value, count):
        wide = summary.pivot(index="method_label", columns=across, values=name) if len(summary) else summary
        wide = wide.reindex([label for label in order if label in wide.index])
        maps.append(wide)
    values, counts = maps
    kept = values.columns[values.notna().any()]
    same = held(cells[~cells["method"].map(baseline)]) if len(cells) else ""
    return Heat(values[kept].rename(index=short), counts[kept].rename(index=short).fillna(0), same)


def swept(table: pd.DataFrame) -> dict[str, str]:
    """Amounts that vary among the cells that give recovery, and their axis labels."""
    from simlab.statistics.power import amount

    cells = table[(table["role"] == "circuit") & ~table["method"].map(baseline)]
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


@dataclass(frozen=True)
class Power:
    """Curves of one question against one amount, and what `TARGET` recovery costs of it."""

    x: str
    label: str
    metric: str
    curves: pd.DataFrame  # panel, line, x, recovery, value and their intervals
    chance: dict[str, float]  # panel -> analytic chance of the metric
    blind: dict[str, float]  # panel -> recovery of the better blind baseline
    ceiling: dict[str, float]  # line -> metric
    ceiling_recovery: dict[str, float]  # line -> recovery
    needed: list[dict[str, Any]]
    held: str  # what was the same in all cells


def power(table: pd.DataFrame, board: pd.DataFrame, question: str, x: str, label: str, target: float) -> Power | None:
    """Recovery and headline metric against the amount `x`, by instrument and method; None where nothing varies.

    board: the leaderboard, for each method's ceiling.
    """
    from simlab.statistics.power import amount, data_for_recovery, power_curve

    cells = with_settings(table[(table["question"] == question) & (table["role"] == "circuit")])
    cells = cells.assign(panel=_panels(cells, x), line=cells["method_label"].map(short))
    cells = cells.assign(**{x: finite(amount(cells, x))})
    cells = _classed(cells[cells[x].notna()], x)
    if cells.empty:
        return None
    cells = comparable(cells, x, ["panel", "line"])
    cells = cells[cells["panel"].isin(_telling(cells[~cells["method"].map(baseline)], x))]
    if cells.empty:
        return None
    sizes = cells["n_neurons"].dropna().unique()
    if x == "n_units" and len(sizes) == 1:
        label += f" (of {plain_number(float(sizes[0]))} neurons)"
    blind = cells[cells["method"].isin(["baseline:random", "baseline:marginals_only"])]
    cells = cells[~cells["method"].map(baseline)]
    curve = power_curve(cells, x, by=("panel", "line"))
    metric = headline_of(question)
    blind_recovery = blind.assign(right=recovered(blind)).groupby(["panel", "method"])["right"].mean()
    ceilings = board[board["question"] == question]
    ceilings = ceilings.set_index(ceilings["method_label"].map(short))
    return Power(
        x,
        label,
        metric,
        curve.merge(_values(cells, metric, ["panel", "line", x]), "left", on=["panel", "line", x]),
        levels(cells.groupby("panel")[f"chance_{metric}"].mean()) if f"chance_{metric}" in cells else {},
        levels(blind_recovery.groupby("panel").max()),
        levels(ceilings["ceiling"]),
        levels(ceilings["ceiling_recovery"]),
        records(data_for_recovery(curve, target)),
        held(cells),
    )


def _telling(cells: pd.DataFrame, x: str) -> pd.Index:
    """The panels in which `x` varies: more than an instrument's luck in units, and not as their mirror image."""
    panels = cells.groupby("panel")
    if x == "hidden_fraction":
        return panels.size().index[panels["n_neurons"].nunique() > 1]
    spread = panels[x].max() / panels[x].min().where(lambda least: least > 0)
    wide = (spread >= LUCK) | spread.isna() if x == "n_units" else True
    return panels.size().index[(panels[x].nunique() > 1) & wide]


def _panels(cells: pd.DataFrame, x: str) -> pd.Series:
    """A panel for each instrument, or each circuit if there is one instrument; pulses also by what delivers them."""
    panel = cells["instrument" if cells["instrument"].nunique() > 1 else "circuit_label"].astype(str)
    stimulated = cells["stimulator_label"].astype(str)
    several = stimulated[stimulated != ""].nunique() > 1
    return panel + " · " + stimulated if x == "budget_perturbations" and several else panel


def headline_of(question: str) -> str:
    """The metric that stands for a question."""
    from simlab.registry import get

    return str(get("questions", question).headline)


def _values(cells: pd.DataFrame, metric: str, by: list[str]) -> pd.DataFrame:
    """Mean of the metric in each group, with its bootstrap interval over subjects: value, value_low, value_high.

    Empty where the metric is just whether the cell recovered: it says nothing new.
    """
    import pandas as pd

    from simlab.statistics.intervals import bootstrap
    from simlab.statistics.verdicts import subject_of

    columns = [*by, "value", "value_low", "value_high"]
    told = cells[(cells["status"] == "ok") & cells.get(metric, cells["recovered"]).notna()]
    if metric not in told or (told[metric] == told["recovered"]).all():
        return pd.DataFrame(columns=columns).astype(dict.fromkeys([by[-1], *columns[-3:]], float))
    narrow = told[[*by, metric]].assign(subject=subject_of(told))
    means = narrow.groupby([*by, "subject"])[metric].mean()
    rows = []
    for keys, values in means.groupby(by):
        low, high = bootstrap(values.to_numpy(), n=500)
        rows.append((*keys, values.mean(), low, high))
    return pd.DataFrame(rows, columns=columns)


def _classed(cells: pd.DataFrame, x: str) -> pd.DataFrame:
    """An amount of many values replaced, within each panel, by the median of its quantile class."""
    import pandas as pd

    parts = []
    for _, group in cells.groupby("panel", sort=False):
        if group[x].nunique() > MOST_VALUES:
            classes = pd.qcut(group[x], MOST_VALUES - 1, labels=False, duplicates="drop")
            group = group.assign(**{x: group.groupby(classes)[x].transform("median")})
        parts.append(group)
    return pd.concat(parts) if parts else cells


def failures(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Errors, exhausted budgets and abstentions: how many cells of which methods on what, for each reason."""
    bad = table[table["status"] != "ok"].assign(reason=lambda t: t["reason"].fillna("").map(str))
    rank = {"error": 0, "over_budget": 1, "abstained": 2}
    rows = []
    for (status, method, reason), group in bad.groupby(["status", "method_label", "reason"], sort=False):
        rows.append(
            {
                "status": status,
                "method": short(str(method)),
                "reason": reason or "no reason given",
                "n": len(group),
                "circuits": sorted(set(group["circuit_label"].map(str))),
                "instruments": sorted(set(group["instrument_label"].map(str))),
            }
        )
    return sorted(rows, key=lambda row: (rank.get(str(row["status"]), 3), -row["n"], row["method"], row["reason"]))


def notable_cells(table: pd.DataFrame, question: str, headline: str) -> list[tuple[str, dict[str, Any]]]:
    """Cells whose matrices are worth seeing: each kind of case, and its cells from the clearest example on."""
    cells = table[(table["question"] == question) & (table["status"] == "ok") & ~table["method"].map(baseline)]
    if headline not in cells:
        return []
    answered = cells[(cells["role"] == "circuit") & cells[headline].notna()]
    answered = answered.sort_values(headline, kind="stable")
    misled = cells[fooled(cells) == 1]
    best = answered.iloc[::-1]
    middle = answered.iloc[np.argsort(np.abs(np.arange(len(answered)) - len(answered) // 2), kind="stable")]
    cases = {"best": best, "median": middle, "worst": answered, "false recovery on a rival": misled}
    return [(case, row) for case, group in cases.items() for row in records(group.head(400))]
