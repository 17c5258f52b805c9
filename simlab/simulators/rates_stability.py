"""Steps that are too long: when a rate network's simulation ran away, and which step would do."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

import numpy as np

from simlab.contracts import SimlabError
from simlab.simulators.rates_network import RateNetwork

LARGEST = float(np.finfo(np.float32).max)
"""Rates are stored in single precision."""


def check_step(network: RateNetwork, dt: float) -> None:
    """Raises SimlabError unless 0 < dt < 2 tau for every unit.

    Where it is not, the leak alone takes a unit further from rest at each Euler step: x -> (1 - dt/tau) x.
    """
    shortest = float(np.min(network.time_constant))
    if not 0 < dt < 2 * shortest:
        raise SimlabError(
            f"a rate network's step must lie between 0 s and twice its shortest time constant of {shortest:g} s, "
            f"got dt={dt} s: take at most {shortest:g} s"
        )


def finite(*values: np.ndarray) -> bool:
    """Whether all values are numbers that single precision can hold."""
    # Extremes, which a NaN becomes of, need no array of their own.
    return all(each.min(initial=0.0) >= -LARGEST and each.max(initial=0.0) <= LARGEST for each in values)


def lost_row(values: np.ndarray) -> int:
    """The first row of values (row, neuron) that has one which is not finite."""
    return int(np.argmax([not finite(each) for each in values]))


def first_failure(steps: int, after: Callable[[int], np.ndarray]) -> int:
    """After how many steps (1 to `steps`) values are first not finite, if they are not at the end.

    after: the values after a number of steps; once lost, they stay so.
    """
    return 1 + bisect_left(range(1, steps), True, key=lambda n: not finite(after(n)))


def run_away(
    network: RateNetwork, state: np.ndarray, current: np.ndarray, dt: float, time: float, what: str
) -> SimlabError:
    """The error of a simulation that started at a state (neuron,) under an input (neuron,) and was lost at a time."""
    fix = _fix(network, state, current, dt)
    return SimlabError(f"{what} ran away at {time:.6g} s with steps of dt={dt:g} s: {fix}")


def _fix(network: RateNetwork, state: np.ndarray, current: np.ndarray, dt: float) -> str:
    """What to do, by the Jacobian's eigenvalues l at the start: an Euler step multiplies each mode by 1 + dt l."""
    shortest = float(np.min(network.time_constant))
    jacobian = network.jacobian(np.asarray(state, dtype=float), current)
    if not np.isfinite(jacobian).all():
        return f"the transfer function has no finite slope at the start; see what it returns for {current}"
    rates = np.linalg.eigvals(jacobian)
    decaying = rates[rates.real < 0]
    limits = -2 * decaying.real / np.abs(decaying) ** 2  # |1 + dt l| < 1
    longest = min(float(limits.min(initial=np.inf)), 2 * shortest)
    known = (
        f"at the start the shortest time constant is {shortest:g} s, the largest |eigenvalue| of the Jacobian "
        f"{np.abs(rates).max():.4g}/s, and steps below {longest:.3g} s are stable"
    )
    if dt >= longest:
        return f"{known}; take dt={longest / 2:.2g} s"
    growth = f" (a mode grows there by {rates.real.max():.4g}/s)" if rates.real.max() > 0 else ""
    return (
        f"{known}, so the equations themselves run away{growth}: weaken the weights or let the transfer function "
        f"saturate; if they should not, the state is stiffer later on, try dt={min(dt, longest) / 4:.2g} s"
    )
