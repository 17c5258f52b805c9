"""A convolutional retina: a few filters, each repeated over the visual field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np

from circuits.coding import visual
from circuits.coding.v1_simple import half_squared
from circuits.coding.visual import Look, MeanRate, Spread, VisualSubject
from simlab.contracts import Regime
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Share

GANGLION_CELLS = Regime(
    "ganglion cells that look at noise: some Hz on average, in bursts of firing between silences (Berry, Warland & "
    "Meister 1997, PNAS 94:5411; Chichilnisky & Kalmar 2002, J Neurosci 22:2737)",
    rate=(0.5, 40), silent=(0, 0.1), interval_cv=(0.8, 2.5), fano=(0.5, 4.0), correlation=(-0.1, 0.3),
)  # fmt: skip


@dataclass(frozen=True)
class TiedRetina:
    """Cells of a few types; those of one type have one filter, each at its own place.

        rate_i = r_i ( spontaneous + (1 - spontaneous) 2 [ w_{type(i)} . s(place(i)) ]+^2 )   while frame s is shown

    s(place): the patch of the frame there. Places form a lattice, the same for all types, as cells of a type tile the
    retina (Wassle 2004, Nat Rev Neurosci 5:747); filters are Gabors of few cycles, from on- and off-centre to
    oriented; the rest is as in `v1_simple`. So many cells have but few ways to differ: what convolutional models of
    retina and cortex assume (Klindt et al. 2017, NIPS 30; Ecker et al. 2019, ICLR).

    Truth of `receptive_field`: w in its place; of `assemblies`: the cells that share a filter.
    """

    name: ClassVar[str] = "tied_retina"
    mechanism: ClassVar[str] = "tied filters"
    questions: ClassVar[tuple[str, ...]] = ("receptive_field", "assemblies", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = GANGLION_CELLS

    types: Annotated[int, Within(1, 100)] = 4
    patch: Annotated[int, Within(3, 64)] = 6  # pixels along a side of what a cell sees
    stride: Annotated[int, Within(1, 64)] = 2  # pixels between neighbours
    mean_rate: MeanRate = 6.0  # Hz, median over cells
    rate_spread: Spread = 0.3  # standard deviation of log rates over cells
    spontaneous: Share = 0.1  # of the mean rate
    look: Look = field(default_factory=lambda: Look(side=10))

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.patch <= self.look.side,
            f"patch must fit the frame of {self.look.side} pixels, got {self.patch}: show larger frames",
        )

    @property
    def n_places(self) -> int:
        """Of each type."""
        return len(self._corners()) ** 2

    def _corners(self) -> range:
        return range(0, self.look.side - self.patch + 1, self.stride)

    def placed(self, patches: np.ndarray) -> np.ndarray:
        """(type x place, pixel): each of the patches (type or cell, place or 1, pixel of a patch) in its place."""
        side, size, corners = self.look.side, self.patch, self._corners()
        filters = np.zeros((len(patches), self.n_places, side, side))
        small = np.broadcast_to(patches, (len(patches), self.n_places, size**2)).reshape(-1, self.n_places, size, size)
        for place, (row, column) in enumerate((row, column) for row in corners for column in corners):
            filters[:, place, row : row + size, column : column + size] = small[:, place]
        return filters.reshape(-1, side**2)

    def seeing(
        self, patches: np.ndarray, alike: np.ndarray, circuit: object, rng: np.random.Generator
    ) -> VisualSubject:
        """An animal with these patches, in the name of `circuit`, which has this one's rates and frames."""
        filters = visual.unit_drive(self.placed(patches), self.look.side, self.look.frames)
        nothing = np.zeros_like(filters)
        return VisualSubject.responding(
            circuit, (filters, nothing), lambda frames: half_squared(frames @ filters.T), rng, alike
        )

    def subject(self, rng: np.random.Generator) -> VisualSubject:
        """One animal: its filters, and its cells' rates."""
        bank, _ = visual.gabors(self.types, self.patch, rng)
        return self.seeing(bank[:, None], np.repeat(np.arange(self.types), self.n_places), self, rng)
