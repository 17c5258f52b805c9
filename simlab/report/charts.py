"""Figures of an experiment's results: power curves, heatmaps, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.report import panels
from simlab.report.figures import INK, MUTED, line_look, log_axis, new_figure, plain_number, styled

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


@styled
def power_figure(curves: pd.DataFrame, x: str, x_label: str, rows: Sequence[Row]) -> Figure:
    """Measures against an amount: a column of panels for each `panel`, a line for each `line` of the curves."""
    names = list(dict.fromkeys(curves["panel"]))
    lines = list(dict.fromkeys(curves["line"]))
    legend_rows = -(-len(lines) // 4)
    width, height = max(10.0 if len(names) > 2 else 7.5, 2.0 * len(names)), 2.35 * len(rows) + 0.2 * legend_rows + 0.4
    figure = new_figure(width, height)
    axes = figure.subplots(len(rows), len(names), sharex=True, sharey="row", squeeze=False)
    values = np.unique(curves[x].to_numpy(dtype=float))
    for row, measure in zip(axes, rows, strict=True):
        for panel, name in zip(row, names, strict=True):
            _power_panel(panel, curves[curves["panel"] == name], x, measure, lines, measure.chance.get(name))
        row[0].set_ylabel(measure.label)
        _margin(row[-1], measure, lines, measure.chance.get(names[-1], np.nan))
    for panel, name in zip(axes[0], names, strict=True):
        panel.set_title(fill(name, 26))
    for panel in axes[-1]:
        _amounts(panel, values)
        panel.set_xlabel(x_label)
    handles = [axes[0, 0].plot([], [], label=line, **line_look(i))[0] for i, line in enumerate(lines)]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(lines)), handlelength=3.2)
    return figure


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
    for i, line in enumerate(lines):
        curve = curves[curves["line"] == line].dropna(subset=[column]).sort_values(x)
        if curve.empty:
            continue
        shift = (i - (len(lines) - 1) / 2) / max(len(lines), 2)
        where = curve[x].to_numpy(dtype=float) * (1 + 0.07 * shift)
        middle = curve[column].to_numpy(dtype=float)
        limits = curve[[f"{column}_low", f"{column}_high"]].to_numpy(dtype=float).T
        ends = np.nan_to_num(np.abs(limits - middle))
        axes.errorbar(where, middle, yerr=ends, markersize=3.6, elinewidth=0.8, capsize=0, **line_look(i))
    if measure.target is not None:
        axes.axhline(measure.target, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)
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


@styled
def heat_figure(values: pd.DataFrame, counts: pd.DataFrame, *, bad: bool = False) -> Figure:
    """Rates in 0..1 as a table of colours, each cell with its number and the n behind it; grey where nothing ran.

    bad: a high rate is an error (false recovery), shown in warm colours.
    """
    from matplotlib import colormaps

    n_rows, n_columns = values.shape
    margin = 0.4 + 0.075 * max(len(str(name)) for name in values.index)
    width = min(11.0, margin + 1.3 * n_columns)
    room = max(6, int((width - margin) / n_columns / 0.068))  # characters that a column's head can hold
    names = [fill(str(column).replace("(", " ("), room) for column in values.columns]
    head = 0.14 * max(name.count("\n") + 1 for name in names)
    figure = new_figure(width, 0.25 + head + 0.36 * n_rows)
    axes = figure.subplots()
    colours = colormaps["YlOrRd" if bad else "YlGnBu"].with_extremes(bad="#eceff1")
    table = values.to_numpy(dtype=float)
    axes.imshow(np.ma.masked_invalid(table), cmap=colours, vmin=0, vmax=1.15, aspect="auto")
    for i, j in np.argwhere(np.isfinite(table)):
        ink = "white" if table[i, j] > 0.62 else INK
        axes.text(j, i, f"{table[i, j]:.2f}", ha="center", va="center", color=ink, fontsize=8)
        axes.text(j + 0.47, i + 0.42, f"n {int(counts.iloc[i, j])}", ha="right", va="bottom", color=ink, fontsize=5.5)
    axes.set_xticks(range(n_columns), names)
    axes.set_yticks(range(n_rows), [str(name) for name in values.index])
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(n_columns + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(n_rows + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


@styled
def calibration_figure(points: pd.DataFrame) -> Figure:
    """Stated confidence against how often the answer was right, for each `line`: an honest method lies on the diagonal.

    points: line, confidence, recovery, recovery_low, recovery_high, n.
    """
    lines = list(dict.fromkeys(points["line"]))
    figure = new_figure(6.2, 3.4)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), label="as stated")
    for i, line in enumerate(lines):
        curve = points[points["line"] == line]
        middle = curve["recovery"].to_numpy()
        ends = np.abs(np.stack([middle - curve["recovery_low"], curve["recovery_high"] - middle]))
        where = curve["confidence"].to_numpy()
        axes.errorbar(where, middle, yerr=ends, markersize=4, elinewidth=0.8, label=line, **line_look(i))
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes.set(xlabel="stated confidence", ylabel="share of answers that were right")
    figure.legend(loc="outside right center", handlelength=3.2)
    return figure
