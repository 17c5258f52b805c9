"""Latents by factor analysis of smoothed activity: what is shared, apart from what each unit does alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.latents._factors import NFactors, refused, seen, wanted_factors
from methods.latents.pca_latents import Smoothing
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class FactorAnalysis:
    """Maximum-likelihood factor analysis of square-root counts, smoothed in time; posterior means of the factors.

    Unlike principal components it gives each unit a private variance (Everitt 1984; Santhanam et al. 2009, J
    Neurophysiol 102:1315), so that noisy units do not become factors. The number is found as by `pca_latents`. Seconds.
    """

    name: ClassVar[str] = "factor_analysis"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "factor analysis"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(units=3)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.05  # s, sd of the Gaussian kernel
    n_factors: NFactors = 0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Factors of a Recording; abstains where none stands out."""
        from sklearn.decomposition import FactorAnalysis as Model

        if (refusal := refused(recording, self.needs)) is not None:
            return refusal
        found = seen(recording, self.bin_width, self.smoothing)
        number = wanted_factors(found.values, self.n_factors, rng)
        if isinstance(number, Finding):
            return number
        x = found.z_scored.reshape(found.flat.shape)
        return found.finding(Model(number, svd_method="lapack").fit_transform(x), recording)
