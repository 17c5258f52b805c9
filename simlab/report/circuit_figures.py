"""Whole figures of one circuit, one instrument, one stimulator: what a physiologist looks at first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab import data
from simlab.contracts import CONNECTOME
from simlab.instruments.placement import dominant_neurons
from simlab.report import panels
from simlab.report.figures import INK, MUTED, PALETTE, empty, in_unit, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_TRACES = 12
FEATURE_UNITS = {"angle": "rad", "orientation": "rad", "direction": "rad", "position": "m", "contrast": "1"}
"""Units of the features that are usually shown; a stimulus states none."""


@styled
def circuit_figure(
    title: str,
    anatomy: xr.Dataset,
    activity: xr.Dataset,
    wiring: xr.DataArray | None,
    place: np.ndarray | None = None,
) -> Figure:
    """Raster or traces, stimulus, population activity, wiring, and the distributions of the circuit's statistics.

    wiring: true weights (pre, post); None where the circuit has none to show. place: preferred angle (neuron,) [rad],
    NaN for those that have none, by which a ring's neurons are sorted.
    """
    figure = new_figure(10, 6.6)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    parts: Any = figure.subfigures(2, 1, height_ratios=(3.4, 2), hspace=0.03)
    top, bottom = parts
    left, right = top.subfigures(1, 2, width_ratios=(1.75, 1))
    _course(left, anatomy, activity, place)
    axes = right.subplots()
    types = anatomy["cell_type"].values.astype(str)
    weight = None if wiring is None else wiring.values
    unit = "" if wiring is None else str(wiring.attrs.get("units", ""))
    if wiring is None or weight is None or not weight.any():
        empty(axes, "no wiring to show" if wiring is None else "no synapses\namong these neurons")
    else:
        panels.wiring(axes, weight, types, panels.cell_order(anatomy, place), unit)
    _statistics(bottom.subplots(1, 4), types, activity, weight, unit)
    return figure


def _course(figure: Any, anatomy: xr.Dataset, activity: xr.Dataset, place: np.ndarray | None) -> None:
    """Raster or traces above, the stimulus if there is one, population activity below; one time axis."""
    on_raster = place is not None and data.is_spiking(activity) and _features(activity) == ["angle"]
    stimulus = not on_raster and "stimulus" in activity and np.isfinite(activity["stimulus"].values[0]).any()
    heights = (5, 0.9, 1.3) if stimulus else (5, 1.3)
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    colours = panels.colours_of(anatomy["cell_type"].values)
    if data.is_spiking(activity):
        panels.raster(axes[0], activity, order=panels.cell_order(anatomy, place), colours=colours)
        axes[0].set_title("one trial")
        if place is not None:
            axes[0].set_ylabel(f"neuron ({len(place)}), by preferred angle")
        if place is not None and on_raster:
            _cue_on_ring(axes[0], activity, np.sort(place[np.isfinite(place)]))
    else:
        shown = np.linspace(0, activity.sizes["neuron"] - 1, min(MAX_TRACES, activity.sizes["neuron"])).astype(int)
        values = activity["rate"].values[0][:, shown]
        panels.traces(axes[0], activity["time"].values, values, panels.rate_unit(activity), colours[shown])
        axes[0].set_title(f"{len(shown)} of {activity.sizes['neuron']} neurons, one trial")
    if stimulus:
        _stimulus(axes[1], activity)
    panels.population(axes[-1], activity)
    for upper in axes[:-1]:
        upper.tick_params(labelbottom=False)
    figure.align_ylabels(axes)


def _short_unit(signal: xr.DataArray) -> str:
    unit = str(signal.attrs.get("units", "")).replace("dF/F", "ΔF/F")
    return unit


def _features(activity: xr.Dataset) -> list[str]:
    """Names of what was shown."""
    return [str(name) for name in activity["feature"].values] if "feature" in activity.coords else []


def _steps(activity: xr.Dataset, trial: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Onsets and ends (step,) [s] of the stimulus' steps in one trial, and its values (step, feature)."""
    onset = activity["time"].values
    end = np.append(onset[1:], activity.attrs["duration"])
    return onset, end, activity["stimulus"].values[trial]


def _cue_on_ring(axes: Axes, activity: xr.Dataset, angles: np.ndarray) -> None:
    """A bar at the cued place of the sorted ring for as long as the cue was shown; angles (neuron,) [rad], sorted."""
    onset, end, values = _steps(activity)
    shown = np.isfinite(values[:, 0])
    row = np.interp(values[shown, 0] % (2 * np.pi), angles % (2 * np.pi), np.arange(len(angles)))
    axes.hlines(row, onset[shown], end[shown], color=PALETTE[2], linewidth=5, alpha=0.75, zorder=3)
    if shown.any():
        look: dict[str, Any] = {"color": PALETTE[2], "fontweight": "bold", "bbox": {"color": "white", "pad": 0.8}}
        where = (float(end[shown][0]), float(row[0]))
        axes.annotate("cue", where, xytext=(3, 0), textcoords="offset points", va="center", **look)


