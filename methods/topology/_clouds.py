"""Shared by the methods of shape: persistence of a cloud of points, cut off where it costs too much, and its samples."""

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


def densest(points: np.ndarray, n_points: int, neighbours: int) -> np.ndarray:
    """At most n_points of a cloud (point, dimension), from its dense parts, apart from one another and smoothed.

    A point's density is judged by the distance to its neighbour of rank `neighbours`. Points are taken in falling order
    of density, unless one taken before is nearer than half that distance; each stands for the mean of its neighbours.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    rank = min(neighbours + 1, len(points))
    distance, index = tree.query(points, rank)
    radius = distance.reshape(len(points), -1)[:, -1]
    free, taken = np.ones(len(points), bool), []
    for at in np.argsort(radius):
        if free[at]:
            taken.append(at)
            free[tree.query_ball_point(points[at], radius[at] / 2)] = False
        if len(taken) == n_points:
            break
    return np.asarray(points[index.reshape(len(points), -1)[taken]].mean(axis=1))
