"""Does activity look like what a circuit says of itself: rates, irregularity and correlations in published ranges?"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from simlab import activity_statistics as measures
from simlab.contracts import Regime
from simlab.data import durations, is_spiking, mean_rates

MOST_PAIRED = 200
"""Neurons that correlations and Fano factors are taken of, evenly spaced: their number grows with the square."""

UNITS = {"rate": " Hz"}


def measured(activity: xr.Dataset, regime: Regime) -> dict[str, float]:
    """The statistics of a `Regime` of an activity with spikes; NaN where too few spikes tell them."""
    looked_at = _first(activity, regime.seconds)
    rates, some = mean_rates(looked_at), _some(looked_at)
    counted = regime.window <= float(durations(looked_at).max())
    return {
        "rate": _mean(rates[rates > 0]) if (rates > 0).any() else 0.0,
        "silent": float(np.mean(rates == 0)),
        "interval_cv": _mean(measures.interval_cv(looked_at)),
        "fano": _mean(measures.fano_factors(some, regime.window)) if counted else float("nan"),
        "correlation": _mean(measures.pairwise_correlations(some, regime.window)) if counted else float("nan"),
    }


def departures(activity: xr.Dataset, regime: Any) -> tuple[str, ...]:
    """What of an activity lies outside a `Regime` (None: nothing does): each statistic, its value and its range."""
    if regime is None or not is_spiking(activity):
        return ()
    found = []
    for name, value in measured(activity, regime).items():
        low, high = getattr(regime, name)
        if not np.isnan(value) and not low <= value <= high:
            unit = UNITS.get(name, "")
            found.append(f"{name.replace('_', ' ')} {value:.3g}{unit}, outside {low:g} to {high:g}{unit}")
    return tuple(found)


def _first(activity: xr.Dataset, seconds: float) -> xr.Dataset:
    """The first trials that hold so many seconds."""
    trials = max(1, int(np.searchsorted(np.cumsum(durations(activity)), seconds)) + 1)
    kept = activity["spike_trial"].values < trials
    return activity.isel(trial=slice(trials), spike=kept)


def _some(activity: xr.Dataset) -> xr.Dataset:
    """At most `MOST_PAIRED` of the neurons."""
    step = int(np.ceil(activity.sizes["neuron"] / MOST_PAIRED))
    if step == 1:
        return activity
    chosen = activity["spike_neuron"].values % step == 0
    some = activity.isel(neuron=slice(None, None, step), spike=chosen)
    return some.assign(spike_neuron=some["spike_neuron"] // step)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
