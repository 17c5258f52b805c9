"""The verdict 'attractor' from shape alone: population activity that is low-dimensional and forms a ring."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.population._population import (
    lay_out,
    participation_ratio,
    significant_components,
    smoothed,
    spectrum,
    two_label_finding,
)
from methods.population.persistent_homology import PersistentHomology
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Count

RING = (1, 1, 0)


@dataclass(frozen=True)
class DimensionAndHomology:
    """Says attractor if few principal components exceed shuffled data and the states form a ring.

    The argument of Chaudhuri et al. (2019) and, for tori, Gardner et al. (2022): a low-dimensional manifold of the
    topology that the theory predicts, seen also without the stimulus, is the signature of a continuous attractor.
    Abstains where persistent homology does.
    """

    name: ClassVar[str] = "dimension_and_homology"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "topological data analysis"
    library: ClassVar[str] = "gudhi"
    needs: ClassVar[Needs] = PersistentHomology.needs

    attractor: str = "ring attractor"
    rival: str = "feedforward"
    max_components: Count = 6  # more significant principal components than this are not low-dimensional
    homology: PersistentHomology = field(default_factory=PersistentHomology)

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording, with its dimensionality and Betti numbers in the notes."""
        shape = self.homology.analyse(recording, rng)
        if shape.abstained:
            return shape
        x = lay_out(smoothed(recording, self.homology.bin_width, self.homology.smoothing)[0])
        n_components = significant_components(x, self.homology.n_shuffles, rng)
        betti = tuple(int(shape.estimate[b]) for b in ("b0", "b1", "b2"))
        sure = max(0.51, shape.confidence or 0.0)  # the verdict follows the shape, however doubtful that is
        found = betti == RING and 1 < n_components <= self.max_components
        notes: dict[str, object] = {
            "betti": betti,
            "significant_components": n_components,
            "participation_ratio": participation_ratio(spectrum(x)),
        }
        return two_label_finding(
            recording.attrs.get("brief", {}), self.attractor, self.rival, sure if found else 1.0 - sure, notes
        )
