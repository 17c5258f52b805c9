"""Power curves of one question against one amount, of like cells: what a report's figure shows, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlab.statistics.amounts import amount, classed, finite
from simlab.statistics.intervals import mean_interval, means_by_subject
from simlab.statistics.matching import comparable, held, with_settings
from simlab.statistics.power import data_for_recovery, power_curve
from simlab.statistics.summaries import error_metric_of, headline_of
from simlab.statistics.verdicts import BLIND, counted, recovered, stand_in, subject_of

if TYPE_CHECKING:
    import pandas as pd

MOST_CIRCUITS = 6
BUDGETS = ("budget_perturbations", "budget_interventions")
"""Amounts that are delivered by a stimulator."""

LUCK = 1.5
"""Numbers of units that differ by a smaller factor are those of one instrument in several subjects."""


@dataclass(frozen=True)
class Power:
    """Curves of one question against one amount, and how much of it the target recovery takes."""

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

    board: the leaderboard, for each method's ceiling. Errors and abstentions count as in `power_curve`.
    """
    cells = _like_cells(table[(table["question"] == question) & (table["role"] == "circuit")], x)
    if cells.empty:
        return None
    sizes = cells["n_neurons"].dropna().unique()
    if x == "n_units" and len(sizes) == 1:
        label += f" (of {sizes[0]:g} neurons)"
    blind = cells[cells["method"].isin(BLIND)]
    cells = cells[~stand_in(cells)]
    curve = power_curve(cells, x, by=("panel", "line"))
    metric = headline_of(question)
    blind_recovery = blind.assign(right=recovered(blind)).groupby(["panel", "method"])["right"].mean()
    ceilings = board[board["question"] == question].set_index("method_label")
    return Power(
        x,
        label,
        metric,
        curve.merge(values(cells, metric, ["panel", "line", x]), "left", on=["panel", "line", x]),
        _levels(cells.groupby("panel")[f"chance_{metric}"].mean()) if f"chance_{metric}" in cells else {},
        _levels(blind_recovery.groupby("panel").max()),
        _levels(ceilings["ceiling"]),
        _levels(ceilings["ceiling_recovery"]),
        data_for_recovery(curve, target).to_dict("records"),
        held(cells),
    )


@dataclass(frozen=True)
class FalseClaims:
    """The false share of what methods decide against the minutes recorded, beside the rates that they state."""

    metric: str
    curves: pd.DataFrame  # panel, line, minutes, value and its interval
    stated: tuple[float, ...]  # the methods' `alpha`, each once
    held: str  # what was the same in all cells


def false_claims(table: pd.DataFrame, question: str) -> FalseClaims | None:
    """Realised against stated error rates over minutes; None where no minutes vary or the question has no such metric.

    Means over answers, of which one that decides on nothing counts 0: realised false discovery rates as defined by
    Benjamini & Hochberg (1995).
    """
    metric = error_metric_of(question)
    if not metric or metric not in table:
        return None
    cells = table[(table["question"] == question) & (table["role"] == "circuit") & ~stand_in(table)]
    cells = _like_cells(cells, "minutes") if len(cells) else cells
    if cells.empty:
        return None
    curves = values(cells, metric, ["panel", "line", "minutes"])
    stated = tuple(sorted(set(cells["stated_rate"].dropna())))
    return FalseClaims(metric, curves, stated, held(cells)) if len(curves) else None


def _like_cells(cells: pd.DataFrame, x: str) -> pd.DataFrame:
    """The cells that may be compared across `x`, with their `panel`, `line` and amount."""
    cells = with_settings(cells)
    cells = cells.assign(panel=_panels(cells, x), line=cells["method_label"])
    cells = cells.assign(**{x: finite(amount(cells, x))})
    cells = comparable(classed(cells[cells[x].notna()], x), x, ["panel", "line"])
    return cells[cells["panel"].isin(_telling(cells[~stand_in(cells)], x))]


def _telling(cells: pd.DataFrame, x: str) -> pd.Index:
    """The panels in which `x` varies: more than an instrument's luck in units, and not as their mirror image."""
    panels = cells.groupby("panel")
    if x == "hidden_fraction":
        return panels.size().index[panels["n_neurons"].nunique() > 1]
    spread = panels[x].max() / panels[x].min().where(lambda least: least > 0)
    wide = (spread >= LUCK) | spread.isna() if x == "n_units" else True
    return panels.size().index[(panels[x].nunique() > 1) & wide]


def _panels(cells: pd.DataFrame, x: str) -> pd.Series:
    """A panel for each instrument, or each circuit if there is one instrument; pulses also by what delivers them.

    Of more than `MOST_CIRCUITS` circuits, one panel for all: each method in the circuits that met most amounts.
    """
    panel = cells["instrument" if cells["instrument"].nunique() > 1 else "circuit_label"].astype(str)
    if cells["instrument"].nunique() == 1 and panel.nunique() > MOST_CIRCUITS:
        panel = panel.mask(panel != "", f"all {panel.nunique()} circuits")
    stimulated = cells["stimulator_label"].astype(str)
    several = stimulated[stimulated != ""].nunique() > 1
    return panel + " · " + stimulated if x in BUDGETS and several else panel


def values(cells: pd.DataFrame, metric: str, by: list[str]) -> pd.DataFrame:
    """Mean of the metric in each group, with its bootstrap interval over subjects: value, value_low, value_high.

    Empty where the metric is just whether the cell recovered: it says nothing new.
    """
    import pandas as pd

    columns = [*by, "value", "value_low", "value_high"]
    narrow = cells.assign(_value=counted(cells, metric if metric in cells else "recovered"), _subject=subject_of(cells))
    narrow = narrow.dropna(subset="_value")
    if metric not in cells or (narrow["_value"] == recovered(narrow)).all():
        return pd.DataFrame(columns=columns).astype(dict.fromkeys([by[-1], *columns[-3:]], float))
    narrow = narrow[[*by, "_subject", "_value"]]
    rows = []
    for keys, group in narrow.groupby(by):
        told = group["_value"].to_numpy(), group["_subject"].to_numpy()
        rows.append((*keys, means_by_subject(*told).mean(), *mean_interval(*told)))
    return pd.DataFrame(rows, columns=columns)


def _levels(series: pd.Series) -> dict[str, float]:
    return {str(name): float(value) for name, value in series.items()}
