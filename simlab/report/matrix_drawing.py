"""A graded answer for every pair of units beside its truth, and what of it was claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlab.report import panels
from simlab.report.figures import FAINT, empty, in_unit, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Verdict:
    """What was claimed of each pair, what is so, and whether it was asked: all bool (pre, post)."""

    claimed: np.ndarray
    true: np.ndarray
    asked: np.ndarray


def matrix(
    truth: np.ndarray, answered: np.ndarray, verdict: Verdict | None, names: Sequence[str], unit: str = ""
) -> Figure:
    """Truth [unit], answer and, where there is one, the verdict, all (pre, post); names: of truth, answer and claim.

    Units are in the order of the sign of what they send, so that excitatory ones stand above inhibitory ones.
    """
    order = np.ix_(*[np.lexsort((np.arange(len(truth)), -np.sign(truth.sum(axis=1))))] * 2)
    figure = new_figure(11 if verdict else 7.4, 3.35)
    axes = figure.subplots(1, 3 if verdict else 2)
    if truth.any():
        image = panels.matrix(axes[0], truth[order], title=f"true {names[0]}")
        panels.weight_bar(axes[0], image, truth, in_unit(names[0], unit))
    else:
        empty(axes[0], f"no pair has any true {names[0]}")
    _graded(axes[1], answered[order], names[1])
    if verdict:
        _verdict(axes[2], Verdict(verdict.claimed[order], verdict.true[order], verdict.asked[order]), names[2])
    return figure


def _graded(axes: Axes, values: np.ndarray, name: str) -> None:
    off = values[~np.eye(len(values), dtype=bool)]
    shown = np.where(np.eye(len(values), dtype=bool), np.nan, values)
    low, high = (float(np.percentile(off, q)) for q in (1, 99)) if off.size else (0.0, 1.0)
    image = axes.imshow(shown, cmap="Greys", vmin=low, vmax=max(high, low + 1e-12), interpolation="nearest")
    _frame(axes, len(values), f"answered {name}")
    axes.figure.colorbar(image, ax=axes, shrink=0.6, aspect=24, label=f"{name} [the method's scale]")


def _frame(axes: Axes, n_units: int, title: str) -> None:
    panels.frame_matrix(axes, n_units, title)
    if n_units < 4:  # the tick labels lie where the axes' names would be tucked in
        axes.xaxis.labelpad = axes.yaxis.labelpad = 3


def _verdict(axes: Axes, verdict: Verdict, title: str) -> None:
    """Each pair: found, missed, false, rightly left out, or not asked about."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    off = ~np.eye(len(verdict.true), dtype=bool)
    asked = verdict.asked & off
    kinds = {
        "found": (verdict.true & verdict.claimed & asked, "#0072b2"),
        "missed": (verdict.true & ~verdict.claimed & asked, "#b9d6ea"),
        "false": (~verdict.true & verdict.claimed & asked, "#d55e00"),
    }
    if not verdict.asked[off].all():
        kinds["not asked"] = (off & ~verdict.asked, FAINT)
    code = sum(k * mask for k, (mask, _) in enumerate(kinds.values(), start=1))
    colours = ["white", *(colour for _, colour in kinds.values())]
    axes.imshow(code, cmap=ListedColormap(colours), vmin=0, vmax=len(kinds), interpolation="nearest")
    _frame(axes, len(verdict.true), title)
    patches = [Patch(color=colour, label=f"{word} {int(mask.sum())}") for word, (mask, colour) in kinds.items()]
    axes.legend(handles=patches, loc="center left", bbox_to_anchor=(1.02, 0.5), handlelength=1.0)
