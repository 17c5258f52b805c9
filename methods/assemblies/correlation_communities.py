"""Units that fire together belong together: hierarchical clustering of count correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.assemblies._partitions import best_cut, binned, correlations
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class CorrelationCommunities:
    """Average linkage on 1 - correlation of counts in bins, cut where the mean silhouette is greatest.

    If no cut has a mean silhouette of `least_silhouette`, all units are one group (weak structure by Kaufman &
    Rousseeuw 1990: .26 to .50; none below). As cortical populations are divided by their correlations (Humphries 2011,
    J Neurosci 31:2321; Billeh et al. 2014). A common drive groups units as well as wiring does. Cost: n^2 of n units.
    """

    name: ClassVar[str] = "correlation_communities"
    question: ClassVar[str] = "assemblies"
    family: ClassVar[str] = "clustering"
    library: ClassVar[str] = "scipy, scikit-learn"
    needs: ClassVar[Needs] = Needs(units=2)

    width: Width = 20e-3
    most_groups: Annotated[int, Within(2, 1000)] = 30
    least_silhouette: Annotated[float, Within(-1, 1)] = 0.25

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give the silhouette of the best cut."""
        similar = correlations(binned(recording, self.width))
        group, silhouette = best_cut(np.clip(1 - similar, 0.0, 2.0), self.most_groups)
        if silhouette < self.least_silhouette:
            group = np.zeros_like(group)
        return Finding({"group": group}, notes={"silhouette": silhouette})
