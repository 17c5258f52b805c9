"""Linear dimension as the participation ratio of the covariance's eigenvalues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.dimension._spread import Smoothing, end_to_end, z_scored
from methods.population._population import participation_ratio, spectrum
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class ParticipationRatio:
    """(sum of eigenvalues)^2 / sum of their squares, rounded (Gao et al. 2017, bioRxiv 214262; Litwin-Kumar 2017).

    It weighs dimensions by their variance, so that it is no count of factors, and it takes private noise for
    dimensions: N independent units in M independent samples give N M / (N + M). `corrected` takes that chance level out
    of the second moment: tr(C^2) less (tr C)^2 / M, unbiased for Gaussian samples that are independent of one another.
    """

    name: ClassVar[str] = "participation_ratio"
    question: ClassVar[str] = "dimensionality"
    family: ClassVar[str] = "participation ratio"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=3)

    corrected: bool = False
    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.05  # s

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The linear dimension of a Recording."""
        values = z_scored(recording, self.needs, self.bin_width, self.smoothing)
        if isinstance(values, Finding):
            return values
        sizes, samples = spectrum(end_to_end(values)), values.shape[0] * values.shape[1]
        ratio = participation_ratio(sizes)
        if self.corrected:
            second = float((sizes**2).sum()) - float(sizes.sum()) ** 2 / samples
            ratio = min(float(sizes.sum()) ** 2 / second, len(sizes)) if second > 0 else float(len(sizes))
        return Finding({"linear": round(ratio)}, notes={"participation_ratio": ratio})
