"""Whether states lie over the places that they stand for without a fold: then both are of one shape."""

from __future__ import annotations

import numpy as np


def folded(states: np.ndarray, steps: np.ndarray) -> bool:
    """Whether states (place, neuron) of places that are no neighbours are as near as those of neighbours, or nearer.

    steps (place, place): how many steps of the grid on which the places lie take one from one to the other. A
    continuous image without a fold is homeomorphic to what it is an image of; however uneven its distances are.
    """
    apart = np.linalg.norm(states[:, None] - states, axis=-1)
    nearest = np.where(steps == 1, apart, np.inf).min(axis=1)
    return bool(((apart <= np.minimum(nearest[:, None], nearest)) & (steps > 1)).any())


def grid_steps(side: int, closed: bool) -> np.ndarray:
    """(place, place): steps, diagonal ones too, between places on a square grid; closed: whether edges are joined."""
    cell = np.indices((side, side)).reshape(2, -1).T
    apart = np.abs(cell[:, None] - cell)
    return np.asarray((np.minimum(apart, side - apart) if closed else apart).max(axis=-1))
