"""The first numbers that a physiologist asks of activity: irregularity, correlation, spectrum.

Each takes an Activity or a Recording (`simlab.data`), so that what an instrument did to a figure can be seen.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from simlab import data

MIN_INTERVALS = 8
"""A CV from fewer intervals is mostly noise: its standard error for a Poisson neuron is about 1/sqrt(n)."""


def interval_cv(dataset: xr.Dataset, min_intervals: int = MIN_INTERVALS) -> np.ndarray:
    """Coefficient of variation of each cell's interspike intervals (cell,); NaN below `min_intervals`.

    Intervals are taken within trials and pooled over them. A Poisson train has CV 1, a clock 0.
    """
    cell = data.cell_dim(dataset)
    cells, trials = dataset[f"spike_{cell}"].values, dataset["spike_trial"].values
    times = dataset["spike_time"].values
    order = np.lexsort((times, trials, cells))
    cells, trials, times = cells[order], trials[order], times[order]
    together = (np.diff(cells) == 0) & (np.diff(trials) == 0)
    interval, owner = np.diff(times)[together], cells[:-1][together]
    n_cells = dataset.sizes[cell]
    n = np.bincount(owner, minlength=n_cells)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(owner, interval, n_cells) / n
        spread = np.bincount(owner, (interval - mean[owner]) ** 2, n_cells) / (n - 1)
        cv = np.sqrt(spread) / mean
    return np.where(n >= min_intervals, cv, np.nan)


def pairwise_correlations(dataset: xr.Dataset, width: float = 0.05) -> np.ndarray:
    """Pearson correlations (pair,) of the cells' signals: counts in bins of `width` [s], else traces as sampled.

    Cells that never change are left out.
    """
    table = _samples(dataset, width)
    table = table[:, np.nanstd(table, axis=0) > 0]
    if table.shape[1] < 2:
        return np.empty(0)
    return np.corrcoef(table, rowvar=False)[np.triu_indices(table.shape[1], 1)]


def _samples(dataset: xr.Dataset, width: float) -> np.ndarray:
    """The cells' signals (sample of any trial, cell): counts in bins of `width` [s], else traces as sampled."""
    values = data.signals(dataset, width).values
    table = values.reshape(-1, values.shape[-1]).astype(float)
    return table[np.isfinite(table).all(axis=1)]  # trials of unequal length end in NaN


def population_rate(dataset: xr.Dataset, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Bin centres (time,) [s] and mean activity per cell (trial, time): [spikes/s], or the rate's own unit."""
    signal = data.signals(dataset, width)
    mean = signal.values.mean(axis=2)
    times = np.asarray(signal["time"].values, dtype=float)
    return (times + width / 2, mean / width) if data.is_spiking(dataset) else (times, mean)


def population_spectrum(dataset: xr.Dataset, width: float = 0.002) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (frequency,) [Hz] and one-sided power density of the population rate, averaged over trials.

    Trials of unequal length are cut to the shortest. Welch's method with segments of at most 1 s. For independent
    Poisson cells of rate r it is flat at 2 r / n_cells.
    """
    from scipy.signal import welch

    times, rate = population_rate(data.equal_trials(dataset), width)
    step = float(np.median(np.diff(times))) if len(times) > 1 else width
    segment = min(len(times), max(8, round(1.0 / step)))
    frequency, power = welch(rate, fs=1 / step, nperseg=segment, detrend="constant", axis=-1)
    return frequency[1:], power.mean(axis=0)[1:]


def fano_factors(dataset: xr.Dataset, width: float = 0.1) -> np.ndarray:
    """Variance / mean of each cell's counts (cell,) in windows of `width` [s], over trials and time; NaN if silent.

    1 for Poisson; in cortex 0.5 to 2 at 100 ms, more for longer windows (Softky & Koch 1993; Churchland et al. 2010).
    """
    table = _samples(dataset, width)
    mean, variance = table.mean(axis=0), table.var(axis=0, ddof=1) if len(table) > 1 else np.zeros(table.shape[1])
    return np.divide(variance, mean, out=np.full(len(mean), np.nan), where=mean > 0)
