"""Panels of activity: one axes each, from an Activity, a Recording or a weight matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from simlab import activity_statistics as measures
from simlab import data
from simlab.report.figures import EXCITATORY, FAINT, INHIBITORY, INK, MUTED, empty, in_unit, log_axis, plain_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TYPE_COLOURS = {"E": EXCITATORY, "I": INHIBITORY}
TYPE_WORDS = {"E": "excitatory", "I": "inhibitory"}
MAX_DOTS = 60_000
"""A raster of more spikes than this is a grey wall: it shows fewer cells instead."""


def cell_order(anatomy: xr.Dataset, place: np.ndarray | None = None) -> np.ndarray:
    """Neurons by type, then by `place` (neuron,), such as the preferred angle on a ring; else by index."""
    rank = np.arange(anatomy.sizes["neuron"]) if place is None else np.asarray(place, dtype=float)
    return np.lexsort((rank, anatomy["cell_type"].values.astype(str)))


def colours_of(types: npt.ArrayLike) -> np.ndarray:
    """One colour for each cell type; ink for types that are neither E nor I."""
    return np.array([TYPE_COLOURS.get(str(kind), INK) for kind in np.asarray(types)])


def raster(
    axes: Axes,
    dataset: xr.Dataset,
    *,
    trial: int = 0,
    order: np.ndarray | None = None,
    colours: np.ndarray | None = None,
) -> None:
    """Spikes of one trial: a row for each cell, in this order, coloured by `colours` (cell,)."""
    cell = data.cell_dim(dataset)
    n_cells, duration = dataset.sizes[cell], dataset.attrs["duration"]
    order = np.arange(n_cells) if order is None else np.asarray(order)
    row = np.empty(n_cells, dtype=int)
    row[order] = np.arange(n_cells)
    chosen = dataset["spike_trial"].values == trial
    if chosen.sum() > MAX_DOTS:
        keep = int(n_cells * MAX_DOTS / chosen.sum())
        chosen &= row[dataset[f"spike_{cell}"].values] < keep
    who, when = dataset[f"spike_{cell}"].values[chosen], dataset["spike_time"].values[chosen]
    colour = INK if colours is None else colours[who]
    height = axes.get_window_extent().height * 72 / axes.figure.dpi
    size = float(np.clip(0.9 * height / max(n_cells, 1), 1.6, 9.0))
    axes.scatter(
        when, row[who], s=size**2, c=colour, marker="|", linewidths=0.6 + 0.05 * size, rasterized=len(when) > 400
    )
    axes.set(xlim=(0, duration), ylim=(-0.7, n_cells - 0.3), ylabel=f"{cell} ({n_cells})")
    axes.set_yticks([])


def contacts(axes: Axes, counts: np.ndarray) -> None:
    """Synapses (pre, post) that were seen from unit to unit."""
    image = axes.imshow(counts, cmap="Greys", vmin=0, aspect="auto", interpolation="nearest")
    axes.set(xlabel="post", ylabel=f"pre ({len(counts)} units)", xticks=[], yticks=[])
    axes.figure.colorbar(image, ax=axes, label="synapses seen")


def traces(
    axes: Axes, times: np.ndarray, values: np.ndarray, unit: str, colours: np.ndarray | None = None, gap: float = 0.05
) -> np.ndarray:
    """Traces of `values` (time, cell) stacked with a scale bar in this unit; returns the height each stands on (cell,).

    gap: room between traces, as a share of the largest one's range.
    """
    heights = np.nan_to_num(np.ptp(values, axis=0))
    spread = float(heights.max(initial=0.0)) or 1.0
    floor = np.concatenate([[0.0], np.cumsum(heights + gap * spread)[:-1]])
    for i in range(values.shape[1]):
        colour = INK if colours is None else colours[i]
        axes.plot(times, values[:, i] - np.nanmin(values[:, i]) + floor[i], color=colour, linewidth=0.7)
    bar = nice_below(spread / 2)
    right = times[0] + (times[-1] - times[0]) * 1.015
    axes.plot([right, right], [0, bar], color=INK, linewidth=2, clip_on=False, solid_capstyle="butt")
    told = f"  {plain_number(bar)} {'(dimensionless)' if unit == '1' else unit}"
    axes.text(right, bar / 2, told, va="center", fontsize=7, clip_on=False)
    axes.set(xlim=(times[0], times[-1]), yticks=[])
    axes.spines["left"].set_visible(False)
    return floor - 0.55 * gap * spread


def nice_below(value: float) -> float:
    """The largest of 1, 2, 5 x 10^k that does not pass `value`."""
    if not value > 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step for step in (1, 2, 5) if step * power <= value * (1 + 1e-9)) * power)


def by_type(axes: Axes, values: np.ndarray, types: npt.ArrayLike, label: str, *, log: bool = False) -> None:
    """Histogram of one number per cell, each cell type in its colour, its median marked."""
    kept = np.isfinite(values) & ((values > 0) | (not log))
    if kept.sum() < 2:
        empty(axes, f"too few cells\nfor {label}")
        return
    low, high = values[kept].min(), values[kept].max()
    if high - low < 1e-9 * max(abs(high), 1e-12):
        low, high = low * 0.9 - 1e-9, high * 1.1 + 1e-9
    bins = np.geomspace(low, high, 22) if log else np.linspace(low, high, 22)
    kinds = np.asarray(types, dtype=str)
    for kind in np.unique(kinds):
        chosen = values[kept & (kinds == kind)]
        if chosen.size == 0:
            continue
        colour = TYPE_COLOURS.get(kind, INK)
        axes.hist(chosen, bins.tolist(), histtype="stepfilled", alpha=0.3, color=colour)
        axes.hist(chosen, bins.tolist(), histtype="step", color=colour, linewidth=1.0)
        word = f"{TYPE_WORDS.get(kind, kind)}, median {plain_number(float(np.median(chosen)))}"
        axes.axvline(float(np.median(chosen)), color=colour, linewidth=1.2, linestyle=(0, (3, 2)), label=word)
    if log:
        log_axis(axes, "x", decades(low, high))
    axes.set(xlabel=label, ylabel="cells")
    legend_above(axes)


def legend_above(axes: Axes) -> None:
    """The legend outside, above the panel, where it covers no data."""
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), borderaxespad=0.2, handlelength=1.4, labelspacing=0.2)


def decades(low: float, high: float) -> list[float]:
    """Ticks for a logarithmic axis: 1, 2, 5 x 10^k within one or two decades, powers of ten beyond."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1, 2, 5) if high / low < 120 else (1,)
    ticks = [step * 10.0**p for p in powers for step in steps]
    return [t for t in ticks if low * 0.999 <= t <= high * 1.001] or [low, high]


