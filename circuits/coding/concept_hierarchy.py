"""Concept cells on top of a hierarchy: features make parts, whatever their view, and parts make concepts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from math import comb
from typing import Annotated, ClassVar, NamedTuple

import numpy as np

from circuits.coding import pictures
from circuits.coding.pictures import TEMPORAL_LOBE, Beholder, Cells, Firing, Screening, Some
from simlab.contracts import Regime
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Share

MOST_PICTURES = 300_000
"""Of all concepts: the truth looks at each."""


class Wiring(NamedTuple):
    """What the cells of each layer are made from."""

    features: np.ndarray  # (feature cell, 2) a part and a view of it
    parts: np.ndarray  # (part cell,) a part
    concepts: np.ndarray  # (concept cell,) a concept


@dataclass(frozen=True)
class ConceptHierarchy:
    """Three layers of cells that look at pictures of concepts. A concept is a set of parts; a picture shows each of
    them in one of several views.

        feature cell (p, v):  f_pv = 1 if the picture shows part p in view v, else 0
        part cell p:          q_p  = max_v f_pv                               alike for all views
        concept cell k:       c_k  = [ sum_{p in k} q_p - (parts - 1) ]+      all of its parts
        rate_i = baseline_i + gain_i a_i,   a: f, q or c of a cell   (`circuits.coding.pictures.Firing`)

    Concepts share parts, no two have the same set. A layer takes alternately a maximum and a sum, as in Riesenhuber &
    Poggio (1999, Nat Neurosci 2:1019). Concept cells are those of Quian Quiroga et al. (2005, Nature 435:1102); that a
    share of them, `familiar`, is of what is shown is the experimenter's merit, who chooses what the person knows.

    Truth of `selectivity`: found by showing all views of all known concepts to the equations. Concept cells of what is
    shown are selective; cells of features and parts are not, as several concepts have them, nor are others.
    """

    name: ClassVar[str] = "concept_hierarchy"
    mechanism: ClassVar[str] = "concept cells"
    questions: ClassVar[tuple[str, ...]] = ("selectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = TEMPORAL_LOBE

    feature_cells: Cells = 15
    part_cells: Cells = 15
    concept_cells: Cells = 30
    n_parts: Some = 24
    parts: Annotated[int, Within(1, 8)] = 4  # of a concept
    views: Annotated[int, Within(1, 10)] = 3  # of a part
    known: Annotated[int, Within(1, 5_000)] = 100  # concepts
    familiar: Share = 0.5  # of the concept cells, that are of a concept that is shown
    shown: Screening = field(default_factory=Screening)
    firing: Firing = field(default_factory=Firing)

    def __post_init__(self) -> None:
        check_fields(self)
        sets, most = comb(self.n_parts, self.parts), self.known * self.views**self.parts
        require(self.n_cells > 0, "feature_cells, part_cells and concept_cells must not all be 0: put in a cell")
        require(
            self.shown.concepts <= self.known <= sets,
            f"known must be from the {self.shown.concepts} concepts shown to the {sets} sets of {self.parts} among "
            f"n_parts={self.n_parts}, got {self.known}: know as many as are shown, or have more parts",
        )
        require(
            most <= MOST_PICTURES,
            f"known x views^parts must be <= {MOST_PICTURES}, got {most}: know fewer concepts, or show fewer views",
        )

    @property
    def n_cells(self) -> int:
        """Of all layers."""
        return self.feature_cells + self.part_cells + self.concept_cells

    def prior(self, rng: np.random.Generator) -> ConceptHierarchy:
        """Livelier and quieter cells."""
        quiet = float(self.firing.baseline * rng.uniform(0.5, 2.0))
        return replace(self, firing=replace(self.firing, baseline=quiet))

    def subject(self, rng: np.random.Generator) -> Beholder:
        """One person: what they know, and what their cells are of."""
        sets, wiring = self._known(rng), self._wiring(rng)
        views = np.array(list(product(range(self.views), repeat=self.parts)))
        everything = self.respond(wiring, sets, np.broadcast_to(views, (self.known, *views.shape)))
        shown = rng.integers(0, self.views, (self.shown.concepts, self.shown.pictures, self.parts))
        response = self.respond(wiring, sets, shown)
        codes = pictures.codes(everything, self.shown.names)
        return Beholder.placed(self, response.reshape(self.n_cells, -1), codes, rng)

    def _known(self, rng: np.random.Generator) -> np.ndarray:
        """(concept, part of it) different sets of parts; those shown come first."""
        sets: dict[tuple[int, ...], None] = {}
        while len(sets) < self.known:
            sets.setdefault(tuple(sorted(rng.permutation(self.n_parts)[: self.parts].tolist())))
        return np.array(list(sets))

    def _wiring(self, rng: np.random.Generator) -> Wiring:
        """Features and parts drawn evenly; concepts evenly among those shown, or among the others."""
        features = np.column_stack([rng.integers(0, n, self.feature_cells) for n in (self.n_parts, self.views)])
        parts = rng.integers(0, self.n_parts, self.part_cells)
        familiar = rng.random(self.concept_cells) < self.familiar
        low = np.where(familiar | (self.known == self.shown.concepts), 0, self.shown.concepts)
        high = np.where(familiar, self.shown.concepts, self.known)
        return Wiring(features, parts, rng.integers(low, high))

    def respond(self, wiring: Wiring, sets: np.ndarray, views: np.ndarray) -> np.ndarray:
        """(cell, concept, picture) 0 to 1, of pictures of the first concepts that show their parts (concept, part of
        it) in these views (concept, picture, part of it)."""
        n_concepts, n_pictures, _ = views.shape
        seen = np.zeros((n_concepts, n_pictures, self.n_parts, self.views), dtype=np.float32)
        each, picture = np.ogrid[:n_concepts, :n_pictures]
        seen[each[..., None], picture[..., None], sets[:n_concepts, None], views] = 1
        part = seen.max(axis=3)
        together = np.stack([part[..., list(k)].sum(axis=2) for k in sets[wiring.concepts]] or [part[:0, :0, 0]])
        concept = np.maximum(together - (self.parts - 1), 0)
        feature = np.moveaxis(seen[..., wiring.features[:, 0], wiring.features[:, 1]], 2, 0)
        layers = (feature, np.moveaxis(part[..., wiring.parts], 2, 0), concept)
        return np.concatenate([layer for layer in layers if len(layer) and layer.size])
