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

    Subsets of one stream are nested: fewer units are the first of the more, so that a sweep of `n_units` is paired,
    and hides a growing share of one and the same network.
    """

    name: ClassVar[str] = "subsample"

    n_units: Count = 20
    """How many neurons are recorded [1]."""
    regions: tuple[str, ...] = ()
    """The regions of the anatomy that it looks at; without any named, all of them."""

    def __post_init__(self) -> None:
        check_fields(self)

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Selection:
        """Raises SimlabError where the subject, or its regions, have fewer neurons than units are asked for."""
        within = self._within(anatomy)
        if self.n_units > len(within):
            where = f" in {', '.join(self.regions)}" if self.regions else ""
            raise SimlabError(
                f"subsample: n_units must be at most the subject's {len(within)} neurons{where}, got {self.n_units}: "
                f"ask for {len(within)} or fewer, or for a larger circuit"
            )
        return Selection.of(anatomy, within[rng.permutation(len(within))[: self.n_units]])

    def _within(self, anatomy: xr.Dataset) -> np.ndarray:
        """The neurons that may be recorded (index,)."""
        region = anatomy["region"].values.astype(str)
        if strange := sorted(set(self.regions) - set(region)):
            raise SimlabError(
                f"subsample: regions must be among the subject's ({', '.join(sorted(set(region)))}), "
                f"got {', '.join(strange)}: name none of them to record anywhere"
            )
        return np.flatnonzero(np.isin(region, self.regions)) if self.regions else np.arange(anatomy.sizes["neuron"])
