"""The equations of a noisy rate network as data, their right-hand side and its Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from simlab.contracts import SimlabError
from simlab.simulators.noise import check_noise_source
from simlab.simulators.quiet_jax import jax, jnp


@dataclass(frozen=True, eq=False)
class RateNetwork:
    """Rate equations of n units.

        tau_i dx_i/dt = -x_i + r_i + (sqrt(tau_i) s_i + sqrt(F_i r_i)) eta_i
        r_i = f(sum_j W_ji x_j + b_i + I_i(t) + xi_i, p_i)

    f is a module-level function of JAX arrays that acts on each unit alone (see `simlab.simulators.transfers`), so that
    compiled code is shared by all networks that use it. Rates come out in whatever unit f returns.

    A unit's *rheobase* is the input that strength 1 of a stimulation stands for, in the unit of f's argument. It
    takes an isolated unit from rest (I = 0) just to threshold where f has one, as for a spiking neuron; a smooth
    f has none, and its circuit says which input it took instead. A unit that a session *holds* has the given rate,
    and a *gain* multiplies its weights.
    """

    weights: np.ndarray  # (pre, post), input of `post` per rate of `pre`
    time_constant: float | np.ndarray  # tau [s], one or (neuron,)
    transfer: Callable[..., Any]  # f: input, parameters -> steady rate
    transfer_parameters: tuple[float | np.ndarray, ...] = ()  # p, each one number or (neuron,)
    bias: float | np.ndarray = 0.0  # b, one or (neuron,)
    input_noise: float | np.ndarray = 0.0  # standard deviation of xi, drawn afresh at every dt
    state_noise: float | np.ndarray = 0.0  # s, with white noise eta: x diffuses alike whatever dt
    shot_noise: float | np.ndarray = 0.0  # F: Fano factor of the spikes that a unit stands for, if x is in Hz
    rheobase: float | np.ndarray = 1.0  # input per unit of strength, one or (neuron,)
    noise_source: np.ndarray | None = None  # (neuron,) with which unit each shares its noise; itself if with none
    noise_share: float = 1.0  # of the noise's variance
    factors: tuple[np.ndarray, np.ndarray] | None = None  # of the weights, for speed alone: see `factored`

    def __post_init__(self) -> None:
        shape = np.shape(self.weights)
        if len(shape) != 2 or shape[0] != shape[1]:
            raise SimlabError(f"weights must be square (pre, post), got shape {shape}")
        if not np.all(np.asarray(self.time_constant) > 0):
            raise SimlabError(f"time constants must be > 0 s, got {self.time_constant}")
        if self.factors is not None:
            _check_factors(self.weights, *self.factors)
        if self.noise_source is not None:
            check_noise_source(self.noise_source, self.noise_share, self.size)

    @property
    def size(self) -> int:
        """How many units there are."""
        return len(self.weights)

    def velocity(self, state: np.ndarray, current: float | np.ndarray = 0.0) -> np.ndarray:
        """dx/dt (..., neuron) without noise at a state (..., neuron), under a constant input."""
        with jax.enable_x64(True):
            return np.asarray(velocity(self.transfer, Constants.of(self), double(state), double(current)))

    def jacobian(self, state: np.ndarray, current: float | np.ndarray = 0.0) -> np.ndarray:
        """d(dx_i/dt)/dx_j (neuron i, neuron j) [1/s] at a state (neuron,), by automatic differentiation."""
        with jax.enable_x64(True):
            return np.asarray(_jacobian(Constants.of(self), double(state), double(current), transfer=self.transfer))


ALIKE = 1e-6
"""How far a product of factors may be from the weights, relative to these."""


def _check_factors(weights: np.ndarray, first: np.ndarray, second: np.ndarray) -> None:
    """By what both make of random rates: the product of large factors takes longer than a short simulation."""
    if first.shape != (len(weights), len(second)) or second.shape[1:] != (len(weights),):
        raise SimlabError(
            f"factors must be (pre, mode) and (mode, post) for {len(weights)} units, got {first.shape}, {second.shape}"
        )
    probe = np.random.default_rng(0).standard_normal((4, len(weights)))
    right = probe @ weights
    error = np.linalg.norm(probe @ first @ second - right) / max(float(np.linalg.norm(right)), 1e-300)
    if error > ALIKE:
        raise SimlabError(f"factors must multiply to the weights, got {error:.2g} of them off: take more modes")


def factored(weights: np.ndarray, tolerance: float = ALIKE / 100) -> tuple[np.ndarray, np.ndarray]:
    """Factors (pre, mode), (mode, post) of weights: their leading singular vectors, to this share of the largest value.

    Where few modes do, as with smooth weights, a step of a network that is given them takes less than half the time.
    """
    left, values, right = np.linalg.svd(weights)
    kept = values > tolerance * values[0]
    return left[:, kept] * values[kept], right[kept]


class Constants(NamedTuple):
    """What compiled functions take of a network's noise-free equations: weights, and arrays (neuron,)."""

    weights: Any
    tau: Any
    bias: Any
    transfer_parameters: tuple[Any, ...]
    factors: Any = None  # of the weights, where a network has some

    @classmethod
    def of(cls, network: RateNetwork) -> Constants:
        """Those of a network."""

        def full(value: float | np.ndarray) -> jax.Array:
            return double(np.broadcast_to(value, (network.size,)))

        parameters = tuple(map(full, network.transfer_parameters))
        factors = None if network.factors is None else tuple(map(double, network.factors))
        return cls(double(network.weights), full(network.time_constant), full(network.bias), parameters, factors)


def double(values: Any) -> jax.Array:
    """A JAX array of double precision (inside `jax.enable_x64`)."""
    return jnp.asarray(values, dtype=float)


def output(transfer: Callable[..., Any], constants: Constants, recurrent: Any, current: Any) -> Any:
    """r, the rates that inputs call for: what units give one another, the bias, and what comes from outside."""
    return transfer(recurrent + constants.bias + current, *constants.transfer_parameters)


def velocity(transfer: Callable[..., Any], constants: Constants, x: Any, current: Any) -> Any:
    """dx/dt without noise."""
    return (output(transfer, constants, x @ constants.weights, current) - x) / constants.tau


@partial(jax.jit, static_argnames="transfer")
def _jacobian(constants: Constants, x: Any, current: Any, *, transfer: Callable[..., Any]) -> Any:
    return jax.jacfwd(lambda state: velocity(transfer, constants, state, current))(x)
