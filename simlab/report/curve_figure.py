"""One measure against anything that varies, each method a line, on anybody's axes."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.report.figures import MUTED, line_look, log_axis, plain_number, styled
from simlab.rules import require

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COLOURS = 8
"""Lines beyond this many are grey: no eye tells more colours apart."""

GREY = "#b9c0c7"


def draw_curve(curve: pd.DataFrame, over: str, measure: str, ax: Axes | None = None) -> Axes:
    """Draws a `simlab.statistics.sweep_curve` of one question, the best method first; new axes where none are given.

    Raises SimlabError where `ax` is something else than axes.
    """
    require(
        ax is None or callable(getattr(ax, "errorbar", None)),
        f"ax must be matplotlib axes, got {type(ax).__name__}: give one of fig.subplots()",
    )
    if ax is None:
        from matplotlib import pyplot  # so that a notebook shows the figure, as it does those of other libraries

        # Outside of the style: a notebook's backend sets matplotlib to interactive when it makes its first figure, and
        # what a style puts back would put that back too, so that no later figure were shown.
        figure = pyplot.figure(figsize=(6.4, 4.2), layout="constrained", facecolor="white")
        return _drawn(curve, over, measure, figure)
    return _drawn(curve, over, measure, ax)


@styled
def _drawn(curve: pd.DataFrame, over: str, measure: str, place: Figure | Axes) -> Axes:
    """On these axes, or on new ones of this figure."""
    axes = place.subplots() if hasattr(place, "subplots") else place
    lines = list(dict.fromkeys(curve["method_label"]))
    numeric = curve[over].dtype.kind == "f"
    places = np.unique(curve[over]) if numeric else np.arange(curve[over].nunique(), dtype=float)
    names = dict(zip(places if numeric else dict.fromkeys(curve[over]), places, strict=True))
    logarithmic = bool(numeric and places[0] > 0 and places[-1] / places[0] > 4)
    for i, line in reversed(list(enumerate(lines))):  # the best on top
        own = curve[curve["method_label"] == line]
        where = _beside(own[over].map(names).to_numpy(dtype=float), i, len(lines), places, logarithmic)
        _line(axes, own, where, measure, _look(i, joined=numeric))
    _chance(axes, curve.assign(_where=curve[over].map(names)), measure)
    _ceilings(axes, curve, lines)
    _horizontal(axes, places, None if numeric else list(names), logarithmic)
    _frame(axes, curve, measure)
    _legend(axes, curve, lines, joined=numeric)
    return axes


def _look(index: int, *, joined: bool) -> dict[str, Any]:
    look = line_look(index) if index < MOST_COLOURS else {"color": GREY, "marker": ".", "linestyle": "-"}
    return look if joined else look | {"linestyle": "none"}


def _beside(places: np.ndarray, index: int, n: int, all_places: np.ndarray, logarithmic: bool) -> np.ndarray:
    """Places moved a little apart, so that the intervals of several lines do not cover one another."""
    shift = (index - (n - 1) / 2) / max(n, 2)
    if logarithmic:
        return places * (1 + 0.07 * shift)
    gaps = np.diff(all_places)
    return places + 0.15 * shift * (float(gaps.min()) if gaps.size else _alone(places))


def _alone(places: np.ndarray) -> float:
    """A gap beside the only place that there is."""
    return 0.2 * float(np.abs(places).max(initial=0.0)) or 1.0


def _line(axes: Axes, own: pd.DataFrame, where: np.ndarray, measure: str, look: dict[str, Any]) -> None:
    middle = own[measure].to_numpy(dtype=float)
    ends = np.abs(own[[f"{measure}_low", f"{measure}_high"]].to_numpy(dtype=float).T - middle)
    level = 3 if look["color"] != GREY else 2
    axes.plot(where, middle, markersize=0, color=look["color"], linestyle=look["linestyle"], zorder=level,
              linewidth=1.3 if level == 3 else 0.8)  # fmt: skip
    measured = ~np.isnan(ends).any(axis=0)  # an interval that there is not is not drawn as one without width
    if measured.any() and level == 3:
        axes.errorbar(where[measured], middle[measured], yerr=ends[:, measured], fmt="none", ecolor=look["color"],
                      elinewidth=0.8, zorder=level)  # fmt: skip
    silent = (own["answered"] < own["asked"]).to_numpy()
    for chosen, face in ((silent, "white"), (~silent, look["color"])):
        axes.plot(where[chosen], middle[chosen], linestyle="none", marker=look["marker"], color=look["color"],
                  markerfacecolor=face, markersize=4.5 if level == 3 else 3, zorder=level + 0.5)  # fmt: skip


def _chance(axes: Axes, curve: pd.DataFrame, measure: str) -> None:
    """A dashed line; where the methods met different settings, the mean of their chances."""
    level = curve.groupby("_where")["chance"].mean().dropna()
    if len(level):
        axes.plot(level.index, level.to_numpy(), color=MUTED, linestyle=(0, (4, 3)), linewidth=0.9, zorder=1)
        axes.text(level.index[-1], level.iloc[-1], " chance", fontsize=6.5, color=MUTED, va="bottom", ha="right")


def _ceilings(axes: Axes, curve: pd.DataFrame, lines: list[str]) -> None:
    """A tick at the right edge for each coloured line."""
    levels = curve.groupby("method_label")["ceiling"].mean().dropna()
    for i, line in enumerate(lines[:MOST_COLOURS]):
        if line in levels:
            left = 1.0 + 0.02 * (i % 3)  # equal ceilings side by side
            axes.plot([left, left + 0.02], [levels[line]] * 2, transform=axes.get_yaxis_transform(), clip_on=False,
                      color=_look(i, joined=True)["color"], linewidth=2.2, solid_capstyle="butt")  # fmt: skip
    if len(levels):
        axes.text(1.0, 1.01, "ceiling", transform=axes.transAxes, fontsize=6.5, color=MUTED, va="bottom", ha="left")


def _horizontal(axes: Axes, places: np.ndarray, names: list[str] | None, logarithmic: bool) -> None:
    few = len(places) <= 8
    if names is None and len(places) == 1:
        axes.set_xlim(places[0] - _alone(places), places[0] + _alone(places))
    if names is not None:
        axes.set_xticks(places, [fill(str(name).replace("(", " ("), 18) for name in names])
        axes.set_xlim(places[0] - 0.5, places[-1] + 0.5)
    elif logarithmic:
        log_axis(axes, "x", places.tolist() if few else None)
        axes.set_xlim(places[0] / 1.25, places[-1] * 1.25)
    if names is None and few:
        axes.set_xticks(places, [plain_number(v) for v in places])


def _frame(axes: Axes, curve: pd.DataFrame, measure: str) -> None:
    rate = measure in ("recovery", "false_recovery", "abstention")
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -0.04), max(high, 1.04))
    words = measure.replace("_", "-" if measure == "false_recovery" else " ")
    axes.set_xlabel(curve.attrs["label"])
    axes.set_ylabel(f"{words} rate" if rate else words)
    axes.set_title(f"{curve['question'].iloc[0]}: {words.replace('-', ' ')}" if len(curve) else words, loc="left")
    note = fill(curve.attrs["cells"], 110)
    axes.annotate(note, (0, 0), (0, -34 - 8 * (axes.get_xticklabels()[0].get_text().count("\n"))),
                  xycoords="axes fraction", textcoords="offset points", fontsize=6, color=MUTED, va="top")  # fmt: skip


def _legend(axes: Axes, curve: pd.DataFrame, lines: list[str], *, joined: bool) -> None:
    from matplotlib.lines import Line2D

    counts = curve.groupby("method_label")[["answered", "asked"]].sum()
    handles = []
    for i, line in enumerate(lines[:MOST_COLOURS]):
        answered, asked = counts.loc[line]
        handles.append(Line2D([], [], markersize=4.5, label=f"{line} ({answered} of {asked} answered)",
                              **_look(i, joined=joined)))  # fmt: skip
    if len(lines) > MOST_COLOURS:
        others = f"{len(lines) - MOST_COLOURS} others"
        handles.append(Line2D([], [], markersize=3, label=others, **_look(MOST_COLOURS, joined=joined)))
    axes.legend(handles=handles, loc="best", handlelength=2.8, framealpha=0.7)
