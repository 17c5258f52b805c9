"""Shared by the methods of shape: the persistence of a cloud of points, and how noise is taken out of it."""

from __future__ import annotations

import numpy as np

REACH = 0.7
"""Points further apart than this share of the enclosing radius are not joined: up to it, most of the work is done."""


def persistence(points: np.ndarray, degrees: tuple[int, ...], field: int, reach: float = REACH) -> list[np.ndarray]:
    """Vietoris-Rips lifetimes, falling, of each degree for points (point, dimension), over the integers modulo field.

    Edges up to `reach` times the enclosing radius are kept (beyond that radius every cloud is a cone, which has no
    holes; Bauer 2021, J Appl Comput Topol 5:391). What is alive there counts as ending there. The one component that
    never ends is left out.
    """
    from gudhi.sklearn import RipsPersistence
    from scipy.spatial.distance import cdist

    if len(points) < 2:
        return [np.zeros(0) for _ in degrees]
    distance = cdist(points, points)
    end = reach * distance.max(axis=1).min()
    rips = RipsPersistence(
        homology_dimensions=list(degrees), threshold=end, input_type="full distance matrix", num_collapses=1,
        homology_coeff_field=field,
    )  # fmt: skip
    found = []
    for degree, bars in zip(degrees, rips.fit_transform([distance])[0], strict=True):
        lives = np.sort(np.minimum(bars[:, 1], end) - bars[:, 0])[::-1] if len(bars) else np.zeros(0)
        found.append(lives[1:] if degree == 0 else lives)
    return found


def above_largest_gap(lifetimes: np.ndarray) -> int:
    """How many of these falling lifetimes lie above the largest gap between two of them; 0 where there is one or none.

    So Kang, Xu & Morozov (2021) count, in their code too: the gap below the shortest is no gap.
    """
    return int(np.argmax(-np.diff(lifetimes))) + 1 if len(lifetimes) > 1 else 0


def dense_states(points: np.ndarray, neighbours: int, kept: float) -> np.ndarray:
    """The densest share `kept` of a cloud (point, dimension), each point moved to the mean of its neighbours.

    A point's density is judged by the distance to its neighbour of rank `neighbours`.
    """
    from scipy.spatial import cKDTree

    rank = min(neighbours + 1, len(points))
    distance, index = cKDTree(points).query(points, rank)
    radius = distance.reshape(len(points), -1)[:, -1]
    dense = radius <= np.quantile(radius, kept)
    return np.asarray(points[index.reshape(len(points), -1)[dense]].mean(axis=1))
