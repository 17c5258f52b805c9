"""How the rate networks of this family are run: their steps, and a session as an Activity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from simlab.data import activity
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

STEPS = 10
"""Euler steps in a time constant."""

SAMPLE_STEPS = 2
"""Euler steps in a stored sample, and in a step of the input."""


def run(
    network: RateNetwork,
    session: Session,
    rng: np.random.Generator,
    *,
    time_constant: float,
    burn_in: float,
    initial: np.ndarray,
    inputs: np.ndarray | None = None,
) -> xr.Dataset:
    """An Activity with `rate` (trial, time, neuron), dimensionless, after burn_in [s] from initial (trial, neuron).

    inputs: (trial, sample, neuron).
    """
    from jax import __version__ as jax_version

    from simlab.simulators.rates import simulate

    dt = time_constant / STEPS
    interval = SAMPLE_STEPS * dt
    time, rate = simulate(
        network, session, rng, dt=dt, sample_interval=interval, initial=initial, inputs=inputs,
        input_interval=None if inputs is None else interval, burn_in=round(burn_in / dt) * dt,
    )  # fmt: skip
    found = activity(session, initial.shape[1], rate=rate, time=time)
    return found.assign_attrs(engine=f"jax {jax_version}")
