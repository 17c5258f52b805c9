"""What cold does to neurons: synapses weaken, and from a temperature on the cells are silent."""

from __future__ import annotations

import numpy as np

from simlab.perturbations import SILENCE_CURRENT, Effect

BODY = 37.0
"""The normal temperature of the tissue [degrees C]."""

Q10 = 2.0
"""Factor by which the synapses weaken for each 10 K."""

SILENT_BELOW = 20.0
"""Cortex colder than this is silent [degrees C]."""


def cold_effects(
    degrees: np.ndarray,
    window: tuple[float, float],
    trials: tuple[int, ...] | None,
    q10: float = Q10,
    silent_below: float = SILENT_BELOW,
) -> tuple[Effect, ...]:
    """The effects of cooling each neuron by so many degrees [K] (neuron,) or (step, neuron) in a window [s].

    gain = q10^(-degrees / 10) on the synapses that a neuron makes, and `SILENCE_CURRENT` rheobases of
    hyperpolarisation while it is colder than `silent_below` [degrees C], where any is.
    """
    weaker = Effect("gain", q10 ** (-degrees / 10), *window, trials)
    silent = BODY - degrees < silent_below
    if not silent.any():
        return (weaker,)
    return weaker, Effect("drive", np.where(silent, -SILENCE_CURRENT, 0.0), *window, trials)
