"""Assemblies as oblique factors: principal components that stand out, rotated to simple structure by promax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.assemblies._partitions import above_chance, binned, standardised
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width

LEAST_SPREAD = 1e-6
"""Of loadings over units: below it they differ by rounding, as those of units that are all alike do."""

ROUNDS = 100
"""Of varimax at most: some dozen suffice."""


@dataclass(frozen=True)
class PromaxAssemblies:
    """Loadings of principal components beyond Marchenko & Pastur's bound, made simple by a promax rotation.

    Varimax (Kaiser 1958), then the oblique rotation to its loadings raised to the power of `power` (Hendrickson & White
    1964), as Romano et al. (2015, Neuron 85:1070) found assemblies of the optic tectum, which may share units. A unit
    belongs to the component on which its loading, in standard deviations over units, is largest, if that exceeds a
    threshold: the lowest point between the two highest peaks of the density of those largest loadings over units
    (after Romano et al. 2015), or `otherwise` where there is one peak. The rest are groups of their own; without any
    component all are one. Cost: an eigendecomposition.
    """

    name: ClassVar[str] = "promax_assemblies"
    question: ClassVar[str] = "assemblies"
    family: ClassVar[str] = "dimension reduction"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=3)

    width: Width = 0.1
    power: Annotated[int, Within(1, 10)] = 4
    otherwise: Annotated[float, Within(0, 10)] = 1.0
    """Standard deviations: a unit that shares a component with a third of all has 1.4."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give the number of components and the threshold."""
        z, varied = standardised(binned(recording, self.width))
        if z.shape[1] < 3 or len(z) <= z.shape[1]:
            return Finding.abstain(f"{z.shape[1]} active units in {len(z)} bins: too few to correlate")
        values, vectors = above_chance(z)
        n = len(varied)
        if not len(values):
            return Finding({"group": np.zeros(n, dtype=int)}, notes={"components": 0})
        loadings = promax(vectors * np.sqrt(values), self.power)
        loadings *= np.sign((loadings**3).sum(axis=0))  # the side on which few units weigh much
        scaled = (loadings - loadings.mean(axis=0)) / np.maximum(loadings.std(axis=0), LEAST_SPREAD)
        largest = scaled.max(axis=1)
        threshold = _threshold(largest, self.otherwise)
        group, which = len(values) + np.arange(n), np.flatnonzero(varied)
        group[which[largest > threshold]] = scaled.argmax(axis=1)[largest > threshold]
        return Finding({"group": group}, notes={"components": len(values), "threshold": threshold})


def _threshold(largest: np.ndarray, otherwise: float) -> float:
    """The lowest point between the two highest peaks of the density of largest loadings (unit,)."""
    from scipy.stats import gaussian_kde

    if np.ptp(largest) < 1e-9:
        return otherwise
    at = np.linspace(largest.min(), largest.max(), 200)
    density = gaussian_kde(largest)(at)
    inner = density[1:-1]
    peaks = np.flatnonzero((inner > density[:-2]) & (inner >= density[2:])) + 1
    if len(peaks) < 2:
        return otherwise
    first, last = np.sort(peaks[np.argsort(density[peaks])[-2:]])
    return float(at[first + density[first:last].argmin()])


def varimax(loadings: np.ndarray) -> np.ndarray:
    """Loadings (unit, component) rotated so that their squares vary most within components (Kaiser 1958)."""
    k = loadings.shape[1]
    turn, before = np.eye(k), 0.0
    for _ in range(ROUNDS):
        turned = loadings @ turn
        target = turned**3 - turned * (turned**2).mean(axis=0)
        u, s, v = np.linalg.svd(loadings.T @ target)
        turn = u @ v
        if s.sum() < before * (1 + 1e-8):
            break
        before = s.sum()
    return np.asarray(loadings @ turn)


def promax(loadings: np.ndarray, power: int) -> np.ndarray:
    """Loadings (unit, component) on oblique factors: nearest to those of varimax raised to a power, signs kept."""
    if loadings.shape[1] == 1:
        return loadings
    turned = varimax(loadings)
    target = turned * np.abs(turned) ** (power - 1)
    turn = np.linalg.lstsq(turned, target, rcond=None)[0]
    turn *= np.sqrt(np.diagonal(np.linalg.pinv(turn.T @ turn)))
    return np.asarray(turned @ turn)
