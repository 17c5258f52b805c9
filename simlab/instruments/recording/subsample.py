"""Few neurons, each seen exactly: the instrument that isolates what undersampling alone costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.instruments.recording.perfect import Selection
from simlab.rules import check_fields
from simlab.rules.quantities import Count


@dataclass(frozen=True)
class Subsample:
    """Sees a random subset of the neurons, drawn without regard to type or place, each of them exactly.

    Subsets of one stream are nested: fewer units are the first of the more, so that a sweep of `n_units` is paired.
    """

    name: ClassVar[str] = "subsample"

    n_units: Count = 20
    """How many neurons are recorded [1]."""

    def __post_init__(self) -> None:
        check_fields(self)

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Selection:
        """Raises SimlabError where the subject has fewer neurons than units are asked for."""
        n_neurons = anatomy.sizes["neuron"]
        if self.n_units > n_neurons:
            raise SimlabError(
                f"subsample: n_units must be at most the subject's {n_neurons} neurons, got {self.n_units}: "
                f"ask for {n_neurons} or fewer, or for a larger circuit"
            )
        return Selection.of(anatomy, rng.permutation(n_neurons)[: self.n_units])
