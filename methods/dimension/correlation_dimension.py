"""Intrinsic dimension from how the number of pairs of states grows with the distance within which they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dimension._spread import Smoothing, z_scored
from methods.dimension._states import denoised_states
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Width

FEWEST = 50
"""States below which pairs at two distances say nothing of a manifold."""


@dataclass(frozen=True)
class CorrelationDimension:
    """Correlation dimension (Grassberger & Procaccia 1983, Physica D 9:189) of smoothed states.

    The slope of log C(r), C(r) the share of pairs of states nearer than r, between the radii at which half of the
    states have `nearer` and `farther` shares of all states about them (scales by neighbours, as in Levina & Bickel
    2004). States of a trial are `spacing` apart, so that pairs are not just neighbours in time (Theiler 1986, Phys Rev
    A 34:2427), and are projected on components above shifted data. The scale can be set larger than that of nearest
    neighbours, where noise is; at one as large as the manifold its ends and bends count as well, and the slope falls.
    As a rule of thumb, no more than 2 log10(states) dimensions are seen (Eckmann & Ruelle 1992, Physica D 56:185). A
    second for 1500 states.
    """

    name: ClassVar[str] = "correlation_dimension"
    question: ClassVar[str] = "dimensionality"
    family: ClassVar[str] = "neighbour distances"
    library: ClassVar[str] = "scikit-dimension"
    needs: ClassVar[Needs] = Needs(units=3)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.1  # s
    spacing: Width = 0.2  # s between states of a trial
    most_states: Annotated[int, Within(FEWEST, 10_000)] = 1500
    nearer: Annotated[float, Within(0, 1, excluding=(0, 1))] = 0.01  # share of all states
    farther: Annotated[float, Within(0, 1, excluding=(0, 1))] = 0.05

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.nearer < self.farther, f"nearer must be below farther, {self.farther}, got {self.nearer}: swap them"
        )

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The intrinsic dimension of a Recording; abstains where states are few or nothing is shared."""
        values = z_scored(recording, self.needs, self.bin_width, self.smoothing)
        if isinstance(values, Finding):
            return values
        step = recording.attrs["duration"] / values.shape[1]
        states, number = denoised_states(values, max(1, round(self.spacing / step)), self.most_states, rng)
        if number < 2:
            return Finding({"intrinsic": number})  # a point, or a line, whatever the distances
        states = np.unique(states, axis=0)
        if len(states) < FEWEST:
            return Finding.abstain(f"needs {FEWEST} states that are {self.spacing} s apart, got {len(states)}")
        found = self._slope(states)
        return Finding({"intrinsic": max(1, round(found))}, notes={"dimension": found, "components": number})

    def _slope(self, states: np.ndarray) -> float:
        from skdim.id import CorrInt

        near = max(1, round(self.nearer * len(states)))
        far = min(max(near + 1, round(self.farther * len(states))), len(states) - 1)
        return float(CorrInt(near, far).fit(states).dimension_)
