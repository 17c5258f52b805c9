"""Cell assemblies as independent components of the significant principal ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.assemblies._partitions import binned, standardised
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class IcaAssemblies:
    """As many components as eigenvalues of the correlation matrix exceed the Marchenko-Pastur bound, made independent.

    Lopes-dos-Santos, Ribeiro & Tort 2013 (J Neurosci Methods 220:149), with scikit-learn's FastICA. A unit belongs to
    the component in which its weight is largest; to none, a group of its own, where no weight exceeds 1 / sqrt(n)
    (their rule of thumb: that of a unit that shares equally). Overlapping assemblies are forced into a partition. Cost:
    that of an eigendecomposition and a few dozen steps of FastICA.
    """

    name: ClassVar[str] = "ica_assemblies"
    question: ClassVar[str] = "assemblies"
    family: ClassVar[str] = "dimension reduction"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(units=3)

    width: Width = 20e-3

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give the number of components; without any, all units are one group."""
        values = binned(recording, self.width)
        n_bins, n_units = values.shape
        z, varied = standardised(values)
        if z.shape[1] < 2 or n_bins <= z.shape[1]:
            return Finding.abstain(f"{int(varied.sum())} active units in {n_bins} bins: too few to correlate")
        eigenvalues, vectors = np.linalg.eigh(z.T @ z / n_bins)
        n_components = int((eigenvalues > (1 + np.sqrt(z.shape[1] / n_bins)) ** 2).sum())
        group = np.arange(n_units) + n_components
        if n_components == 0:
            return Finding({"group": np.zeros(n_units, dtype=int)}, notes={"components": 0})
        weights = np.abs(_independent(z, vectors[:, -n_components:], rng))
        kept = np.flatnonzero(varied)[weights.max(axis=1) > 1 / np.sqrt(n_units)]
        group[kept] = weights.argmax(axis=1)[weights.max(axis=1) > 1 / np.sqrt(n_units)]
        return Finding({"group": group}, notes={"components": n_components})


def _independent(z: np.ndarray, basis: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(unit, component) weights of unit length of the independent components in the space of the basis."""
    import warnings

    from sklearn.decomposition import FastICA

    if basis.shape[1] == 1:
        return basis
    ica = FastICA(whiten="unit-variance", max_iter=500, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged: the weights of the last step are as good a guess as any
        ica.fit(z @ basis)
    weights = basis @ ica.components_.T
    return weights / np.maximum(np.linalg.norm(weights, axis=0), 1e-12)
