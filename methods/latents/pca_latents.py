"""Latents as principal components of smoothed activity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.latents._factors import NFactors, Seen, refused, seen, wanted_factors
from methods.population._population import varying
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width

Smoothing = Annotated[float, Within(0, 20, "s")]
Condition = Annotated[int, Within(-1, 10_000)]


@dataclass(frozen=True)
class PcaLatents:
    """The first principal components of square-root counts, smoothed in time: the field's first look at a population.

    The number is that of components above shifted data (parallel analysis, Horn 1965) unless it is given. `fitted_on`
    fits mean, axes and their number on the trials of one condition, and projects all trials on them: the summary of one
    set of stimuli, carried to others. A few singular value decompositions of (samples x units): seconds.
    """

    name: ClassVar[str] = "pca_latents"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "principal components"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = Needs(units=3)

    bin_width: Width = 0.02  # s, of spike counts (Yu et al. 2009: 20 ms)
    smoothing: Smoothing = 0.05  # s, sd of the Gaussian kernel (Yu et al. 2009: 20 to 100 ms, best near 50)
    n_factors: NFactors = 0
    fitted_on: Condition = -1  # a condition; -1: all trials
    scaled: bool = True  # each unit to unit variance, so that busy units do not make the components

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Components of a Recording, in order of variance; abstains where none stands out."""
        if (refusal := refused(recording, self.needs)) is not None:
            return refusal
        found = seen(recording, self.bin_width, self.smoothing)
        chosen = self._fitted(recording)
        if not chosen.any():
            return Finding.abstain(f"no trial has the condition {self.fitted_on} that this is fitted on")
        return self._finding(found, chosen, recording, rng)

    def _fitted(self, recording: xr.Dataset) -> np.ndarray:
        """(trial,) bool: which are fitted."""
        if self.fitted_on < 0:
            return np.ones(recording.sizes["trial"], dtype=bool)
        if "condition" not in recording:
            return np.zeros(recording.sizes["trial"], dtype=bool)
        return np.asarray(recording["condition"].values == self.fitted_on)

    def _finding(self, found: Seen, chosen: np.ndarray, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        fit = found.values[chosen].reshape(-1, found.values.shape[2])
        moving = varying(fit)
        if moving.sum() < self.needs.units:
            return Finding.abstain(f"{moving.sum()} units are active in the trials that this is fitted on")
        fit, everything = fit[:, moving], found.flat[:, moving]
        scale = fit.std(axis=0) if self.scaled else 1.0
        x = (fit - fit.mean(axis=0)) / scale
        number = wanted_factors(found.values[chosen][:, :, moving], self.n_factors, rng)
        if isinstance(number, Finding):
            return number
        _, size, axes = np.linalg.svd(x, full_matrices=False)
        scores = (everything - fit.mean(axis=0)) / scale @ axes[:number].T
        return found.finding(scores, recording, variance_share=(size**2 / (size**2).sum())[:number].tolist())
