"""Intrinsic dimension as that in which distances along the manifold can be kept."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dimension._spread import Smoothing, z_scored
from methods.dimension._states import denoised_states
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class IsomapDimension:
    """The least number of Isomap coordinates whose residual variance is below `residual` (Tenenbaum et al. 2000).

    Residual variance: 1 - R^2 between distances along the graph of neighbours and in so many coordinates. A closed
    curve needs two coordinates though its dimension is one: where the states form a ring or a torus, this method counts
    the dimension of the space that the manifold unrolls into, which is one more or two.
    """

    name: ClassVar[str] = "isomap_dimension"
    question: ClassVar[str] = "dimensionality"
    family: ClassVar[str] = "manifold learning"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(units=3)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.1  # s
    spacing: Width = 0.2  # s between states of a trial
    most_states: Annotated[int, Within(50, 5000)] = 800
    neighbours: Annotated[int, Within(2, 1000)] = 12
    residual: Annotated[float, Within(0, 1, excluding=(0, 1))] = 0.1  # of the variance of distances
    most: Annotated[int, Within(1, 100)] = 12  # coordinates that are tried

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The intrinsic dimension of a Recording; abstains where states are few or nothing is shared."""
        values = z_scored(recording, self.needs, self.bin_width, self.smoothing)
        if isinstance(values, Finding):
            return values
        step = recording.attrs["duration"] / values.shape[1]
        states, number = denoised_states(values, max(1, round(self.spacing / step)), self.most_states, rng)
        if not number:
            return Finding({"intrinsic": 0})
        if len(states) < 4 * self.neighbours:
            return Finding.abstain(f"needs {4 * self.neighbours} states {self.spacing} s apart, got {len(states)}")
        residuals = self._residuals(states)
        below = np.flatnonzero(residuals < self.residual)
        found = int(below[0]) + 1 if len(below) else len(residuals)
        return Finding({"intrinsic": found}, notes={"residual_variance": residuals.tolist()})

    def _residuals(self, states: np.ndarray) -> np.ndarray:
        """Residual variance with 1, 2, ... coordinates."""
        from scipy.spatial.distance import pdist, squareform
        from sklearn.manifold import Isomap

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a graph in several pieces, which it joins
            model = Isomap(n_neighbors=self.neighbours, n_components=min(self.most, len(states) - 1)).fit(states)
        along = squareform(model.dist_matrix_, checks=False)
        kept = (pdist(model.embedding_[:, : k + 1]) for k in range(model.embedding_.shape[1]))
        return np.array([1 - np.corrcoef(along, straight)[0, 1] ** 2 for straight in kept])
