"""What a report says of one question: its leaderboard, maps, power curves, calibration and answers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.registry import question
from simlab.report import charts, tables
from simlab.report.figures import Gallery, Plate, plain_number
from simlab.report.shown_answers import shown
from simlab.statistics import calibration_points

if TYPE_CHECKING:
    import pandas as pd

    from simlab.store.results import Results


@dataclass(frozen=True)
class Curve:
    """A power figure and the table of what the target recovery costs."""

    plate: Plate
    power: tables.Power
    panels: list[str]
    needed: dict[str, dict[str, str]]  # line -> panel -> amount in words


@dataclass(frozen=True)
class QuestionSection:
    """One question's part of the report."""

    name: str
    asks: str
    metric: str
    metric_low: float
    methods: list[dict[str, Any]]
    baselines: list[dict[str, Any]]
    maps: list[Plate] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    calibration: Plate | None = None
    answers: list[Plate] = field(default_factory=list)
    answers_trouble: str = ""


def question_section(results: Results, board: pd.DataFrame, name: str, gallery: Gallery) -> QuestionSection:
    """Everything that the report says of this question, its figures saved in the gallery; board: the leaderboard."""
    table, asked = results.table, question(name, results.spec.questions if results.spec else ())
    methods, baselines = tables.leaders(board, name)
    order = [row["method_label"] for row in (*methods, *baselines)]
    lows = [row[key] for row in (*methods, *baselines) for key in ("value", "value_low", "chance")]
    lows = [low for low in lows if low == low]
    return QuestionSection(
        name,
        (inspect.getdoc(asked) or "").split("\n\n")[0],
        asked.headline,
        min(0.0, np.floor(min(lows, default=0.0) * 10) / 10),
        methods,
        baselines,
        list(_maps(table, name, order, gallery)),
        _curves(table, board, name, gallery),
        _calibration(table, name, gallery),
        *shown(results, asked, order, gallery),
    )


CURVE_CAPTION = (
    "Means and 95% intervals of each method, in the settings that were tried at most of these amounts. Dashed: chance, "
    "which for recovery is what the better blind baseline gets. Ticks at the right: each method's ceiling, with the "
    "perfect instrument and ample data."
)
MOST_COLUMNS = 10
"""A map of more instruments than this shows them by name, their parameters pooled."""


def _maps(table: pd.DataFrame, name: str, order: list[str], gallery: Gallery) -> Iterator[Plate]:
    several = table["instrument_label"].nunique() <= MOST_COLUMNS
    wanted = (
        ("circuit_label", "recovery", "n_answers", "recovery rate on each circuit", False),
        ("circuit_label", "false_recovery", "n_rival", "false-recovery rate on each rival", True),
        (
            "instrument_label" if several else "instrument",
            "recovery",
            "n_answers",
            "recovery rate through each instrument",
            False,
        ),
    )
    for across, value, count, title, bad in wanted:
        heat = tables.heat(table, name, across, value, count, order)
        if heat.worth_showing() and not (across.startswith("instrument") and heat.values.shape[1] < 2):
            figure = charts.heat_figure(heat.values, heat.counts, bad=bad)
            words = f"{name}: {title}"
            caption = f"{title[0].upper()}{title[1:]}. Small: answers behind each. Grey: not tried, or abstained."
            caption += fixed(heat.held)
            yield gallery.add(words, figure, f"Heatmap of the {words}", caption)


def fixed(held: str) -> str:
    """The end of a caption that says what was held fixed."""
    return f" Held fixed: {held}." if held else ""


def _curves(table: pd.DataFrame, board: pd.DataFrame, name: str, gallery: Gallery) -> list[Curve]:
    found = []
    for x, label in tables.swept(table[table["question"] == name]).items():
        power = tables.power(table, board, name, x, label, charts.TARGET)
        if power is not None:
            found.append(_curve(power, name, gallery))
    return found


def _curve(power: tables.Power, name: str, gallery: Gallery) -> Curve:
    rows = [charts.Row("recovery", "recovery rate", power.blind, power.ceiling_recovery, charts.TARGET)]
    if power.curves["value"].notna().any():
        rows.append(charts.Row("value", power.metric, power.chance, power.ceiling))
    figure = charts.power_figure(power.curves, power.x, power.label, rows)
    words = f"{name} against {power.label}"
    plate = gallery.add(
        f"{name} against {power.x}", figure, f"Power curves: {words}", CURVE_CAPTION + fixed(power.held)
    )
    panels = list(dict.fromkeys(row["panel"] for row in power.needed))
    needed: dict[str, dict[str, str]] = {}
    for row in power.needed:
        needed.setdefault(row["line"], {})[row["panel"]] = amount_needed(row)
    return Curve(plate, power, panels, needed)


def amount_needed(row: dict[str, Any]) -> str:
    """An amount of `data_for_recovery` in words, with its interval."""
    if row["verdict"] == "reached":
        return f"{plain_number(row['amount'])} [{plain_number(row['low'])}, {plain_number(row['high'])}]"
    return str(row["verdict"])


def _calibration(table: pd.DataFrame, name: str, gallery: Gallery) -> Plate | None:
    points = calibration_points(table, name)
    if points.empty:
        return None
    alt = f"Reliability of the stated confidences on {name}"
    caption = "How often answers given with a stated confidence were right, over circuits and rivals."
    return gallery.add(f"{name} calibration", charts.calibration_figure(points), alt, caption)
