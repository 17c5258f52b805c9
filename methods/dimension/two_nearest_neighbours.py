"""Intrinsic dimension from the ratio of the distances to the two nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dimension._spread import Smoothing, z_scored
from methods.dimension._states import denoised_states
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width

FEWEST = 30
"""States below which distances to neighbours say nothing of a manifold."""


@dataclass(frozen=True)
class TwoNearestNeighbours:
    """TwoNN (Facco et al. 2017, Sci Rep 7:12140) on smoothed states, projected on components above shifted data.

    The ratio of the second to the first neighbour's distance is Pareto distributed with the intrinsic dimension as its
    exponent, whatever the density. Noise has as many dimensions as the space that it lies in, and at the scale of
    nearest neighbours it is noise that is seen: the estimate lies between the manifold's dimension and the number of
    components.
    """

    name: ClassVar[str] = "two_nearest_neighbours"
    question: ClassVar[str] = "dimensionality"
    family: ClassVar[str] = "neighbour distances"
    library: ClassVar[str] = "scikit-dimension"
    needs: ClassVar[Needs] = Needs(units=3)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.1  # s
    spacing: Width = 0.2  # s between states of a trial
    most_states: Annotated[int, Within(FEWEST, 10_000)] = 1500
    discarded: Annotated[float, Within(0, 0.9)] = 0.1  # share of the largest ratios, which the fit leaves out

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The intrinsic dimension of a Recording; abstains where states are few or nothing is shared."""
        values = z_scored(recording, self.needs, self.bin_width, self.smoothing)
        if isinstance(values, Finding):
            return values
        step = recording.attrs["duration"] / values.shape[1]
        states, number = denoised_states(values, max(1, round(self.spacing / step)), self.most_states, rng)
        states = np.unique(states, axis=0)
        if number < 2:
            return Finding({"intrinsic": number})  # a point, or a line, whatever the distances
        if len(states) < FEWEST:
            return Finding.abstain(f"needs {FEWEST} states that are {self.spacing} s apart, got {len(states)}")
        from skdim.id import TwoNN

        found = float(TwoNN(discard_fraction=self.discarded).fit(states).dimension_)
        return Finding({"intrinsic": max(1, round(found))}, notes={"dimension": found, "components": number})