def _stimulus(axes: Axes, activity: xr.Dataset) -> None:
    onset, end, values = _steps(activity)
    names = _features(activity) or [str(i) for i in range(values.shape[1])]
    for i, name in enumerate(names[:4]):
        shown = np.isfinite(values[:, i])
        axes.hlines(values[shown, i], onset[shown], end[shown], color=PALETTE[i], linewidth=1.6,
                    label=in_unit(name, FEATURE_UNITS.get(name, "")))  # fmt: skip
    if len(names) == 1:
        axes.set_ylabel(in_unit(names[0], FEATURE_UNITS.get(names[0], "")))
        return
    axes.set_ylabel("stimulus")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _statistics(axes: Any, types: np.ndarray, activity: xr.Dataset, weight: np.ndarray | None, unit: str) -> None:
    if data.is_spiking(activity):
        panels.by_type(axes[0], data.mean_rates(activity), types, "mean rate [spikes/s]")
        panels.interval_cvs(axes[1], activity, types)
    else:
        mean = activity["rate"].values.mean(axis=(0, 1))
        panels.by_type(axes[0], mean, types, in_unit("mean rate", panels.rate_unit(activity)))
        if weight is None:
            empty(axes[1], "no weights")
        else:
            panels.eigenvalues(axes[1], weight, unit)
    panels.correlations(axes[2], activity)
    panels.spectrum(axes[3], activity)


@styled
def seen_figure(
    activity: xr.Dataset,
    anatomy: xr.Dataset,
    seen: Mapping[str, tuple[xr.Dataset, xr.DataArray]],
    place: np.ndarray | None = None,
    truth_title: str = "what happened",
) -> Figure:
    """The same trial as each instrument sees it, under what truly happened.

    seen: label -> (recording, key (unit, neuron)). The units' rates stand beside, over the neurons' in grey.
    """
    heights = [1.5, *(1.5 if data.is_spiking(recording) else 2.4 for recording, _ in seen.values())]
    figure = new_figure(10, sum(heights) + 0.25 * len(heights))
    axes = figure.subplots(len(heights), 2, width_ratios=(4.6, 1), height_ratios=heights, squeeze=False)
    colours = panels.colours_of(anatomy["cell_type"].values)
    order = panels.cell_order(anatomy, place)
    rank = np.append(np.argsort(order), len(order))  # a unit with no neuron behind it, -1, comes last
    one_trial(axes[0, 0], activity, colours, order)
    axes[0, 0].set_title(truth_title)
    _rates(axes[0, 1], activity, None)
    for row, (label, (recording, key)) in zip(axes[1:], seen.items(), strict=True):
        owner = dominant_neurons(key)
        hues = np.where(owner >= 0, colours[owner], MUTED)
        one_trial(row[0], recording, hues, np.argsort(rank[owner], kind="stable"), activity, owner)
        row[0].set_title(label)
        _rates(row[1], recording, activity)
    for panel in axes[:-1].ravel():
        panel.set_xlabel("")
    axes[-1, 0].set_xlabel("time [s]")
    return figure


def one_trial(
    axes: Axes,
    dataset: xr.Dataset,
    colours: np.ndarray,
    order: np.ndarray,
    activity: xr.Dataset | None = None,
    owner: np.ndarray | None = None,
) -> None:
    """What stands in one trial of an Activity or Recording: spikes, else the signal; of a connectome its contacts."""
    if data.modality(dataset) == CONNECTOME:
        panels.contacts(axes, dataset["contacts"].values[np.ix_(order, order)])
        return
    axes.set_xlabel("time [s]")
    if data.is_spiking(dataset):
        panels.raster(axes, dataset, order=order, colours=colours)
        return
    n_cells = dataset.sizes[data.cell_dim(dataset)]
    shown = _informative(dataset, 6)
    signal = data.continuous(dataset)
    values, times, unit = signal.values[0], signal["time"].values, _short_unit(signal)
    marked = activity is not None and data.is_spiking(activity)
    base = panels.traces(axes, times, values[:, shown], unit, colours[shown], gap=0.2 if marked else 0.05)
    if activity is not None and owner is not None and marked:
        _true_spikes(axes, activity, owner[shown], base)
    axes.set_xlim(0, dataset.attrs["duration"])
    axes.set_ylabel(f"{len(shown)} of {n_cells} {data.cell_dim(dataset)}s")


def _informative(dataset: xr.Dataset, count: int) -> np.ndarray:
    """The cells, in index order, at evenly spaced ranks of how much they vary in the first trial."""
    variation = np.nan_to_num(np.nanstd(data.continuous(dataset).values[0], axis=0))
    ranks = np.unique(np.linspace(len(variation) // 3, len(variation) - 1, min(count, len(variation))).astype(int))
    return np.sort(np.argsort(variation, kind="stable")[ranks])


def _true_spikes(axes: Axes, activity: xr.Dataset, owner: np.ndarray, base: np.ndarray) -> None:
    """Ticks under each trace where the neuron that dominates the unit truly fired."""
    first = activity["spike_trial"].values == 0
    for neuron, low in zip(owner, base, strict=True):
        when = activity["spike_time"].values[first & (activity["spike_neuron"].values == neuron)]
        axes.plot(when, np.full(len(when), low), "|", color=INK, markersize=3, markeredgewidth=0.6)


def _rates(axes: Axes, dataset: xr.Dataset, truth: xr.Dataset | None) -> None:
    """Distribution of the cells' mean rates; the true one in grey behind it."""
    if not data.is_spiking(dataset):
        empty(axes, "")
        return
    rates = data.mean_rates(dataset)
    everything = (
        rates if truth is None or not data.is_spiking(truth) else np.concatenate([rates, data.mean_rates(truth)])
    )
    bins = np.linspace(0, max(float(everything.max()), 1e-9), 20)
    if truth is not None and data.is_spiking(truth):
        axes.hist(data.mean_rates(truth), bins.tolist(), density=True, color=MUTED, alpha=0.3, label="neurons")
    axes.hist(rates, bins.tolist(), density=True, histtype="step", color=INK, label=f"{data.cell_dim(dataset)}s")
    axes.set(xlabel="mean rate [spikes/s]", yticks=[])
    axes.spines["left"].set_visible(False)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, handlelength=1.2, columnspacing=1.0)
