"""Communities of the correlation matrix: Louvain's search for the greatest modularity, against either of two nulls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import xarray as xr

from methods.assemblies._partitions import above_chance, binned, standardised
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Repeats, Width

Null = Literal["random_matrix", "configuration"]


@dataclass(frozen=True)
class LouvainCommunities:
    """The partition with the greatest modularity sum_ij B_ij [i and j together], by Louvain's method.

    Units move, one after another, to the community that gains most; communities then move as units do, until nothing
    gains (Blondel et al. 2008, J Stat Mech P10008); the best of `restarts` orders. B is what correlations have beyond a
    null: `random_matrix`, the part of the correlation matrix whose eigenvalues exceed Marchenko & Pastur's bound, which
    is what independent units do not have (MacMahon & Garlaschelli 2015, Phys Rev X 5:021006, who take the mode of all
    units out as well: here it stays, and unites units); or `configuration`, positive correlations less those of a graph
    with the same strengths, k_i k_j / 2m (Newman 2006), which divides whatever it is given. Units that do not vary are
    groups of their own; without any eigenvalue beyond the bound, all are one group. Cost: n^2 per pass.
    """

    name: ClassVar[str] = "louvain_communities"
    question: ClassVar[str] = "assemblies"
    family: ClassVar[str] = "clustering"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=3)

    null: Null = "random_matrix"
    width: Width = 0.1
    restarts: Repeats = 5

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give the modularity, as a share of the sum of B's sizes."""
        z, varied = standardised(binned(recording, self.width))
        if z.shape[1] < 2 or len(z) <= z.shape[1]:
            return Finding.abstain(f"{z.shape[1]} active units in {len(z)} bins: too few to correlate")
        beyond = self._beyond(z)
        group = np.zeros(len(varied), dtype=int)
        if not beyond.any():
            return Finding({"group": group}, notes={"modularity": 0.0})
        found = [louvain(beyond, rng) for _ in range(self.restarts)]
        gained = [float((beyond * (g[:, None] == g)).sum()) for g in found]
        best = int(np.argmax(gained))
        group = len(varied) + np.arange(len(varied))
        group[varied] = found[best]
        return Finding({"group": group}, notes={"modularity": gained[best] / float(np.abs(beyond).sum())})

    def _beyond(self, z: np.ndarray) -> np.ndarray:
        """B (unit, unit), 0 on the diagonal."""
        if self.null == "random_matrix":
            values, vectors = above_chance(z)
            b = (vectors * values) @ vectors.T
        else:
            positive = np.maximum(z.T @ z / len(z), 0.0)
            np.fill_diagonal(positive, 0.0)
            strength = positive.sum(axis=1)
            b = positive - np.outer(strength, strength) / max(strength.sum(), 1e-12)
        np.fill_diagonal(b, 0.0)
        return np.asarray(b)


def louvain(b: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(node,) communities that no move of a node, or of a community as a whole, makes gain more of b (node, node)."""
    group, level = np.arange(len(b)), b
    while True:
        moved = _moved(level, rng)
        _, moved = np.unique(moved, return_inverse=True)
        if moved.max() + 1 == len(level):
            return group
        group = moved[group]
        member = np.eye(moved.max() + 1)[moved]
        level = member.T @ level @ member


def _moved(b: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(node,) communities after nodes moved, one by one, until none gains; b is symmetric."""
    n, group = len(b), np.arange(len(b))
    within = b.copy()  # (node, community): what a node gains of each community's members
    within[np.arange(n), np.arange(n)] = 0.0
    own = np.diagonal(b)
    changed = True
    while changed:
        changed = False
        for node in rng.permutation(n):
            here = group[node]
            best = int(within[node].argmax())
            if within[node, best] > within[node, here] + 1e-9:
                column = b[:, node] - np.where(np.arange(n) == node, own[node], 0.0)
                within[:, here] -= column
                within[:, best] += column
                group[node], changed = best, True
    return group
