"""Shared by the methods of intrinsic dimension: states that are far apart in time, cleaned of what units do alone."""

from __future__ import annotations

import numpy as np

from methods.dimension._spread import end_to_end
from methods.latents._factors import steady
from methods.population._population import principal_components, significant_components

SHUFFLES = 20


def denoised_states(values: np.ndarray, spacing: int, most: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """States (point, component) on the components above shifted data, and how many components these are.

    values: (trial, time, unit), z-scored. spacing: samples between states of a trial, so that neighbours in state space
    are not just neighbours in time (Theiler 1986). At most `most` states, drawn without replacement.
    """
    number = significant_components(steady(values), SHUFFLES, rng)
    if not number:
        return np.zeros((0, 0)), 0
    scores = principal_components(end_to_end(values), number).reshape(*values.shape[:2], number)
    states = scores[:, spacing // 2 :: spacing].reshape(-1, number)
    return states[rng.permutation(len(states))[:most]], number
