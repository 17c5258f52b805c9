"""Figures of an experiment's results: power curves and calibration; at most eight lines of a chart have a colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.report import panels
from simlab.report.figures import MUTED, line_look, log_axis, new_figure, plain_number, styled
from simlab.report.words import shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TARGET = 0.8
"""The recovery rate whose price in data is asked."""


@dataclass(frozen=True)
class Row:
    """One row of a power figure: a measure with its interval columns, and where chance and the ceiling lie."""

    column: str  # of the curves; `<column>_low` and `<column>_high` hold its interval
    label: str
    chance: Mapping[str, float] = field(default_factory=dict)  # panel -> level
    ceiling: Mapping[str, float] = field(default_factory=dict)  # line -> level
    target: float | None = None
    stated: tuple[float, ...] = ()  # error rates that the methods promise


MOST_COLOURED = 8
"""Lines of a chart that have a colour; the rest are grey."""
MOST_PANELS = 6
GREY = "#c3cad1"


@styled
def power_figure(
    curves: pd.DataFrame, x: str, x_label: str, rows: Sequence[Row], lines: Sequence[str]
) -> tuple[Figure, str]:
    """Measures against an amount: a column of panels for each `panel`, a line for each of `lines`; what is left out.

    The first eight lines have a colour, a marker and their intervals; all others are grey.
    """
    everything = list(dict.fromkeys(map(str, curves["panel"])))
    names, beyond = everything[:MOST_PANELS], everything[MOST_PANELS:]
    coloured = list(lines[:MOST_COLOURED])
    entries = len(coloured) + (len(lines) > MOST_COLOURED)
    width = max(10.0 if len(names) > 2 else 7.5, 2.0 * len(names))
    columns = max(1, min(entries, LEGEND_COLUMNS, int(width / LEGEND_WIDTH)))
    height = 2.35 * len(rows) + 0.2 * -(-entries // columns) + 0.4
    figure = new_figure(width, height)
    axes = figure.subplots(len(rows), len(names), sharex=True, sharey="row", squeeze=False)
    values = np.unique(curves[x].to_numpy(dtype=float))
    panels_of = {str(name): own for name, own in curves.groupby("panel")}
    for row, measure in zip(axes, rows, strict=True):
        for panel, name in zip(row, names, strict=True):
            _power_panel(panel, panels_of[name], x, measure, lines, measure.chance.get(name))
        row[0].set_ylabel(measure.label)
        _margin(row[-1], measure, coloured, measure.chance.get(names[-1], np.nan))
    for panel, name in zip(axes[0], names, strict=True):
        panel.set_title(fill(shortened(name, 50), 26))
    for panel in axes[-1]:
        _amounts(panel, values)
        panel.set_xlabel(x_label)
    _legend(figure, axes[0, 0], lines, loc="outside lower center", ncols=columns)
    return figure, ", ".join(shortened(name) for name in beyond)


LEGEND_COLUMNS = 4
LEGEND_WIDTH = 2.4
"""Of one of its columns [in], of 34 letters."""


def _legend(figure: Figure, axes: Axes, lines: Sequence[str], **place: Any) -> None:
    """Names of the coloured lines, and how many are grey."""
    handles = [axes.plot([], [], label=shortened(line, 34), **line_look(i))[0] for i, line in _coloured(lines)]
    if len(lines) > MOST_COLOURED:
        handles += axes.plot([], [], color=GREY, label=f"{len(lines) - MOST_COLOURED} others")
    figure.legend(handles=handles, handlelength=3.2, **place)


def _coloured(lines: Sequence[str]) -> list[tuple[int, str]]:
    return list(enumerate(lines[:MOST_COLOURED]))


def _grey(axes: Axes, curves: list[np.ndarray]) -> None:
    """Lines (point, 2) behind all others, in one grey."""
    from matplotlib.collections import LineCollection

    axes.add_collection(LineCollection(curves, colors=GREY, linewidths=0.8, zorder=0.5))
    axes.autoscale_view()


def _amounts(axes: Axes, values: np.ndarray) -> None:
    """Logarithmic where the amounts span more than a factor of four; ticks at the amounts, as far as they fit."""
    apart = bool((values[1:] >= 1.25 * values[:-1]).all()) if values[0] > 0 else True
    few = len(values) <= 5 and apart
    if values[0] > 0 and values[-1] / values[0] > 4:
        log_axis(axes, "x", values.tolist() if few else panels.decades(float(values[0]), float(values[-1])))
        axes.set_xlim(values[0] / 1.25, values[-1] * 1.25)
    elif few:
        axes.set_xticks(values, [plain_number(v) for v in values])


def _power_panel(
    axes: Axes, curves: pd.DataFrame, x: str, measure: Row, lines: Sequence[str], chance: float | None
) -> None:
    column = measure.column
    known = curves.dropna(subset=[column]).sort_values(x)
    own = {str(line): curve for line, curve in known.groupby("line")}
    _grey(axes, [own[line][[x, column]].to_numpy(dtype=float) for line in lines[MOST_COLOURED:] if line in own])
    n = min(len(lines), MOST_COLOURED)
    for i, line in _coloured(lines):
        if line not in own:
            continue
        curve, shift = own[line], (i - (n - 1) / 2) / max(n, 2)
        where = curve[x].to_numpy(dtype=float) * (1 + 0.07 * shift)
        middle = curve[column].to_numpy(dtype=float)
        limits = curve[[f"{column}_low", f"{column}_high"]].to_numpy(dtype=float).T
        ends = np.nan_to_num(np.abs(limits - middle))
        axes.errorbar(where, middle, yerr=ends, markersize=3.6, elinewidth=0.8, capsize=0, **line_look(i))
    if measure.target is not None:
        axes.axhline(measure.target, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)
    for level in measure.stated:
        axes.axhline(level, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    if chance is not None and np.isfinite(chance):
        axes.axhline(chance, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -0.04), max(high, 1.04))


def _margin(axes: Axes, measure: Row, lines: Sequence[str], chance: float) -> None:
    """Outside the right edge: a tick at each line's ceiling, and the names of the levels that cross the panels."""
    across = axes.get_yaxis_transform()
    words: dict[str, Any] = {"transform": across, "fontsize": 6.5, "color": MUTED}
    known = {i: measure.ceiling[line] for i, line in enumerate(lines) if np.isfinite(measure.ceiling.get(line, np.nan))}
    for i, level in known.items():
        left = 1.03 + 0.03 * (i % 3)
        axes.plot([left, left + 0.04], [level, level], color=line_look(i)["color"], linewidth=2.2, clip_on=False,
                  transform=across, solid_capstyle="butt")  # fmt: skip
    if known:
        axes.text(1.03, 1.06, "ceiling", va="bottom", **words)
    if np.isfinite(chance):
        axes.text(1.03, chance, "chance", va="center", **words)
    if measure.target is not None:
        axes.text(1.03, measure.target, f"{measure.target:.0%}", va="center", **words)
    for level in measure.stated:
        axes.text(1.03, level, f"stated\n{level:.0%}", va="center", **words)


@styled
def calibration_figure(points: pd.DataFrame, lines: Sequence[str]) -> Figure:
    """Stated confidence against how often the answer was right, for each of `lines`: an honest one is on the diagonal.

    points: line, confidence, recovery, recovery_low, recovery_high, n. The first eight lines have a colour.
    """
    figure = new_figure(6.6, 3.4)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    own = {str(line): curve for line, curve in points.groupby("line")}
    _grey(axes, [own[line][["confidence", "recovery"]].to_numpy(dtype=float) for line in lines[MOST_COLOURED:]])
    for i, line in _coloured(lines):
        curve = own[line]
        middle = curve["recovery"].to_numpy()
        ends = np.abs(np.stack([middle - curve["recovery_low"], curve["recovery_high"] - middle]))
        axes.errorbar(curve["confidence"].to_numpy(), middle, yerr=ends, markersize=4, elinewidth=0.8, **line_look(i))
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes.set(xlabel="stated confidence", ylabel="share of answers that were right")
    axes.text(0.97, 0.03, "dashed: as stated", color=MUTED, fontsize=6.5, ha="right")
    _legend(figure, axes, lines, loc="outside right center")
    return figure
