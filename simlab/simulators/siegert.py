"""Siegert's formula for the rate of a leaky integrate-and-fire neuron: stated once, for numpy and for JAX.

    tau dV/dt = -V + mu + sigma sqrt(2 tau) xi(t),   V -> reset at threshold, held for `refractory`
    1/r = refractory + tau sqrt(pi) int_a^b exp(x^2) (1 + erf x) dx,
    a = (reset - mu) / (sqrt(2) sigma),   b = (threshold + shift - mu) / (sqrt(2) sigma)

(Siegert 1951; Amit & Brunel 1997, Cerebral Cortex 7:237, eq. 3.4.) Potentials [V] count from rest; sigma is the
standard deviation of the membrane were there no threshold. An Euler simulation with steps of dt sees a crossing only
at the end of a step, and so acts as one of continuous time with a higher threshold: `shift`. What it resets to is
exact. The step in which it fires counts towards `refractory`, so that the neuron is held for dt less.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

BARRIER_SHIFT = 0.5826
"""A threshold checked only every dt acts as one higher by this many standard deviations of a step's noise:
-zeta(1/2)/sqrt(2 pi) (Broadie, Glasserman & Kou 1997, Math Finance 7:325)."""

HIGHEST = 25.0
"""exp(25**2) is near the largest float, and a neuron so far below threshold never fires."""


def bounds(
    mean: Any, sd: Any, threshold: Any, reset: Any, time_constant: Any, dt: Any, xp: Any = np
) -> tuple[Any, Any]:
    """The integral's a and b, kept where its integrand is finite; xp: the namespace, numpy or jax.numpy."""
    shift = BARRIER_SHIFT * sd * xp.sqrt(2 * dt / time_constant)
    high = xp.minimum((threshold + shift - mean) / (np.sqrt(2) * sd), HIGHEST)
    low = xp.minimum((reset - mean) / (np.sqrt(2) * sd), high - 1e-9)
    return low, high


@cache
def _quadrature(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and weights: found once, as that takes longer than all the rest."""
    return np.polynomial.legendre.leggauss(nodes)


def rate(
    low: Any,
    high: Any,
    time_constant: Any,
    refractory: Any,
    dt: Any,
    integrand: Callable[[Any], Any],
    nodes: int,
    xp: Any = np,
) -> Any:
    """Rate [Hz] between these bounds, by Gauss-Legendre quadrature of so many nodes.

    integrand: exp(x^2) (1 + erf x), elementwise, in the namespace of the bounds.
    """
    places, weights = _quadrature(nodes)
    middle, half = (high + low) / 2, (high - low) / 2
    integral = half * (integrand(middle[..., None] + half[..., None] * places) @ weights)
    return 1 / (xp.maximum(refractory - dt, 0.0) + time_constant * np.sqrt(np.pi) * integral)
