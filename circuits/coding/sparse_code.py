"""A sparse distributed code: cells that respond to many concepts, few of which anybody has the time to show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Literal

import numpy as np

from circuits.coding import pictures
from circuits.coding.concept_hierarchy import ConceptHierarchy
from circuits.coding.pictures import TEMPORAL_LOBE, Beholder, Firing, Screening
from simlab.contracts import Regime
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Share

MOST_RESPONSES = 2e8
"""Cells times pictures of all that is known."""


@dataclass(frozen=True)
class SparseCode:
    """The cells of `like`, but that each of its concept cells responds to a random set.

        over="concepts":  c_ik  = 1 with probability `sparseness`, else 0:   to a concept k, in all its pictures
        over="pictures":  c_ikm = 1 with probability `sparseness`, else 0:   to picture m of concept k alone

    of all `known` concepts. Waydo et al. (2006, J Neurosci 26:10232) call the probability sparseness, and find what is
    known of concept cells to agree with it: of S concepts that are shown, such a cell responds to exactly one with
    probability S a (1 - a)^(S - 1), and to a known of them all. An adult knows some 10,000 to 30,000 objects
    (Biederman 1987, Psychol Rev 94:115). As sparse as `like`: as many responses to what is shown, on average.

    Truth of `selectivity`: as there, over all that is known; none, unless sparseness x known is about one.
    """

    name: ClassVar[str] = "sparse_code"
    mechanism: ClassVar[str] = "sparse distributed code"
    twin_of: ClassVar[tuple[str, ...]] = ("concept_hierarchy",)
    questions: ClassVar[tuple[str, ...]] = ("selectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = TEMPORAL_LOBE

    like: ConceptHierarchy = field(default_factory=ConceptHierarchy)  # whose other cells, pictures and rates these are
    sparseness: Share = 0.025
    known: Annotated[int, Within(1, 100_000)] = 10_000  # concepts
    over: Literal["concepts", "pictures"] = "concepts"

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.known >= self.shown.concepts,
            f"known must be at least the {self.shown.concepts} concepts that are shown, got {self.known}: know more",
        )
        size = self.like.concept_cells * self.known * self.shown.pictures
        require(
            size <= MOST_RESPONSES,
            f"concept_cells x known x pictures must be <= {MOST_RESPONSES:g}, got {size:g}: know fewer concepts",
        )

    @property
    def shown(self) -> Screening:
        """What is shown."""
        return self.like.shown

    @property
    def firing(self) -> Firing:
        """How its cells fire."""
        return self.like.firing

    def imitating(self, circuit: ConceptHierarchy) -> SparseCode:
        """A copy that is as sparse as these cells: `familiar` of them respond to one of the concepts shown."""
        return replace(self, like=circuit, sparseness=min(circuit.familiar / circuit.shown.concepts, 1.0))

    def subject(self, rng: np.random.Generator) -> Beholder:
        """One person: the feature and part cells of one of `like`, and what the others respond to."""
        like, twin = self.like, self.like.subject(rng)
        lower, n_shown = like.feature_cells + like.part_cells, self.shown.concepts
        views = self.shown.pictures if self.over == "pictures" else 1
        drawn = rng.random((like.concept_cells, self.known, views), dtype=np.float32) < self.sparseness
        codes = twin.codes.first(lower).with_more(pictures.codes(drawn, self.shown.names))
        seen = np.broadcast_to(drawn[:, :n_shown], (len(drawn), n_shown, self.shown.pictures))
        response = np.concatenate([twin.response[:lower], seen.reshape(len(drawn), -1)])
        return Beholder(self, response, codes, twin.baseline, twin.gain, twin.anatomy)
