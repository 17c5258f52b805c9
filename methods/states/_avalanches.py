"""Shared by the avalanche methods: avalanches of a recording, and the verdict on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from methods.population._population import two_label_finding, unusable
from simlab.contracts import Finding, Needs

CRITICAL, RIVAL = "branching process", "common drive"
"""Of the candidates, the mechanism that avalanches are taken for a sign of, and what may look like it."""

NEEDS = Needs(("spikes",), units=5, seconds=10.0)
FEWEST = 200
"""Avalanches: fewer make no histogram over two decades."""

FINEST, COARSEST = 1e-3, 0.1
"""s, limits of the bin."""


@dataclass(frozen=True, eq=False)
class Avalanches:
    """Sizes (avalanche,) in spikes, durations (avalanche,) in bins, and the bin's width [s]."""

    sizes: np.ndarray
    durations: np.ndarray
    width: float


def avalanches(recording: xr.Dataset) -> Avalanches | Finding:
    """Runs of bins with spikes between empty bins, in bins of the mean interval of all units' spikes.

    So defined by Beggs & Plenz 2003 (J Neurosci 23:11167). Those that a trial's beginning or end cuts off are left out.
    An abstention where there are too few, as where activity never pauses.
    """
    refusal = unusable(recording, NEEDS)
    if refusal is not None:
        return refusal
    time, trial = recording["spike_time"].values, recording["spike_trial"].values
    together = np.diff(time)[np.diff(trial) == 0]
    if not len(together):
        return Finding.abstain("no trial holds two spikes")
    width = float(np.clip(together.mean(), FINEST, min(COARSEST, recording.attrs["duration"] / 10)))
    bins, step = int(recording.attrs["duration"] / width), (time / width).astype(int)
    inside = step < bins
    flat = trial[inside].astype(int) * bins + step[inside]
    counts = np.bincount(flat, minlength=recording.sizes["trial"] * bins).reshape(-1, bins)
    sizes, lengths = runs(counts)
    if len(sizes) < FEWEST:
        return Finding.abstain(f"{len(sizes)} avalanches in bins of {width * 1e3:.3g} ms; this needs {FEWEST}")
    return Avalanches(sizes, lengths, width)


def runs(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and length (run,) of the runs of positive counts (trial, bin) that are enclosed by zeros."""
    padded = np.pad(counts > 0, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(padded, axis=1)
    row, start = np.nonzero(change == 1)
    stop = np.nonzero(change == -1)[1]
    total = np.cumsum(np.pad(counts, ((0, 0), (1, 0))), axis=1)
    whole = (start > 0) & (stop < counts.shape[1])
    size = total[row, stop] - total[row, start]
    return size[whole], (stop - start)[whole]


def verdict(recording: xr.Dataset, probability: float, notes: dict[str, object]) -> Finding:
    """The branching process with this probability, among the brief's candidates."""
    return two_label_finding(recording.attrs.get("brief", {}), CRITICAL, RIVAL, probability, notes)


def exponent(values: np.ndarray, least: int, most: int) -> float:
    """Of a discrete power law on least..most, by maximum likelihood (Clauset, Shalizi & Newman 2009)."""
    from scipy.optimize import minimize_scalar

    inside = values[(values >= least) & (values <= most)]
    support, mean_log = np.log(np.arange(least, most + 1)), np.log(inside).mean()
    fit = minimize_scalar(
        lambda a: a * mean_log + np.log(np.exp(-a * support).sum()), bounds=(0.5, 6), method="bounded"
    )
    return float(fit.x)
