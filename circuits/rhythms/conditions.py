"""Conditions of a task, shown as often as one another."""

from __future__ import annotations

import numpy as np

N_CONDITIONS = 12
"""Reaches; Churchland et al. (2012) had 27 to 108."""


def repeated(n_conditions: int, trials: int, rng: np.random.Generator) -> tuple[int, ...]:
    """The condition of each trial: each as often as the others, but for one, in random order."""
    return tuple(int(c) for c in rng.permutation(np.arange(trials) % n_conditions))
