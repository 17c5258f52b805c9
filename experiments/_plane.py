"""The plane of prediction and mechanism: what a run says of it, and its picture."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.prediction_and_mechanism import KINDS, NAMES, PREDICTION
from simlab.fingerprint import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLOURS = {True: "#0b6e4f", False: "#9aa1a9"}
COLUMNS = ("subject", "model", "method", "predicts", "first", "shares", "n")


def plane(results: Any) -> pd.DataFrame:
    """One row for each kind of cells, model and method of a run of `prediction_and_mechanism`.

    predicts: how well the model predicts these cells, the mean over animals of the median held-out correlation of
    `model_predictivity`; NaN without such rows. first: the share of animals in which the method puts it first, ties
    shared out; shares: whether it has their mechanism; n: animals.
    """
    import pandas as pd

    kinds = {label(circuit): name for name, circuit in KINDS.items()}
    rows = []
    for line, estimate, truth in results.answers("model_choice"):
        if line["circuit_label"] not in kinds or line["method"].startswith("baseline"):
            continue
        score = np.asarray(estimate["score"], dtype=float)
        best = (score == score.max()) / (score == score.max()).sum()
        for name, value, first, shares in zip(NAMES, score, best, truth["right"].values, strict=True):
            row = (kinds[line["circuit_label"]], name, line["method_label"], value, first, bool(shares))
            rows.append(dict(zip(("subject", "model", "method", "score", "first", "shares"), row, strict=True)))
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.DataFrame(rows)
    keys = ["subject", "model", "method"]
    found = table.groupby(keys, sort=False).agg(
        first=("first", "mean"), shares=("shares", "first"), n=("first", "size")
    )
    mine = table[table["method"] == label(PREDICTION)].groupby(keys[:2])["score"].mean().rename("predicts")
    return found.reset_index().join(mine, on=keys[:2])[list(COLUMNS)]


def right(table: pd.DataFrame) -> pd.Series:
    """By method, of a plane: the share of animals in which the model that shares the mechanism is first."""
    return table[table["shares"]].groupby("method")["first"].mean().sort_values(ascending=False, kind="stable")


def draw(table: pd.DataFrame, columns: int = 4) -> Figure:
    """A panel for each method, the one most often right first: every model of every kind of cells is a dot.

    Across: how well it predicts; upwards: how often it is chosen. Filled: it shares the mechanism. A way to choose that
    finds it has all filled dots at the top and all hollow ones at the bottom, wherever they lie from left to right.
    """
    from matplotlib.figure import Figure

    order = right(table)
    rows = -(-len(order) // columns)
    figure = Figure(figsize=(2.3 * columns, 2.2 * rows + 0.8), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for panel in axes.flat[len(order) :]:
        panel.set_axis_off()
    for panel, (method, often) in zip(axes.flat, order.items(), strict=False):
        _panel(panel, table[table["method"] == method])
        panel.set_title(f"{fill(method.replace('(', ' ('), 28)}\nright in {often:.0%}", fontsize=8)
    for name, shares in (("has the cells' mechanism", True), ("has another", False)):
        face = COLOURS[True] if shares else "none"
        axes[0, 0].scatter([], [], s=26, facecolors=face, edgecolors=COLOURS[shares], linewidths=1.2, label=name)
    most = int(table["n"].max())
    title = f"each dot a model of one kind of cells, {most} animals"
    figure.legend(loc="outside upper right", ncols=2, fontsize=8, frameon=False, title=title, title_fontsize=8)
    figure.supxlabel("how well the model predicts (median held-out correlation)", fontsize=9)
    figure.supylabel("how often it is chosen", fontsize=9)
    return figure


def _panel(panel: Any, dots: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)  # dots at 0 and 1 lie on one another: a little apart they can be counted
    for shares, part in dots.groupby("shares"):
        height = part["first"] + rng.uniform(-0.025, 0.025, len(part))
        face = COLOURS[True] if shares else "none"
        panel.scatter(part["predicts"], height, s=26, facecolors=face, edgecolors=COLOURS[bool(shares)], linewidths=1.2)
    panel.axhline(1 / len(NAMES), color="#c9ced3", linewidth=0.8, linestyle="--", zorder=0)
    panel.set_ylim(-0.07, 1.07)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
