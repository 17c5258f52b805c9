"""Which regime a noise-free rate network is in, by where it comes to rest from different starts."""

from __future__ import annotations

import numpy as np

from simlab.contracts import SimlabError
from simlab.simulators.rates import RateNetwork, fixed_point, settle

STILL = 1e-3
"""tau dx/dt, of the largest rate, below which a state counts as near to a fixed point."""


def resting_states(network: RateNetwork, starts: np.ndarray, *, duration: float, dt: float) -> np.ndarray:
    """The different stable fixed points (state, neuron) in which noise-free dynamics end from starts (start, neuron).

    An end counts if Newton's method finds a fixed point near it at which every eigenvalue of the Jacobian decays; one
    that goes on moving after `duration` [s] does not.
    """
    found: list[np.ndarray] = []
    tau = np.asarray(network.time_constant)
    for end in settle(network, starts, duration=duration, dt=dt):
        scale = max(1.0, float(np.abs(end).max()))
        if np.abs(tau * network.velocity(end)).max() > STILL * scale:
            continue
        try:
            point = fixed_point(network, end)
        except SimlabError:
            continue
        near = np.abs(point.state - end).max() < 0.1 * scale
        new = all(np.abs(point.state - other).max() > 1e-2 * scale for other in found)
        if point.stable and near and new:
            found.append(point.state)
    return np.array(found).reshape(-1, network.size)


def regime(n_states: int) -> str:
    """What so many stable fixed points amount to, where dynamics that find none go round."""
    return ("limit cycle", "fixed point")[n_states] if n_states < 2 else "bistable"
