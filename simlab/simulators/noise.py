"""Noise that neurons have in common, as both engines understand it."""

from __future__ import annotations

import numpy as np

from simlab.contracts import SimlabError


def check_noise_source(source: np.ndarray, share: float, n_neurons: int) -> None:
    """Raises SimlabError unless source (neuron,) names, for each neuron, itself or one that shares with nobody."""
    source = np.asarray(source)
    if source.shape != (n_neurons,) or source.dtype.kind not in "iu":
        raise SimlabError(f"noise_source must be one neuron index per neuron ({n_neurons},), got shape {source.shape}")
    if source.size and not (source.min() >= 0 and source.max() < n_neurons):
        raise SimlabError(f"noise_source must lie in 0..{n_neurons - 1}, got {source.min()}..{source.max()}")
    if not np.array_equal(source[source], source):
        raise SimlabError("a noise source must have noise of its own: point to the first neuron of a chain")
    if not 0 <= share <= 1:
        raise SimlabError(f"noise_share must lie in 0..1, got {share}")
