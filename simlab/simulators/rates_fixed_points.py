"""Where a rate network comes to rest without noise: by following its equations, and by Newton's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.simulators.quiet_jax import jax
from simlab.simulators.rates_network import Constants, RateNetwork, double, velocity
from simlab.simulators.rates_stability import check_step, finite, first_failure, lost_row, run_away


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """A state at which a network rests, and the eigenvalues [1/s] of its Jacobian there, slowest-decaying first."""

    state: np.ndarray  # (neuron,)
    eigenvalues: np.ndarray  # complex, by falling real part
    residual: float  # largest |dx/dt| times tau, in units of x

    @property
    def stable(self) -> bool:
        """Whether every small push decays."""
        return bool(self.eigenvalues[0].real < 0)


def fixed_point(
    network: RateNetwork,
    guess: np.ndarray,
    *,
    current: float | np.ndarray = 0.0,
    tolerance: float = 1e-9,
    max_steps: int = 200,
) -> FixedPoint:
    """The fixed point that damped Newton steps reach from a guess (neuron,), under a constant input.

    tolerance: of tau dx/dt, relative to the largest rate. Raises SimlabError where the search does not converge:
    start nearer, e.g. from `settle`.
    """
    tau = np.asarray(network.time_constant)

    def miss(x: np.ndarray) -> np.ndarray:
        return tau * network.velocity(x, current)

    state = np.array(guess, dtype=float)
    for _ in range(max_steps):
        error = miss(state)
        if np.abs(error).max() <= tolerance * max(1.0, np.abs(state).max()):
            rates = np.linalg.eigvals(network.jacobian(state, current))
            return FixedPoint(state, rates[np.argsort(-rates.real)], float(np.abs(error).max()))
        slope = network.jacobian(state, current) * np.broadcast_to(tau, state.shape)[:, None]
        state = state + _damped(miss, state, np.linalg.lstsq(slope, -error, rcond=None)[0])
    raise SimlabError(
        f"no fixed point within {max_steps} Newton steps, tau dx/dt is still {np.abs(miss(state)).max():.3g}: "
        "start nearer to one, for instance from `settle`"
    )


def _damped(miss: Callable[[np.ndarray], np.ndarray], state: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The longest of step, step/2, ... that brings the state nearer to a root."""
    before = np.linalg.norm(miss(state))
    for _ in range(30):
        if np.linalg.norm(miss(state + step)) < before:
            return step
        step = step / 2
    return step


def settle(
    network: RateNetwork, start: np.ndarray, *, duration: float, dt: float, current: float | np.ndarray = 0.0
) -> np.ndarray:
    """Where noise-free dynamics are after `duration` [s] from `start` (..., neuron), under a constant input.

    Raises SimlabError where Euler's steps of dt [s] run away, and says when and which step would do.
    """
    check_step(network, dt)
    steps = max(1, round(duration / dt))
    with jax.enable_x64(True):
        constants, at, under = Constants.of(network), double(start), double(current)

        def after(n: int) -> np.ndarray:
            return np.asarray(_settle(constants, at, under, dt, n, transfer=network.transfer))

        end = after(steps)
        if not finite(end):
            lost = first_failure(steps, after)
            row = lost_row(after(lost).reshape(-1, network.size))
            first, inputs = (np.broadcast_to(each, end.shape).reshape(-1, network.size)[row] for each in (at, under))
            raise run_away(network, first, inputs, dt, lost * dt, "the noise-free state")
    return end


@partial(jax.jit, static_argnames="transfer")
def _settle(constants: Constants, x: Any, current: Any, dt: float, steps: int, *, transfer: Callable[..., Any]) -> Any:
    return jax.lax.fori_loop(0, steps, lambda _, y: y + dt * velocity(transfer, constants, y, current), x)
