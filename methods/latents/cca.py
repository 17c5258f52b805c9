"""Latents by canonical correlation of two halves of the units: what both halves know is shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.latents._factors import NFactors, refused, seen
from methods.latents.pca_latents import Smoothing
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Width


@dataclass(frozen=True)
class Cca:
    """Canonical variates of two random halves of the units, averaged over both: Hotelling 1936, Biometrika 28:321.

    What a unit does alone correlates with nothing in the other half. Each half is first reduced to as many principal
    components as `per_half` allows. The number of factors is that of canonical correlations above the largest of
    `n_shifts` controls, in which the halves are shifted against each other in time by a random lag, unless it is given:
    where nothing is shared, one in n_shifts + 1 is claimed. A decomposition for each shift: seconds.
    """

    name: ClassVar[str] = "cca"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "canonical correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=6)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.05  # s, sd of the Gaussian kernel
    n_factors: NFactors = 0
    per_half: Annotated[int, Within(1, 1000)] = 15  # principal components of each half at most
    n_shifts: Repeats = 40

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Shared variates of a Recording; abstains where none exceeds shifted data."""
        if (refusal := refused(recording, self.needs)) is not None:
            return refusal
        found = seen(recording, self.bin_width, self.smoothing)
        x: np.ndarray = found.z_scored.reshape(found.flat.shape)
        half = np.array_split(rng.permutation(x.shape[1]), 2)
        one, other = (_basis(x[:, units], self.per_half) for units in half)
        left, correlation, right = np.linalg.svd(one.T @ other, full_matrices=False)
        number = min(self.n_factors or self._shared(one, other, correlation, rng), len(correlation))
        if not number:
            return Finding.abstain("no canonical correlation of two halves of the units exceeds shifted data")
        variates = one @ left[:, :number] + other @ right[:number].T
        return found.finding(variates, recording, canonical_correlations=correlation[:number].tolist())

    def _shared(self, one: np.ndarray, other: np.ndarray, correlation: np.ndarray, rng: np.random.Generator) -> int:
        """How many leading correlations exceed the largest of halves that are shifted against each other."""
        lags = rng.integers(1, len(one), self.n_shifts)
        null = [np.linalg.norm(one.T @ np.roll(other, int(lag), axis=0), 2) for lag in lags]
        return int((correlation > max(null)).sum())


def _basis(x: np.ndarray, most: int) -> np.ndarray:
    """Orthonormal (sample, component): the first principal components of x (sample, unit)."""
    left, size, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    kept = size > 1e-9 * size.max(initial=0.0)
    return left[:, kept][:, :most]
