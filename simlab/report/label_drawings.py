"""Answers that are labels: confusion matrices, and partitions of units whose labels carry no meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.report import agreement
from simlab.report.figures import INK, MUTED, PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PER_ROW, WIDEST = 3, 12.0
"""Panels in a row, unless they would be wider together than this [inch]."""
Pairs = tuple[list[str], list[str]]
"""True and answered labels of the same items."""


def confusion(groups: Mapping[str, Pairs], listed: Sequence[str], name: str, counted: str) -> Figure:
    """A panel for each group: how often each label (column) was answered where each (row) was true.

    listed: labels that could be chosen, shown first even if nobody did. name: of the label. counted: what is counted.
    """
    seen = [dict.fromkeys(listed), *(dict.fromkeys(sorted(set(t) | set(a))) for t, a in groups.values())]
    labels = list(dict.fromkeys(label for names in seen for label in names))
    rows = [label for label in labels if any(label in true for true, _ in groups.values())]
    words = [fill(label.replace("_", " "), 16) for label in labels]
    turned: dict[str, Any] = {}
    if max(map(len, words)) > 4:
        turned = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    size = 0.95 + 0.42 * len(labels), 1.5 + 0.36 * len(rows)
    columns = min(len(groups), PER_ROW, max(1, int(WIDEST / size[0])))
    lines = -(-len(groups) // columns)
    figure = new_figure(max(4.2, 1.2 + columns * max(size[0], 1.9)), 0.4 + lines * size[1])
    axes = figure.subplots(lines, columns, squeeze=False, sharey=True)
    for panel in axes.ravel()[len(groups) :]:
        panel.set_visible(False)
    for panel, (group, pairs) in zip(axes.ravel(), groups.items(), strict=False):
        _counts(panel, agreement.counts(*pairs, rows, labels))
        right = np.mean([t == a for t, a in zip(*pairs, strict=True)])
        panel.set_title(f"{fill(group, 34)}\n{right:.0%} of {len(pairs[0])} {counted} right", fontsize=7.5)
        panel.set_xticks(range(len(labels)), words, **turned)
        panel.set_xlabel(f"answered {name}")
    for panel in axes[:, 0]:
        panel.set_yticks(range(len(rows)), [words[labels.index(row)] for row in rows])
        panel.set_ylabel(f"true {name}")
    return figure


def _counts(axes: Axes, table: np.ndarray) -> None:
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for i, j in np.argwhere(table):
        ink = "white" if share[i, j] > 0.62 else INK
        axes.text(j, i, str(table[i, j]), ha="center", va="center", color=ink, fontsize=7.5)
    axes.set_xticks(np.arange(table.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(table.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(True)


def partition(truth: Sequence[str], answered: Sequence[str]) -> Figure:
    """Which units belong together, in truth and in the answer (unit, unit), sorted by the true group; with the index.

    Only who shares a group with whom is compared: the labels need not be the same.
    """
    true, said = np.asarray(truth, dtype=object), np.asarray(answered, dtype=object)
    (names, rank), (_, rank_said) = (np.unique(labels.astype(str), return_inverse=True) for labels in (true, said))
    order = np.lexsort((rank_said, rank))
    figure = new_figure(7.2, 3.5)
    axes = figure.subplots(1, 2, sharey=True)
    n_said = len(set(said.tolist()))
    index = agreement.stated(agreement.adjusted_rand(rank, rank_said))
    titles = (f"true: {_groups(len(names))}\n", f"answered: {_groups(n_said)}\nadjusted Rand index {index}")
    for panel, labels, colour, title in zip(axes, (true, said), (PALETTE[0], PALETTE[1]), titles, strict=True):
        _membership(panel, labels[order], colour, title)
        for border in np.flatnonzero(np.diff(rank[order])) + 0.5:
            panel.axhline(border, color=MUTED, linewidth=0.6)
            panel.axvline(border, color=MUTED, linewidth=0.6)
    axes[0].set_ylabel("unit, by true group")
    return figure


def _groups(n: int) -> str:
    return f"{n} group{'s' if n != 1 else ''}"


def _membership(axes: Axes, labels: np.ndarray, colour: str, title: str) -> None:
    from matplotlib.colors import ListedColormap

    together = labels[:, None] == labels[None, :]
    axes.imshow(together, cmap=ListedColormap(["white", colour]), vmin=0, vmax=1, interpolation="nearest", alpha=0.85)
    axes.set(title=title, xlabel="unit, by true group")
    ends = sorted({0, len(labels) - 1})
    axes.set_xticks(ends, [str(i + 1) for i in ends])
    axes.set_yticks(ends, [str(i + 1) for i in ends])
    for spine in axes.spines.values():
        spine.set_visible(True)
