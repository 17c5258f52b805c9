"""Whether a ring sustains a bump: read off the fixed point that a cue leaves behind, and its Jacobian."""

from __future__ import annotations

import numpy as np

from circuits.attractors.ring_network import RingNetwork
from simlab.contracts import SimlabError

SETTLED = 10.0
"""s after the cue: a hundred time constants of the slowest synapse."""

FREE = 0.1
"""1/s: slower than this a mode outlasts 10 s; those of a bump's position decay more slowly than 1/1000 s, all others
within a third of a second (tests)."""


def ring_regime(network: RingNetwork) -> str:
    """`ring attractor` if a cue leaves a bump that rests in itself and can be turned freely; else `fixed point`.

    The state that is left is tuned, a fixed point of the noise-free equations is nearby, and one eigenvalue of the
    Jacobian there is zero (the bump's position) while the others decay. An untuned state that is stable is a fixed
    point. Raises SimlabError where it is neither: unstable, or several modes are free.
    """
    from simlab.simulators.rates import fixed_point

    left = network.states(np.zeros(1), duration=SETTLED)[0]
    point = fixed_point(network.rates(), left)
    rates = point.eigenvalues.real
    tuned = np.ptp(point.state[network.excitatory]) > 0.05 * point.state[network.excitatory].max()
    if not tuned and point.stable:
        return "fixed point"
    if tuned and abs(rates[0]) < FREE and rates[1] < -FREE:
        return "ring attractor"
    raise SimlabError(
        f"the state that a cue leaves has eigenvalues {rates[0]:.3g} and {rates[1]:.3g} /s: neither a stable state nor "
        "a bump with one free direction; choose weights further from where one becomes the other"
    )
