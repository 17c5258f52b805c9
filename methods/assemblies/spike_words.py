"""Units whose spikes meet in the same words more often than chance belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from methods.assemblies._words import MOST_BITS, pair_excess, pairwise_share, synchronous_excess
from methods.wiring.inverse_ising import binary_words
from simlab.contracts import Finding, Needs
from simlab.data import durations, missing
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Width

FEWEST_WORDS = 100
"""Of which less than the rarest tenth of a pair's coincidences is ever seen."""

GROUPS_OF_BITS = 5
"""Random sets of units on which the pairwise model is fitted."""


@dataclass(frozen=True)
class SpikeWords:
    """Binary words of who fires in each bin; pairs that meet in them beyond chance; communities of such pairs.

    A pair's coincidences are held against those of independent units, one-sided, with the standard error of blocks of
    the recording (t), at a false discovery rate of `alpha` over pairs. The graph of significant pairs, weighted by phi,
    is divided by average linkage where Newman's modularity (2006, PNAS 103:8577) is greatest, into `most_groups` at
    most; a unit without a significant partner is a group of its own; without any such pair, or where no division has a
    positive modularity, all units are one group.

    The notes say how words depart from independence, as in Schneidman et al. 2006 (Nature 440:1007) and in fig. 6 of
    Jonas & Kording 2017: `synchronous_excess`, how many times too often words with many spikes come, and
    `pairwise_share`, how much of the multi-information of ten units the pairwise maximum entropy model has (median over
    random sets). Whatever makes units fire at the same time, a clock for all of them, puts them together. Cost:
    n^2 per bin, and some seconds of fits.
    """

    name: ClassVar[str] = "spike_words"
    question: ClassVar[str] = "assemblies"
    family: ClassVar[str] = "spike words"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=3)

    alpha: Level = 0.05
    width: Width = 20e-3
    """Of a word's bin [s] (Schneidman et al. 2006: 20 ms)."""
    most_groups: Annotated[int, Within(2, 1000)] = 30

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Abstains where there are too few words, or too few units that are neither silent nor always on."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        if durations(recording).max() < 2 * self.width:
            return Finding.abstain(f"trials of {durations(recording).max()} s hold fewer than 2 words")
        words, block = binary_words(recording, self.width)
        live = np.flatnonzero(np.ptp(words, axis=0) > 0)
        if len(live) < 3 or len(words) < FEWEST_WORDS or block.max() < 2:
            had = f"{len(words)} words of {len(live)} units that change, in {block.max() + 1} blocks"
            return Finding.abstain(f"{had}: it takes {FEWEST_WORDS} words of 3 units in 3 blocks")
        phi, together = self._together(words[:, live], block)
        found = _communities(np.where(together, phi, 0.0), self.most_groups)
        group = np.zeros(recording.sizes["unit"], dtype=int)
        if found is not None:
            group = found.max() + 1 + np.arange(len(group))
            group[live] = found
        return Finding({"group": group}, notes={"pairs": int(together.sum()) // 2} | _departures(words[:, live], rng))

    def _together(self, words: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """phi (unit, unit), and which pairs meet more often than chance."""
        from scipy.stats import false_discovery_control
        from scipy.stats import t as student

        phi, t = pair_excess(words, block)
        upper = np.triu_indices(len(t), 1)
        beyond = np.zeros(t.shape, dtype=bool)
        beyond[upper] = false_discovery_control(student.sf(t[upper], int(block.max()))) <= self.alpha
        return phi, beyond | beyond.T


def _departures(words: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """How the words depart from independence."""
    bits = min(MOST_BITS, words.shape[1])
    sets = [rng.permutation(words.shape[1])[:bits] for _ in range(GROUPS_OF_BITS if bits < words.shape[1] else 1)]
    shares = [share for one in sets if (share := pairwise_share(words[:, one])) == share]
    return {
        "synchronous_excess": synchronous_excess(words),
        "pairwise_share": float(np.median(shares)) if shares else float("nan"),
    }


def _communities(weight: np.ndarray, most: int) -> np.ndarray | None:
    """(unit,) groups of a graph (unit, unit) of weights >= 0; units without an edge alone; None without a division."""
    from scipy.cluster.hierarchy import cut_tree, linkage
    from scipy.spatial.distance import squareform

    tied = np.flatnonzero(weight.any(axis=1))
    if not len(tied):
        return None
    inside = weight[np.ix_(tied, tied)]
    distance = 1 - inside / inside.max()
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "average")
    cuts = cut_tree(tree, np.arange(1, min(most, len(tied)) + 1))
    best = cuts[:, int(np.argmax([_modularity(inside, cut) for cut in cuts.T]))].astype(int)
    if best.max() == 0 and len(tied) == len(weight):
        return None
    group = best.max() + 1 + np.arange(len(weight))
    group[tied] = best
    return group


def _modularity(weight: np.ndarray, group: np.ndarray) -> float:
    """Newman's, of a weighted graph: the share of weight within groups beyond that of random ties of equal strength."""
    member = np.eye(group.max() + 1)[group]
    strength = member.T @ weight.sum(axis=1) / weight.sum()
    return float(np.trace(member.T @ weight @ member) / weight.sum() - (strength**2).sum())
