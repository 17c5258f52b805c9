"""Whole figures of one instrument: what it makes of activity, and where a stimulator's strength lands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from simlab import data
from simlab.contracts import CONNECTOME
from simlab.instruments.placement import dominant_neurons
from simlab.report import panels
from simlab.report.circuit_figures import one_trial
from simlab.report.figures import MUTED, PALETTE, empty, in_unit, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


STRENGTH = "drive at the neuron [rheobase]"
"""Strength 1 of a stimulation is a current of one rheobase: see `simlab.perturbations`."""


@styled
def aim_figure(title: str, anatomy: xr.Dataset, strength: np.ndarray, target: int) -> Figure:
    """Where strength 1 aimed at one neuron lands: `strength` (neuron,) in place and against distance."""
    figure = new_figure(8, 3.4)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    place, falloff = figure.subplots(1, 2, width_ratios=(1.1, 1))
    position = np.stack([anatomy[axis].values for axis in "xyz"], axis=1) * 1e6
    dots = place.scatter(position[:, 0], position[:, 1], c=strength, cmap="YlOrBr", s=30, vmin=0, edgecolors=MUTED,
                         linewidths=0.4)  # fmt: skip
    place.plot(*position[target, :2], "+", color=PALETTE[0], markersize=9, markeredgewidth=1.4, label="aimed at")
    place.set(xlabel="x [µm]", ylabel="y [µm]", aspect="equal", title="where the strength lands")
    place.legend(loc="upper right", bbox_to_anchor=(1, -0.1), borderaxespad=0.2)
    figure.colorbar(dots, ax=place, label=STRENGTH, shrink=0.85)
    distance = np.linalg.norm(position - position[target], axis=1)
    falloff.scatter(distance, strength, s=14, color=PALETTE[0], linewidths=0)
    falloff.set(xlabel="distance from the target [µm]", ylabel=STRENGTH, title="fall-off")
    falloff.set_ylim(bottom=min(0.0, float(strength.min())) - 0.03 * float(np.ptp(strength) or 1.0))
    return figure


@styled
def instrument_figure(
    title: str, anatomy: xr.Dataset, activity: xr.Dataset, recording: xr.Dataset, key: xr.DataArray
) -> Figure:
    """What happened above what the instrument saw, with its key (unit, neuron) and what it did to the rates."""
    figure = new_figure(10, 5.6)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    axes = figure.subplots(2, 2, width_ratios=(2.6, 1))
    share = key.transpose("unit", "neuron").values
    owner = dominant_neurons(key)
    colours = panels.colours_of(anatomy["cell_type"].values)
    order = np.lexsort((owner, owner < 0))
    one_trial(axes[0, 0], activity, colours, panels.cell_order(anatomy))
    axes[0, 0].set(title="what happened", xlabel="")
    one_trial(axes[1, 0], recording, np.where(owner >= 0, colours[owner], MUTED), order, activity, owner)
    axes[1, 0].set_title(_what_was_seen(recording))
    _key(axes[0, 1], share[order], figure)
    _kept_rates(axes[1, 1], activity, recording, share, owner)
    return figure


def _what_was_seen(recording: xr.Dataset) -> str:
    if data.is_spiking(recording):
        return "what was recorded"
    return "what was recorded; ticks: true spikes of each unit's main neuron"


def _key(axes: Axes, share: np.ndarray, figure: Figure) -> None:
    image = axes.imshow(share, cmap="Greys", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.set(title="key", xlabel="neuron", ylabel="unit", xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(True)
    figure.colorbar(image, ax=axes, label="share of the unit's signal")


def _kept_rates(axes: Axes, activity: xr.Dataset, recording: xr.Dataset, share: np.ndarray, owner: np.ndarray) -> None:
    """Each unit's rate (or its signal's variability) against its main neuron's true rate."""
    if data.modality(recording) == CONNECTOME:
        empty(axes, "nothing is recorded over time")
        return
    known = owner >= 0
    true = data.mean_rates(activity)[owner[known]]
    if data.is_spiking(recording):
        seen, label = data.mean_rates(recording)[known], "unit's rate [spikes/s]"
        reach = float(max(true.max(initial=1.0), seen.max(initial=1.0))) * 1.05
        axes.plot([0, reach], [0, reach], color=MUTED, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.set(xlim=(0, reach), ylim=(0, reach))
    else:
        values = data.continuous(recording).values
        unit = str(data.continuous(recording).attrs.get("units", ""))
        seen, label = np.nanstd(values, axis=(0, 1))[known], in_unit("s.d. of the unit's signal", unit)
    dots = axes.scatter(true, seen, c=share.max(axis=1)[known], cmap="viridis_r", vmin=0, vmax=1, s=16, linewidths=0)
    axes.set(xlabel="main neuron's rate [spikes/s]", ylabel=label, title="rates kept")
    axes.figure.colorbar(dots, ax=axes, label="share of main neuron")
