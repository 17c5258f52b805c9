"""Objects in contexts, and cells for either, for their sum and for their conjunction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from circuits.coding import pictures
from circuits.coding.pictures import Beholder, Cells, Firing, Screening
from simlab.contracts import Regime
from simlab.rules import check_fields, require

PREFRONTAL = Regime(
    "neurons of the prefrontal cortex in a task of memory: a few Hz (Rigotti et al. 2013, Nature 497:585)",
    rate=(0.5, 20), silent=(0, 0.2), interval_cv=(0.8, 2.5), fano=(0.8, 3.0), correlation=(-0.1, 0.2),
)  # fmt: skip


@dataclass(frozen=True)
class MixedSelectivity:
    """A picture shows an object o in a context m; each cell i has an object and a context of its own, o_i and m_i.

        object cells:       a_i = [o = o_i]                          pure
        context cells:      a_i = [m = m_i]                          pure, but of no object
        additive cells:     a_i = ([o = o_i] + [m = m_i]) / 2        linearly mixed
        conjunctive cells:  a_i = [o = o_i] [m = m_i]                nonlinearly mixed (Rigotti et al. 2013)

    and fires at baseline_i + gain_i a_i. Each object is a concept, and its pictures are the contexts that it is in.

    Truth of `selectivity`: the object of an object cell. A cell of a mixture does depend on its object, but not on it
    alone, and is none; so is a cell of a context, in which any object may be.
    """

    name: ClassVar[str] = "mixed_selectivity"
    mechanism: ClassVar[str] = "mixed selectivity"
    questions: ClassVar[tuple[str, ...]] = ("selectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = PREFRONTAL

    object_cells: Cells = 15
    context_cells: Cells = 15
    additive_cells: Cells = 15
    conjunctive_cells: Cells = 15
    shown: Screening = field(default_factory=lambda: Screening(concepts=8, pictures=4))
    """As many objects as concepts, in as many contexts as pictures of each."""
    firing: Firing = field(default_factory=lambda: Firing(baseline=2.0, baseline_spread=0.5, latency=0.1))

    def __post_init__(self) -> None:
        check_fields(self)
        require(sum(self.numbers) > 0, "there must be a cell of some kind, got 0 of each: raise object_cells")

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """Cells for objects, contexts, sums and conjunctions."""
        return self.object_cells, self.context_cells, self.additive_cells, self.conjunctive_cells

    def subject(self, rng: np.random.Generator) -> Beholder:
        """One animal: the object and the context of each of its cells."""
        size = (self.shown.concepts, self.shown.pictures)
        mine = [rng.integers(0, n, sum(self.numbers))[:, None, None] for n in size]
        grid = np.ogrid[: size[0], : size[1]]
        this, here = (np.equal(at, own).astype(float) for at, own in zip(grid, mine, strict=True))
        kinds = np.stack(np.broadcast_arrays(this, here, (this + here) / 2, this * here))
        kind = np.repeat(np.arange(4), self.numbers)
        response = kinds[kind, np.arange(len(kind))]
        codes = pictures.codes(response, self.shown.names)
        return Beholder.placed(self, response.reshape(len(kind), -1), codes, rng)