def interval_cvs(axes: Axes, dataset: xr.Dataset, types: npt.ArrayLike) -> None:
    """CV of interspike intervals of each cell, with the Poisson value marked."""
    by_type(axes, measures.interval_cv(dataset), types, "CV of interspike intervals")
    if axes.lines:
        axes.axvline(1.0, color=MUTED, linewidth=0.9, label="Poisson: 1")
        legend_above(axes)


def correlations(axes: Axes, dataset: xr.Dataset, width: float = 0.05) -> None:
    """Histogram of pairwise correlations, its mean marked."""
    values = measures.pairwise_correlations(dataset, width)
    what = f"correlation of counts in {width * 1e3:.0f} ms" if data.is_spiking(dataset) else "pairwise correlation"
    if values.size < 3:
        empty(axes, "too few active cells\nfor correlations")
        return
    reach = float(np.clip(np.abs(values).max(), 0.05, 1.0))
    axes.hist(values, np.linspace(-reach, reach, 45).tolist(), color=MUTED, alpha=0.35, histtype="stepfilled")
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.axvline(values.mean(), color=INK, linestyle=(0, (3, 2)), label=f"mean {values.mean():.3f}".replace("-", "−"))
    axes.set(xlabel=what, ylabel="pairs")
    legend_above(axes)


def spectrum(axes: Axes, dataset: xr.Dataset) -> None:
    """Power spectrum of the population activity on logarithmic axes, its peak marked."""
    frequency, power = measures.population_spectrum(dataset)
    shown = (power > 0) & (frequency <= 250)
    if shown.sum() < 3:
        empty(axes, "too short\nfor a spectrum")
        return
    frequency, power = frequency[shown], power[shown]
    axes.plot(frequency, power, color=INK, linewidth=1.0)
    log_axis(axes, "x", decades(float(frequency[0]), float(frequency[-1])))
    log_axis(axes, "y", decades(*widen(float(power.min()), float(power.max()))))
    axes.set_ylim(*widen(float(power.min()), float(power.max())))
    unit = "(spikes/s)²/Hz" if data.is_spiking(dataset) else _squared(rate_unit(dataset))
    axes.set(xlabel="frequency [Hz]", ylabel=f"power [{unit}]")


def _squared(unit: str) -> str:
    return f"({unit})²/Hz" if unit not in ("", "1") else "1/Hz"


def widen(low: float, high: float) -> tuple[float, float]:
    """Limits of a logarithmic axis that hold at least one power of ten inside."""
    return 10 ** np.floor(np.log10(low) + 0.01), 10 ** np.ceil(np.log10(high) - 0.01)


def rate_unit(dataset: xr.Dataset) -> str:
    """The unit of an Activity's rates or a Recording's signal."""
    return str((dataset["rate"] if "rate" in dataset else data.continuous(dataset)).attrs.get("units", ""))


