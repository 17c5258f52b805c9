"""The retina of `tied_retina`, in which every cell has a filter of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.coding import visual
from circuits.coding.tied_retina import TiedRetina
from circuits.coding.visual import Look, VisualSubject
from simlab.rules import check_fields


@dataclass(frozen=True)
class UntiedRetina:
    """As many cells as in `like`, at the same places, with filters drawn by the same law for each.

    Truth of `assemblies`: one group, as no two cells have more in common than others.
    """

    name: ClassVar[str] = "untied_retina"
    mechanism: ClassVar[str] = "filters of their own"
    twin_of: ClassVar[tuple[str, ...]] = ("tied_retina",)
    questions: ClassVar[tuple[str, ...]] = ("receptive_field", "assemblies", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: TiedRetina = field(default_factory=TiedRetina)  # whose places, rates and frames these are

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def look(self) -> Look:
        """What is shown."""
        return self.like.look

    @property
    def mean_rate(self) -> float:
        """Hz, median over cells."""
        return self.like.mean_rate

    @property
    def rate_spread(self) -> float:
        """Standard deviation of log rates over cells."""
        return self.like.rate_spread

    @property
    def spontaneous(self) -> float:
        """Share of the mean rate."""
        return self.like.spontaneous

    def imitating(self, circuit: TiedRetina) -> UntiedRetina:
        """A copy that is matched to this retina."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> VisualSubject:
        """One animal: a filter for each cell."""
        number = self.like.types * self.like.n_places
        own, _ = visual.gabors(number, self.like.patch, rng)
        patches = own.reshape(self.like.types, self.like.n_places, -1)
        return self.like.seeing(patches, np.zeros(number, dtype=int), self, rng)
