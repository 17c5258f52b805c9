"""Answers that are curves: filters of units, and factors over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab.report import agreement
from simlab.report.figures import FAINT, PALETTE, in_unit, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_UNITS, MOST_TRIALS, MOST_FACTORS = 6, 3, 4
PER_ROW = 3
TRUE = "#98a3ae"
"""The true curve is broad and pale, so that an answer right on it leaves both to be seen."""


def filters(truth: xr.DataArray, answered: np.ndarray, units: np.ndarray | None = None) -> Figure:
    """True and answered filters (unit, ...), each of unit norm, of units from the best answered to the worst.

    units: their numbers (unit,), by default 0, 1 ... Along the first of a filter's dims; through the peak of the true
    filter, where it has more of them. As pictures where the truth's attrs state the `grid` (rows, columns) of pixels.
    """
    cosines = agreement.cosines(truth.values, answered)
    ranked = np.argsort(-np.nan_to_num(cosines, nan=-2.0), kind="stable")
    chosen = ranked[np.unique(np.linspace(0, len(ranked) - 1, MOST_UNITS).round().astype(int))]
    true, said = agreement.unit_norm(truth.values), agreement.unit_norm(answered)
    lines, columns = -(-len(chosen) // PER_ROW), min(len(chosen), PER_ROW)
    figure = new_figure(max(4.2, 0.6 + 2.7 * columns), 0.9 + 1.65 * lines)
    axes = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    titles = [f"unit {u if units is None else units[u]}, cosine {agreement.stated(cosines[u])}" for u in chosen]
    if (grid := truth.attrs.get("grid")) is not None:
        pairs = [np.stack([true[u], said[u]]).reshape(2, *grid) for u in chosen]
        _frames(axes.ravel(), pairs, titles)
        return figure
    dim = str(truth.dims[1])
    for panel in axes.ravel()[len(chosen) :]:
        panel.set_visible(False)
    for panel, unit, title in zip(axes.ravel(), chosen, titles, strict=False):
        peak = np.unravel_index(np.argmax(np.abs(true[unit])), true[unit].shape)[1:]
        curves = [filters_[(unit, slice(None), *peak)] for filters_ in (true, said)]
        _overlay(panel, _along(truth, dim), *curves)
        panel.set_title(title)
    for panel in axes[-1]:
        panel.set_xlabel(_label(truth, dim))
    for panel in axes[:, 0]:
        panel.set_ylabel("unit norm")
    handles, words = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, words, loc="outside lower center", ncols=2)
    return figure


def _frames(panels: np.ndarray, pairs: list[np.ndarray], titles: list[str]) -> None:
    """True pictures and answered ones (2, row, column) side by side, one pair in each panel."""
    for panel in panels:
        panel.set_axis_off()
    for panel, pair, title in zip(panels, pairs, titles, strict=False):
        gap = np.full((pair.shape[1], 1), np.nan)
        most = np.abs(pair).max() or 1.0
        panel.imshow(np.hstack([pair[0], gap, pair[1]]), cmap="RdBu_r", vmin=-most, vmax=most)
        panel.set_title(f"{title}\ntrue | answered")


def traces(truth: xr.DataArray, answered: np.ndarray) -> Figure:
    """True factors (trial, time, factor) of a few trials, and the answer after its best affine map onto all of them."""
    fitted = agreement.affine_fit(truth.values, answered)
    explained = agreement.variance_explained(truth.values, fitted)
    trials, factors = min(truth.shape[0], MOST_TRIALS), min(truth.shape[2], MOST_FACTORS)
    chosen = np.unique(np.linspace(0, truth.shape[0] - 1, trials).round().astype(int))
    figure = new_figure(max(4.8, 1.0 + 2.7 * trials), 1.0 + 1.25 * factors)
    axes = figure.subplots(factors, trials, squeeze=False, sharex=True, sharey="row")
    dim, unit = str(truth.dims[1]), str(truth.attrs.get("units", ""))
    for row, factor in zip(axes, range(factors), strict=True):
        for panel, trial in zip(row, chosen, strict=True):
            _overlay(panel, _along(truth, dim), truth.values[trial, :, factor], fitted[trial, :, factor])
        row[0].set_ylabel(f"{in_unit(f'factor {factor + 1}', unit)}\nR² {agreement.stated(explained[factor])}")
    for panel, trial in zip(axes[0], chosen, strict=True):
        panel.set_title(f"trial {trial}")
    for panel in axes[-1]:
        panel.set_xlabel(_label(truth, dim))
    handles, words = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, [words[0], f"{words[1]}, mapped onto it"], loc="outside lower center", ncols=2)
    return figure


def _overlay(axes: Axes, where: np.ndarray, true: np.ndarray, said: np.ndarray) -> None:
    mark: dict[str, Any] = {"marker": "o", "markersize": 2.5} if len(where) <= 24 else {}
    axes.axhline(0, color=FAINT, linewidth=0.7)
    axes.plot(where, true, color=TRUE, linewidth=2.6, label="true")
    axes.plot(where, said, color=PALETTE[1], linewidth=1.0, label="answered", **mark)


def _along(truth: xr.DataArray, dim: str) -> np.ndarray:
    """The coordinate of a dim, or places 0, 1 ... where it has none that is a number."""
    values = truth[dim].values
    return values.astype(float) if values.dtype.kind in "iuf" else np.arange(len(values), dtype=float)


def _label(truth: xr.DataArray, dim: str) -> str:
    if dim not in truth.coords or truth[dim].dtype.kind not in "iuf":
        return f"{dim} (index)"
    unit = truth[dim].attrs.get("units", "s" if dim == "time" else "")
    return f"{dim} [{unit}]" if unit else dim
