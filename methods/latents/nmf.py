"""Latents by non-negative matrix factorisation of smoothed counts."""

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
class Nmf:
    """Smoothed counts as sums of non-negative parts (Lee & Seung 1999, Nature 401:788): population modes that only add.

    Parts are what fits rates that are sums of non-negative factors; log rates that are sums are not that. A signal with
    negative values is abstained from. The number is that of components above shifted data, unless it is given, and
    since one part is needed for what is always there, one more. Seconds.
    """

    name: ClassVar[str] = "nmf"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "matrix factorisation"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(units=3)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.05  # s, sd of the Gaussian kernel
    n_factors: NFactors = 0
    iterations: Repeats = 300

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Parts of a Recording; abstains where none stands out or values are negative."""
        from sklearn.decomposition import NMF
        from sklearn.exceptions import ConvergenceWarning

        if (refusal := refused(recording, self.needs)) is not None:
            return refusal
        found = seen(recording, self.bin_width, self.smoothing, root=False)
        if found.flat.min() < 0:
            return Finding.abstain("needs activity that is never negative, and this signal is")
        number = wanted_factors(found.values, self.n_factors, rng)
        if isinstance(number, Finding):
            return number
        number += self.n_factors == 0
        x = found.flat / found.flat.std(axis=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            parts = NMF(
                min(number, x.shape[1]), init="nndsvda", max_iter=self.iterations, random_state=0
            ).fit_transform(x)
        return found.finding(parts, recording)
