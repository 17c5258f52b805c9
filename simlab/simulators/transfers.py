"""Transfer functions of rate units: steady rate of an isolated unit under a constant drive, written in JAX."""

from __future__ import annotations

from typing import Any

import numpy as np

from simlab.simulators import siegert
from simlab.simulators.quiet_jax import jax, jnp

NODES = 12
"""Of the quadrature of Siegert's integral: a millionth off while reset and threshold are a few noises apart."""

_ERFC = np.array(
    [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
     -1.26551223]
)  # fmt: skip


def logistic(drive: Any) -> Any:
    """1 / (1 + exp(-drive)): the transfer function of linear-nonlinear networks with rates between 0 and 1."""
    return jax.nn.sigmoid(drive)


def logistic_between(drive: Any, low: Any, high: Any) -> Any:
    """low + (high - low) / (1 + exp(-drive)): a switch between two rates; falling with the drive where high < low."""
    return low + (high - low) * jax.nn.sigmoid(drive)


def linear(drive: Any) -> Any:
    """drive itself: a linear network, whose activity may be negative; it has no threshold."""
    return drive


def saturating(drive: Any) -> Any:
    """tanh(drive): departures from a background rate, of slope 1 there and no more than 1 either way."""
    return jnp.tanh(drive)


def threshold_linear(drive: Any) -> Any:
    """max(drive, 0): its threshold is at 0, so a unit with bias b < 0 has a rheobase of -b."""
    return jax.nn.relu(drive)


def integrate_and_fire(
    drive: Any, threshold: Any, reset: Any, time_constant: Any, refractory: Any, noise: Any, dt: Any = 0.0
) -> Any:
    """Rate [Hz] of a leaky integrate-and-fire neuron under a constant drive and white noise.

    drive, threshold and reset [V] count from rest; noise [V] is the standard deviation of the membrane were there no
    threshold; dt [s] the step of the simulation that is meant, 0 for continuous time. The formula, its sources and
    the effect of dt: `simlab.simulators.siegert`, which `lif_theory` shares.
    """
    low, high = siegert.bounds(drive, noise, threshold, reset, time_constant, dt, jnp)
    return siegert.rate(low, high, time_constant, refractory, dt, _integrand, NODES, jnp)


def _integrand(x: Any) -> Any:
    """exp(x^2) (1 + erf x)."""
    tail = _scaled_erfc(jnp.abs(x))
    return jnp.where(x < 0, tail, 2 * jnp.exp(jnp.maximum(x, 0.0) ** 2) - tail)


def _scaled_erfc(x: Any) -> Any:
    """exp(x^2) erfc(x) for x >= 0, to 1.2e-7 of itself (Press et al. 1992, Numerical Recipes, section 6.2).

    JAX has only the unscaled function, which underflows, and its logarithm, which takes several times as long.
    """
    t = 1 / (1 + x / 2)
    return t * jnp.exp(jnp.polyval(_ERFC, t))
