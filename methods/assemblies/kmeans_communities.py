"""Units that correlate with the same others belong together: k-means on the rows of the correlation matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.assemblies._partitions import binned, correlations, nearest_centres
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class KmeansCommunities:
    """k-means on each unit's correlations with all units, with the number of groups whose mean silhouette is greatest.

    Clustering of similarity patterns, as large imaged populations are divided into functional groups (Panier et al.
    2013; Bianco & Engert 2015; k-means by SciPy). The silhouette (Rousseeuw 1987) is of Euclidean distances between
    rows; if no number of groups reaches `least_silhouette`, all units are one group. Rows are alike for units that are
    correlated with nobody, so that these make a group too. Cost: k-means for each number of groups.
    """

    name: ClassVar[str] = "kmeans_communities"
    question: ClassVar[str] = "assemblies"
    family: ClassVar[str] = "clustering"
    library: ClassVar[str] = "scipy, scikit-learn"
    needs: ClassVar[Needs] = Needs(units=3)

    width: Width = 0.1
    most_groups: Annotated[int, Within(2, 1000)] = 20
    least_silhouette: Annotated[float, Within(-1, 1)] = 0.25

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give the silhouette of the best number of groups."""
        from sklearn.metrics import silhouette_score

        rows = correlations(binned(recording, self.width))
        np.fill_diagonal(rows, 0.0)
        best, quality = np.zeros(len(rows), dtype=int), self.least_silhouette
        for n in range(2, min(self.most_groups, len(rows) - 1) + 1):
            group = nearest_centres(rows, n, rng)
            if len(np.unique(group)) > 1 and (found := float(silhouette_score(rows, group))) > quality:
                best, quality = group, found
        return Finding({"group": best}, notes={"silhouette": quality})
