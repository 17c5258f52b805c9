"""Shared by the methods of shape: the persistence of a cloud of points, and how noise is taken out of it."""

from __future__ import annotations

import numpy as np

JOINED = 0.2
"""Share of all pairs of points, the nearest, that are joined: with more, the work grows fast and shows little."""


def persistence(points: np.ndarray, degrees: tuple[int, ...], field: int, joined: float = JOINED) -> list[np.ndarray]:
    """Vietoris-Rips lifetimes, falling, of each degree for points (point, dimension), over the integers modulo field.

    The filtration ends where the share `joined` of all pairs is: what is alive there counts as ending there, so that
    the longest lifetimes are cut short and the order of the others stays. The one component that never ends is left
    out.
    """
    from gudhi.sklearn import RipsPersistence
    from scipy.spatial.distance import pdist, squareform

    if len(points) < 3:
        return [np.zeros(0) for _ in degrees]
    distance = pdist(points)
    end = float(np.quantile(distance, joined))
    rips = RipsPersistence(
        homology_dimensions=list(degrees), threshold=end, input_type="full distance matrix", num_collapses=1,
        homology_coeff_field=field,
    )  # fmt: skip
    found = []
    for degree, bars in zip(degrees, rips.fit_transform([squareform(distance)])[0], strict=True):
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
