"""Linear dimension as so many principal components as hold most of the variance, or lie above the scree's elbow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.dimension._spread import Smoothing, end_to_end, z_scored
from methods.population._population import spectrum
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class PcaScree:
    """The number of principal components that hold `share` of the variance, or that stand above the elbow.

    The elbow is the point of the scree plot (Cattell 1966) that lies farthest below the line from its first to its last
    eigenvalue. Both count what there is in noise too: neither says what a population without dimensions would give.
    """

    name: ClassVar[str] = "pca_scree"
    question: ClassVar[str] = "dimensionality"
    family: ClassVar[str] = "principal components"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = Needs(units=3)

    criterion: Literal["variance", "elbow"] = "variance"
    share: Annotated[float, Within(0, 1, excluding=(0,))] = 0.9  # of the variance (the literature's 80 to 95%)
    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.05  # s

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The linear dimension of a Recording."""
        values = z_scored(recording, self.needs, self.bin_width, self.smoothing)
        if isinstance(values, Finding):
            return values
        sizes = np.maximum(spectrum(end_to_end(values)), 0.0)
        if self.criterion == "elbow":
            return Finding({"linear": elbow(sizes)})
        held = np.cumsum(sizes) / sizes.sum()
        return Finding({"linear": int((held < self.share - 1e-12).sum()) + 1})


def elbow(falling: np.ndarray) -> int:
    """How many of these falling values stand before the one that is farthest below the line from first to last."""
    line = np.linspace(falling[0], falling[-1], len(falling))
    return int(np.argmax(line - falling))
