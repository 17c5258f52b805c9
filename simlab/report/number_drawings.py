"""Answers that are numbers, of units or of whole circuits, against the true ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from simlab.report import agreement
from simlab.report.figures import MUTED, line_look, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COMPARABLE = 8.0
"""Truths and answers whose spans differ by less than this factor share their limits, so that the diagonal is one."""


def scatter(
    groups: Mapping[str, tuple[np.ndarray, np.ndarray]], names: Sequence[str], unit: str, *, jitter: bool
) -> Figure:
    """Answered against true numbers of each group, (item,) each, the identity line, and each group's rank correlation.

    names: of the two axes. unit: of both. jitter: whole numbers are moved apart where they would hide each other.
    """
    shown = {fill(group, 32): _finite(*pair) for group, pair in groups.items()}
    legend_lines = sum(group.count("\n") + 2.6 for group in shown)
    figure = new_figure(6.6, max(3.7, 1.0 + 0.15 * legend_lines))
    axes = figure.subplots()
    points = np.concatenate([np.stack(pair) for pair in shown.values()], axis=1)
    whole = bool(points.size and (points == np.round(points)).all())
    rng = np.random.default_rng(0)
    for i, (group, (true, said)) in enumerate(shown.items()):
        look = line_look(i)
        rank = agreement.stated(agreement.rank_correlation(true, said))
        word = f"{group}\nrank correlation {rank}, n = {len(true)}"
        moved = rng.uniform(-0.16, 0.16, (2, len(true))) * (jitter and whole)
        axes.scatter(true + moved[0], said + moved[1], s=15, color=look["color"], marker=look["marker"], label=word,
                     alpha=0.65, linewidths=0)  # fmt: skip
    _limits(axes, points, 0.5 if jitter and whole else 0.0, whole)
    axes.axline((0, 0), slope=1, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0, label="equal")
    ends = [f"{name} [{unit}]" if unit else name for name in names]
    axes.set(xlabel=ends[0], ylabel=ends[1])
    figure.legend(loc="outside right center", labelspacing=0.8)
    return figure


def _finite(true: np.ndarray, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(true) & np.isfinite(said)
    return true[known], said[known]


def _limits(axes: Axes, points: np.ndarray, room: float, whole: bool) -> None:
    """Common limits where truths and answers are of comparable span, else each axis its own."""
    from matplotlib.ticker import MaxNLocator

    if not points.size:
        return
    low, high = points.min(axis=1), points.max(axis=1)
    spans = np.maximum(high - low, 1e-12)
    if spans.max() / spans.min() < COMPARABLE or whole:
        low, high = np.full(2, low.min()), np.full(2, high.max())
        axes.set_aspect("equal")
    room_each = np.maximum(0.06 * (high - low), room)
    room_each = np.where(high > low, room_each, np.maximum(room_each, 0.1 * np.abs(high) + 1e-6))
    axes.set(xlim=(low[0] - room_each[0], high[0] + room_each[0]), ylim=(low[1] - room_each[1], high[1] + room_each[1]))
    if whole:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True, nbins=8))