def population(axes: Axes, dataset: xr.Dataset, trial: int = 0, width: float = 0.01) -> None:
    """Population activity of one trial, and its mean over trials."""
    times, rate = measures.population_rate(dataset, width)
    axes.fill_between(times, rate[trial], step="mid", color=MUTED, alpha=0.3, linewidth=0, label="this trial")
    if rate.shape[0] > 1:
        axes.plot(times, rate.mean(axis=0), color=INK, linewidth=0.9, label=f"mean of {rate.shape[0]} trials")
    label = "rate per cell\n[spikes/s]" if data.is_spiking(dataset) else in_unit("mean rate\n", rate_unit(dataset))
    axes.set(xlim=(0, dataset.attrs["duration"]), xlabel="time [s]", ylabel=label)
    if rate.min() >= 0:
        axes.set_ylim(0, max(rate.max() * 1.05, 1e-9))


def signed_scale(values: np.ndarray) -> tuple[Any, Any]:
    """Colour map and norm: inhibition cold, excitation warm, each to the 98th percentile of its own size.

    Inhibitory weights are often several times the excitatory ones; on one common scale the weaker would vanish.
    """
    from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm

    colours = LinearSegmentedColormap.from_list("wiring", [INHIBITORY, "white", EXCITATORY])
    sizes = [np.abs(side[np.isfinite(side)]) for side in (values[values < 0], values[values > 0])]
    reach = [float(np.percentile(size, 98)) if size.size else None for size in sizes]
    low, high = (r or reach[1 - i] or 1.0 for i, r in enumerate(reach))
    return colours, TwoSlopeNorm(0.0, -low, high)


def matrix(axes: Axes, values: np.ndarray, *, title: str = "") -> Any:
    """A signed (pre, post) matrix, the presynaptic cell being the row; returns the image, for a colour bar."""
    colours, norm = signed_scale(values)
    image = axes.imshow(values, cmap=colours, norm=norm, interpolation="nearest", aspect="equal")
    frame_matrix(axes, len(values), title)
    return image


def frame_matrix(axes: Axes, n_cells: int, title: str) -> None:
    """Axes of a square matrix over cells: first and last are numbered, on all four sides a frame."""
    axes.set(xlabel="postsynaptic", ylabel="presynaptic", title=title)
    axes.set_xticks([0, n_cells - 1], ["1", str(n_cells)])
    axes.set_yticks([0, n_cells - 1], ["1", str(n_cells)])
    axes.xaxis.labelpad = axes.yaxis.labelpad = -2
    for spine in axes.spines.values():
        spine.set_visible(True)


def wiring(axes: Axes, weight: np.ndarray, types: npt.ArrayLike, order: np.ndarray, unit: str = "") -> None:
    """The wiring matrix sorted by cell type, with the borders between types and a colour bar in `unit`."""
    edges, possible = int(np.count_nonzero(weight)), weight.shape[0] * (weight.shape[0] - 1)
    image = matrix(axes, weight[np.ix_(order, order)], title="true wiring")
    axes.set_xlabel(f"postsynaptic\n{edges} synapses, {edges / max(possible, 1):.1%} of pairs")
    sorted_types = np.asarray(types, dtype=str)[order]
    for border in np.flatnonzero(sorted_types[1:] != sorted_types[:-1]) + 0.5:
        axes.axhline(border, color=MUTED, linewidth=0.6)
        axes.axvline(border, color=MUTED, linewidth=0.6)
    if edges:
        weight_bar(axes, image, weight, in_unit("weight", unit))


def weight_bar(axes: Axes, image: Any, weight: np.ndarray, label: str) -> None:
    """The colour bar of a signed matrix, from its lowest to its highest; of signs that do not occur, nothing."""
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.6, aspect=24, label=label)
    low, high = image.norm.vmin, image.norm.vmax
    ticks = [t for t in (low, 0.0, high) if t == 0 or (weight * np.sign(t) > 0).any()]
    bar.ax.set_ylim(min(ticks), max(ticks))
    bar.set_ticks(ticks, labels=[plain_number(t) for t in ticks])


def eigenvalues(axes: Axes, weight: np.ndarray, unit: str = "") -> None:
    """Eigenvalues of the weights [unit] in the complex plane, with the circle of their spectral radius."""
    values = np.linalg.eigvals(weight)
    radius = float(np.abs(values).max())
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.axhline(0, color=FAINT, linewidth=0.7)
    axes.axvline(0, color=FAINT, linewidth=0.7)
    axes.plot(radius * np.cos(angle), radius * np.sin(angle), color=MUTED, linewidth=0.8, linestyle=(0, (3, 2)),
              label=f"spectral radius {plain_number(radius)}")  # fmt: skip
    axes.scatter(values.real, values.imag, s=7, color=INHIBITORY, linewidths=0)
    axes.set(xlabel=in_unit("real part of the weights' eigenvalues", unit), ylabel=in_unit("imaginary part", unit))
    axes.set_aspect("equal", adjustable="datalim")
    legend_above(axes)
