"""Assemblies from moments that are alike: spectral clustering of a graph of patterns of coactivity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.assemblies._partitions import binned, spectral_groups, standardised
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Share, Width


@dataclass(frozen=True)
class SimilarityGraph:
    """Groups of similar patterns of coactivity; a unit belongs to the group of patterns in which it is most active.

    Bins in which more units are active (beyond a standard deviation above their mean) than in all but `level` of the
    bins of shuffled data, each unit turned in a circle by a lag of its own, are patterns. Each is tied to its
    `neighbours` nearest by cosine, and the graph is divided by spectral clustering. After the similarity-graph
    clustering of Avitan et al. (2017, Curr Biol 27:2407), which found assemblies best of eight methods in Moelter,
    Avitan & Goodhill (2018, BMC Biol 16:143); they let a unit be in several. A unit is in the group in which it is
    active in the largest share of the patterns, if that is `core` or more; the rest are groups of their own. With no
    more patterns than chance gives (binomial, at `level`), all units are one group. Cost: the square of the number of
    patterns, at most `most_patterns`.
    """

    name: ClassVar[str] = "similarity_graph"
    question: ClassVar[str] = "assemblies"
    family: ClassVar[str] = "clustering of patterns"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=3)

    width: Width = 0.1
    level: Level = 0.05
    core: Share = 0.4  # of a group's patterns, in which its units are active
    neighbours: Annotated[int, Within(1, 1000)] = 10
    most_groups: Annotated[int, Within(2, 1000)] = 20
    most_patterns: Repeats = 600
    shuffles: Repeats = 20

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give the numbers of patterns and of their groups."""
        from scipy.stats import binom

        z, varied = standardised(binned(recording, self.width))
        if z.shape[1] < 3 or len(z) < 4:
            return Finding.abstain(f"{z.shape[1]} active units in {len(z)} bins: too few for patterns")
        active = z > 1
        patterns = np.flatnonzero(active.sum(axis=1) > self._most_by_chance(active, rng))
        n = len(varied)
        by_chance = float(binom.sf(len(patterns) - 1, len(active), self.level))
        if len(patterns) <= self.neighbours or by_chance > self.level:
            return Finding({"group": np.zeros(n, dtype=int)}, notes={"patterns": len(patterns), "groups": 0})
        chosen = active[rng.permutation(patterns)[: self.most_patterns]].astype(float)
        kind, n_groups = spectral_groups(self._tied(chosen), self.most_groups, rng)
        member = np.eye(n_groups)[kind]
        share = chosen.T @ member / np.maximum(member.sum(axis=0), 1.0)
        group, core = n_groups + np.arange(n), share.max(axis=1) >= self.core
        group[np.flatnonzero(varied)[core]] = share.argmax(axis=1)[core]
        return Finding({"group": group}, notes={"patterns": len(patterns), "groups": n_groups})

    def _most_by_chance(self, active: np.ndarray, rng: np.random.Generator) -> float:
        """How many units are active together in all but `level` of the bins of shuffled data."""
        bins, n = active.shape
        seen = [
            active[(np.arange(bins)[:, None] - rng.integers(0, bins, n)) % bins, np.arange(n)].sum(axis=1)
            for _ in range(self.shuffles)
        ]
        return float(np.quantile(np.concatenate(seen), 1 - self.level))

    def _tied(self, patterns: np.ndarray) -> np.ndarray:
        """(pattern, pattern): cosines of those that are among the nearest of one another, on either side."""
        unit = patterns / np.maximum(np.linalg.norm(patterns, axis=1, keepdims=True), 1e-12)
        cosine = unit @ unit.T
        np.fill_diagonal(cosine, -1.0)
        nearest = np.argsort(-cosine, axis=1)[:, : self.neighbours]
        tied = np.zeros_like(cosine, dtype=bool)
        tied[np.arange(len(tied))[:, None], nearest] = True
        return np.where(tied | tied.T, np.maximum(cosine, 1e-6), 0.0)
