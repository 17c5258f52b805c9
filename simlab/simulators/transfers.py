"""Transfer functions of rate units: steady rate of an isolated unit under a constant drive, written in JAX."""

from __future__ import annotations

from typing import Any

import numpy as np

from simlab.simulators.lif_theory import BARRIER_SHIFT
from simlab.simulators.quiet_jax import jax, jnp

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_ERFC = np.array(
    [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
     -1.26551223]
)  # fmt: skip
_FAR = 25.0  # exp(25^2) nearly fills a double; the rate is zero long before


def logistic(drive: Any) -> Any:
    """1 / (1 + exp(-drive)): the transfer function of linear-nonlinear networks with rates between 0 and 1."""
    return jax.nn.sigmoid(drive)


def threshold_linear(drive: Any) -> Any:
    """max(drive, 0): its threshold is at 0, so a unit with bias b < 0 has a rheobase of -b."""
    return jax.nn.relu(drive)


def integrate_and_fire(
    drive: Any, threshold: Any, reset: Any, time_constant: Any, refractory: Any, noise: Any, dt: Any = 0.0
) -> Any:
    """Rate [Hz] of a leaky integrate-and-fire neuron under a constant drive and white noise.

        1/r = refractory + time_constant sqrt(pi) int_a^b exp(x^2) (1 + erf x) dx,
        a = (reset - drive) / (sqrt(2) noise),   b = (threshold - drive) / (sqrt(2) noise)

    (Siegert 1951; Amit & Brunel 1997, Cerebral Cortex 7:237, eq. 3.4.) drive, threshold and reset [V] count from rest;
    noise [V] is the standard deviation of the membrane were there no threshold. dt [s]: of the simulation that is
    meant, whose Euler steps overlook crossings between them and so raise the threshold a little.
    """
    threshold = threshold + BARRIER_SHIFT * noise * jnp.sqrt(2 * dt / time_constant)
    scale = np.sqrt(2) * noise
    high = jnp.minimum((threshold - drive) / scale, _FAR)
    low = jnp.minimum((reset - drive) / scale, high - 1e-9)
    x = ((low + high)[..., None] + (high - low)[..., None] * _NODES) / 2
    tail = _scaled_erfc(jnp.abs(x))
    integrand = jnp.where(x < 0, tail, 2 * jnp.exp(jnp.maximum(x, 0.0) ** 2) - tail)
    passage = time_constant * np.sqrt(np.pi) * (high - low) / 2 * (integrand @ _WEIGHTS)
    return 1 / (refractory + passage)


def _scaled_erfc(x: Any) -> Any:
    """exp(x^2) erfc(x) for x >= 0, to 1.2e-7 of itself (Press et al. 1992, Numerical Recipes, section 6.2).

    JAX has only the unscaled function, which underflows, and its logarithm, which takes several times as long.
    """
    t = 1 / (1 + x / 2)
    return t * jnp.exp(jnp.polyval(_ERFC, t))
