"""Concept cells by the criterion of those who found them: five standard deviations above the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.coding._pictures import NEEDS, named, responses, shares, viewed
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share


@dataclass(frozen=True)
class FiveSigmaResponse:
    """A unit is called by a concept if it responds to pictures of that one alone.

    It responds to a picture if the median over its presentations exceeds the mean count before all pictures by five
    standard deviations, and is of two spikes or more, 0.3 to 1 s after the onset (Quian Quiroga et al. 2005, Nature
    435:1102). Of the concept's pictures it must respond to `least_pictures`; 0: to any one, as in a screening. Nothing
    is asked about concepts that were not shown. Cost: a median for each picture and unit.
    """

    name: ClassVar[str] = "five_sigma_response"
    question: ClassVar[str] = "selectivity"
    family: ClassVar[str] = "response criterion"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    n_sigma: Annotated[float, Within(0, 100)] = 5.0
    least_spikes: Annotated[float, Within(0, 1000)] = 2.0
    least_pictures: Share = 0.5

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's concept."""
        found = viewed(recording, self.needs)
        if isinstance(found, Finding):
            return found
        responded = responses(found, self.n_sigma, self.least_spikes)
        if isinstance(responded, Finding):
            return responded
        share = shares(responded, found.concept)
        alone = (share > 0).sum(axis=0) == 1
        concept = named(share.argmax(axis=0), alone & (share.max(axis=0) >= self.least_pictures), found.names)
        return Finding({"concept": concept}, notes={"pictures": responded.sum(axis=0).tolist()})
