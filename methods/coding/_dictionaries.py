"""Samples of a population, whether they hold sparse features at all, and what a dictionary leaves unexplained."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import missing, signals
from simlab.rules import Within
from simlab.rules.quantities import Width

NEEDS = Needs(units=3, seconds=5.0)
"""What a search for features cannot do without."""

NFeatures = Annotated[int, Within(0, 10_000)]
"""How many features are looked for; 0: twice as many as there are units."""

LeastZ = Annotated[float, Within(0, 1000)]
"""How far, in standard errors, the kurtosis along found directions must exceed that of a Gaussian; 0: never asked."""

BIN: Width = 0.05
"""s: of counts, where spikes were recorded."""

MOST_JUDGED = 100_000
"""Samples whose kurtosis is taken: as many, evenly spaced, of more."""

NO_FEATURES = "activity along the directions found is as Gaussian as along any others: no axes stand out"


def samples(recording: xr.Dataset, width: float, needs: Needs = NEEDS) -> np.ndarray | Finding:
    """(sample, unit): activity about its mean, one scale for all units; an abstention where there is too little."""
    if reason := missing(recording, needs):
        return Finding.abstain(reason)
    values = signals(recording, width).values.astype(float)
    flat = values.reshape(-1, values.shape[2])
    flat = flat[np.isfinite(flat).all(axis=1)]
    if not len(flat):
        return Finding.abstain("every sample has gaps (NaN) in some unit: leave out the units that were not seen")
    if not np.ptp(flat, axis=0).any():
        return Finding.abstain("no unit's activity varies")
    if len(flat) < 10 * flat.shape[1]:
        return Finding.abstain(f"{len(flat)} samples are too few for {flat.shape[1]} units")
    flat = flat - flat.mean(axis=0)
    scale = np.sqrt((flat**2).sum(axis=1).mean())
    return np.asarray(flat / scale)


def wanted(n_features: int, n_units: int) -> int:
    """How many features to look for."""
    return n_features or 2 * n_units


def finding(x: np.ndarray, dictionary: np.ndarray, unexplained: float, least_z: float) -> Finding:
    """The answer, or an abstention where activity along no direction is less Gaussian than it may be by chance."""
    lengths = np.linalg.norm(dictionary, axis=1)
    rows = dictionary[lengths > 1e-9] / lengths[lengths > 1e-9, None]
    if not len(rows):
        return Finding.abstain("no feature is left: all directions are zero")
    if least_z > 0 and kurtosis_z(x, rows) < least_z:
        return Finding.abstain(NO_FEATURES)
    return Finding({"dictionary": rows, "number": len(rows), "unexplained": float(max(unexplained, 0.0))})


def kurtosis_z(x: np.ndarray, rows: np.ndarray) -> float:
    """Mean excess kurtosis of x (sample, unit) along rows, in standard errors of a single direction's."""
    x = x[:: -(-len(x) // MOST_JUDGED)]
    excess = np.concatenate([_excess(x @ rows[k : k + 64].T) for k in range(0, len(rows), 64)])
    return float(excess.mean() / np.sqrt(24 / len(x)))


def _excess(along: np.ndarray) -> np.ndarray:
    """(direction,) excess kurtosis of (sample, direction)."""
    square = (along - along.mean(axis=0)) ** 2
    return np.asarray((square**2).mean(axis=0) / square.mean(axis=0) ** 2 - 3)


def left_out(x: np.ndarray, rebuilt: np.ndarray) -> float:
    """Share of the variance of x (sample, unit) that is not rebuilt."""
    return float(((x - rebuilt) ** 2).sum() / (x**2).sum())
