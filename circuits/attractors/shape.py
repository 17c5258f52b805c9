"""Betti numbers of a manifold from states that trace it densely and without noise."""

from __future__ import annotations

from itertools import combinations

import numpy as np

CLOSE = 1.5
"""States are joined if nearer than this many times the gap between neighbours: enough to bridge an uneven gap, too
little to fill a hole."""


def betti_numbers(states: np.ndarray) -> tuple[int, int, int]:
    """(b0, b1, b2) of noise-free states (state, neuron): pieces, loops and voids of the complex of close states.

    States that coincide (to a thousandth of the largest rate) count once, so that fixed points are points. The states
    must be in the order in which a closed walk visits them, such as a cue that goes around once: the median step of
    that walk is the gap between neighbours, and where no step bridges a gap the manifold is torn.
    """
    points = _distinct(states)
    if len(points) < 4:
        return len(points), 0, 0
    steps = np.linalg.norm(points - np.roll(points, -1, axis=0), axis=1)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    cliques = _cliques(distance <= CLOSE * np.median(steps))
    ranks = [0, *(_boundary_rank(cliques[k - 1], cliques[k]) for k in (1, 2, 3))]
    b0, b1, b2 = (len(cliques[k]) - ranks[k] - ranks[k + 1] for k in range(3))
    return b0, b1, b2


def _distinct(states: np.ndarray) -> np.ndarray:
    """Each state that differs from all before it."""
    tolerance = 1e-3 * max(np.abs(states).max(), 1e-12)
    kept: list[np.ndarray] = []
    for state in states:
        if all(np.abs(state - other).max() > tolerance for other in kept):
            kept.append(state)
    return np.array(kept)


def _cliques(joined: np.ndarray) -> list[list[tuple[int, ...]]]:
    """Vertices, edges, triangles and tetrahedra of mutually joined points."""
    n = len(joined)
    found: list[list[tuple[int, ...]]] = [[(i,) for i in range(n)]]
    for _ in range(3):
        found.append([(*c, i) for c in found[-1] for i in range(c[-1] + 1, n) if all(joined[i, j] for j in c)])
    return found


def _boundary_rank(faces: list[tuple[int, ...]], cells: list[tuple[int, ...]]) -> int:
    """Rank of the boundary map from cells to faces, over the reals."""
    if not cells:
        return 0
    row = {face: i for i, face in enumerate(faces)}
    boundary = np.zeros((len(faces), len(cells)))
    for column, cell in enumerate(cells):
        for k, face in enumerate(combinations(cell, len(cell) - 1)):
            boundary[row[face], column] = (-1) ** k
    return int(np.linalg.matrix_rank(boundary))
