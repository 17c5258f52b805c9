"""Where the units of a machine lie: each module in a square of its own, as on a die."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from circuits.causal.lesions import modules_of
from simlab.data import anatomy

PITCH = 300e-6
"""From the middle of a module's square to the next [m]."""

EDGE = 240e-6
"""Of the square that a module's units lie in [m]; the rest separates it from its neighbours."""

DEPTH = 50e-6
"""Of the sheet that they lie in [m]."""


def placed(regions: Sequence[str], contacts: np.ndarray, rng: np.random.Generator) -> xr.Dataset:
    """The anatomy: modules in random squares of a grid, units at random within, all of the cell type "gate".

    contacts: (pre, post) how many wires lead from each unit to each other.
    """
    names, members = modules_of(regions)
    side = int(np.ceil(np.sqrt(len(names))))
    square = rng.permutation(side**2)[: len(names)]
    middle = np.column_stack([square % side, square // side]) * PITCH
    position = np.zeros((len(regions), 3))
    position[:, :2] = middle[members.argmax(axis=0)] + rng.uniform(-EDGE / 2, EDGE / 2, (len(regions), 2))
    position[:, 2] = rng.uniform(0, DEPTH, len(regions))
    return anatomy(position, ["gate"] * len(regions), regions, contacts)
