"""What spike sorting makes of the neurons around recording sites: clusters, merges, stray spikes, drift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Manner:
    """How well neurons are told apart; the fields are those of `Electrodes`."""

    isolation: float
    units_per_site: int
    contamination: float
    merging: float
    confusion_distance: float


@dataclass(frozen=True, eq=False)
class Cells:
    """All neurons that sites can hear: first the simulated ones, then others."""

    place: np.ndarray
    """(cell, 3) [m]."""

    site: np.ndarray
    """(cell,) the nearest site."""


def isolated(cells: Cells, detection: np.ndarray, n_sites: int, manner: Manner) -> np.ndarray:
    """(cell,) whether it forms a cluster: seen well enough, and among the largest at its site."""
    order = np.lexsort((-detection, cells.site))
    rank = np.empty(len(order), dtype=int)
    starts = np.searchsorted(cells.site[order], np.arange(n_sites))
    rank[order] = np.arange(len(order)) - starts[cells.site[order]]
    return (detection >= manner.isolation) & (rank < manner.units_per_site)


def clusters(cells: Cells, alone: np.ndarray, manner: Manner, rng: np.random.Generator) -> list[np.ndarray]:
    """The cells of each cluster: one of those that are isolated (cell,), or more where sorting took them for one."""
    from scipy.sparse.csgraph import connected_components

    found = np.flatnonzero(alone)
    place, site = cells.place[found], cells.site[found]
    apart = np.linalg.norm(place[:, None, :] - place[None, :, :], axis=2)
    likeness = np.where(site[:, None] == site[None, :], np.exp(-apart / manner.confusion_distance), 0.0)
    joined = np.triu(rng.random(likeness.shape) < manner.merging * likeness, k=1)
    n_clusters, label = connected_components(joined, directed=False)
    return [found[label == cluster] for cluster in range(n_clusters)]


def assignment(
    cells: Cells, detection: np.ndarray, members: list[np.ndarray], manner: Manner, shift: np.ndarray | None = None
) -> np.ndarray:
    """(cell, cluster) probability that a spike of the cell ends up in the cluster.

    A spike strays to the clusters of its site that look alike; stray spikes of clustered cells are `contamination`
    times the likeness (at most `contamination` in all); likewise those of others, whose rest is discarded.
    shift: (3,) how far the tissue has moved since the clusters were formed [m]: they look for cells where these were.
    """
    moved = 0.0 if shift is None else float(np.linalg.norm(shift))
    likeness = _likeness_to(cells, members, manner.confusion_distance, np.zeros(3) if shift is None else shift)
    own = np.zeros_like(likeness)
    for cluster, group in enumerate(members):
        own[group, cluster] = np.exp(-moved / manner.confusion_distance)
    stray = np.where(own > 0, 0.0, manner.contamination * likeness)
    excess = stray.sum(axis=1, keepdims=True) / max(manner.contamination, 1e-12)
    stray /= np.maximum(excess, 1.0)
    kept = own * (1 - stray.sum(axis=1, keepdims=True))
    return detection[:, None] * (kept + stray)


def _likeness_to(cells: Cells, members: list[np.ndarray], distance: float, shift: np.ndarray) -> np.ndarray:
    """(cell, cluster) how alike a cell's waveform is to that of a cluster, 0..1: 0 between sites."""
    result = np.zeros((len(cells.site), len(members)))
    for cluster, group in enumerate(members):
        same = np.flatnonzero(cells.site == cells.site[group[0]])
        apart = np.linalg.norm(cells.place[same][:, None] + shift - cells.place[group][None], axis=2).min(axis=1)
        result[same, cluster] = np.exp(-apart / distance)
    return result
