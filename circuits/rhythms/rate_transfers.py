"""Transfer functions of rate circuits, in JAX: imported where a network is made, as it takes JAX with it."""

from __future__ import annotations

from typing import Any

from simlab.simulators.quiet_jax import jax


def wilson_cowan(drive: Any, slope: Any, threshold: Any) -> Any:
    """1 / (1 + exp(-slope (drive - threshold))) - 1 / (1 + exp(slope threshold)): 0 without a drive (Wilson & Cowan
    1972, Biophys J 12:1, eq. 15)."""
    return jax.nn.sigmoid(slope * (drive - threshold)) - jax.nn.sigmoid(-slope * threshold)
