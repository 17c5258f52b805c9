"""Latents by independent component analysis of smoothed activity."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.latents._factors import NFactors, refused, seen, wanted_factors
from methods.latents.pca_latents import Smoothing
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Repeats, Width


@dataclass(frozen=True)
class Ica:
    """Independent components (FastICA: Hyvarinen & Oja 2000, Neural Netw 13:411) of square-root counts, smoothed.

    They span the subspace of as many principal components, rotated: up to an affine map the answer is that of
    `pca_latents`, since no rotation of Gaussian factors is better than another. Seconds.
    """

    name: ClassVar[str] = "ica"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "independent components"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(units=3)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.05  # s, sd of the Gaussian kernel
    n_factors: NFactors = 0
    iterations: Repeats = 300

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Components of a Recording; abstains where none stands out."""
        from sklearn.decomposition import FastICA
        from sklearn.exceptions import ConvergenceWarning

        if (refusal := refused(recording, self.needs)) is not None:
            return refusal
        found = seen(recording, self.bin_width, self.smoothing)
        number = wanted_factors(found.values, self.n_factors, rng)
        if isinstance(number, Finding):
            return number
        x = found.z_scored.reshape(found.flat.shape)
        with warnings.catch_warnings():  # Gaussian factors have no best rotation to converge to
            warnings.simplefilter("ignore", ConvergenceWarning)
            seed = int(rng.integers(2**31))
            model = FastICA(number, whiten="unit-variance", max_iter=self.iterations, random_state=seed)
            return found.finding(model.fit_transform(x), recording)
