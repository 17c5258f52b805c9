"""JAX itself, imported so that numpy's global generator, which some of its dependencies draw from, is left alone."""

from __future__ import annotations

import numpy as np

_state = np.random.get_state()  # noqa: NPY002
try:
    import jax
    import jax.numpy as jnp
    import jax.scipy
finally:
    np.random.set_state(_state)  # noqa: NPY002

__all__ = ["jax", "jnp"]
