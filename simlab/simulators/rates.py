"""Noisy rate networks: one set of equations that is simulated, linearised and solved for its fixed points.

All trials of a session are integrated at once in one compiled loop (JAX: `lax.scan` over time, a batch axis over
trials), in chunks that fit a memory bound. Compiled code depends on shapes and on the transfer function alone,
so subjects of one circuit share it. Everything is float64: the random numbers cost most of the time either way, and
so the state at which a simulation rests is the root that Newton's method finds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from simlab.contracts import SimlabError
from simlab.progress import report
from simlab.session import Session
from simlab.simulators.noise import check_noise_source
from simlab.simulators.quiet_jax import jax, jnp
from simlab.simulators.rate_inputs import Command
from simlab.streams import brian_seed

MEMORY_LIMIT = 512 * 2**20
"""Bytes that one chunk of trials may take."""


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

    def __post_init__(self) -> None:
        shape = np.shape(self.weights)
        if len(shape) != 2 or shape[0] != shape[1]:
            raise SimlabError(f"weights must be square (pre, post), got shape {shape}")
        if not np.all(np.asarray(self.time_constant) > 0):
            raise SimlabError(f"time constants must be > 0 s, got {self.time_constant}")
        if self.noise_source is not None:
            check_noise_source(self.noise_source, self.noise_share, self.size)

    @property
    def size(self) -> int:
        """How many units there are."""
        return len(self.weights)

    def velocity(self, state: np.ndarray, current: float | np.ndarray = 0.0) -> np.ndarray:
        """dx/dt (..., neuron) without noise at a state (..., neuron), under a constant input."""
        with jax.enable_x64(True):
            return np.asarray(_velocity(self.transfer, _Constants.of(self), _double(state), _double(current)))

    def jacobian(self, state: np.ndarray, current: float | np.ndarray = 0.0) -> np.ndarray:
        """d(dx_i/dt)/dx_j (neuron i, neuron j) [1/s] at a state (neuron,), by automatic differentiation."""
        with jax.enable_x64(True):
            return np.asarray(_jacobian(_Constants.of(self), _double(state), _double(current), transfer=self.transfer))


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
    """Where noise-free dynamics are after `duration` [s] from `start` (..., neuron), under a constant input."""
    with jax.enable_x64(True):
        steps = max(1, round(duration / dt))
        at, under = _double(start), _double(current)
        return np.asarray(_settle(_Constants.of(network), at, under, dt, steps, transfer=network.transfer))


def simulate(
    network: RateNetwork,
    session: Session,
    rng: np.random.Generator,
    *,
    dt: float,
    sample_interval: float,
    inputs: np.ndarray | None = None,
    input_interval: float | None = None,
    initial: np.ndarray | None = None,
    burn_in: float = 0.0,
    memory_limit: int = MEMORY_LIMIT,
) -> tuple[np.ndarray, np.ndarray]:
    """All trials of a session at once; returns the sample times (time,) [s] and `rate` (trial, time, neuron).

    Each sample is the mean of the rates over the `sample_interval` [s] that starts there. `dt` [s] is the Euler step.
    `inputs` (trial, step, neuron), in the unit of the transfer function's argument and each step `input_interval`
    [s] long, comes on top of the session's perturbations. `initial` (trial, neuron): where trials start, `burn_in` [s]
    before their onset, under the first step of `inputs`; zero by default. A trial's noise does
    not depend on how trials are chunked.
    """
    substeps, n_samples = _steps(sample_interval, dt, "sample_interval"), round(session.duration / sample_interval)
    if n_samples < 1:
        raise SimlabError(f"a trial of {session.duration} s holds no sample of {sample_interval} s: sample faster")
    command = Command.of(network.size, network.rheobase, session, inputs, input_interval, dt)
    burn_steps = _steps(burn_in, dt, "burn_in") if burn_in else 0
    step_times = (np.arange(n_samples * substeps) + 0.5) * dt
    segment = np.concatenate([np.zeros(burn_steps, dtype=int), command.segment(step_times)])
    start = np.zeros((session.trials, network.size)) if initial is None else np.asarray(initial, dtype=float)
    bytes_per_trial = 8 * network.size * (2 * n_samples + 2 * command.current.shape[0] + 8)
    if command.pair_gain is not None:
        bytes_per_trial += 16 * network.size**2  # each trial has weights of its own
    chunk = int(np.clip(memory_limit // bytes_per_trial, 1, session.trials))
    chunk = -(-session.trials // -(-session.trials // chunk))
    rate = np.empty((session.trials, n_samples, network.size), dtype=np.float32)
    seed = brian_seed(rng)
    noisy = (bool(np.any(network.input_noise)), bool(np.any(network.state_noise) or np.any(network.shot_noise)))
    with jax.enable_x64(True):
        for first in range(0, session.trials, chunk):
            # A last chunk that is short is filled by repeats, so that one compiled shape serves all.
            rows = np.minimum(np.arange(first, first + chunk), session.trials - 1)
            done = _integrate(
                _Constants.of(network), jnp.asarray(start[rows]), jnp.asarray(command.current[:, rows]),
                jnp.asarray(command.clamp[:, rows]), _Gains.of(command, rows), jnp.asarray(segment),
                jnp.asarray(rows), seed, dt,
                transfer=network.transfer, burn_steps=burn_steps, substeps=substeps,
                noisy=noisy,
            )  # fmt: skip
            last = min(first + chunk, session.trials)
            rate[first:last] = np.asarray(done)[: last - first]
            report(last / session.trials, "rate network")
    return np.arange(n_samples) * sample_interval, rate


def _steps(interval: float, dt: float, name: str) -> int:
    steps = round(interval / dt)
    if steps < 1 or abs(steps * dt - interval) > 1e-6 * interval:
        raise SimlabError(f"{name} must be a whole number of steps of dt={dt} s, got {interval} s")
    return steps


def _double(values: Any) -> jax.Array:
    return jnp.asarray(values, dtype=float)


class _Constants(NamedTuple):
    """What the compiled functions take of a network, as arrays over neurons."""

    weights: Any
    tau: Any
    bias: Any
    input_noise: Any
    state_noise: Any
    shot_noise: Any
    transfer_parameters: tuple[Any, ...]
    noise_source: Any
    own_noise: Any
    common_noise: Any

    @classmethod
    def of(cls, network: RateNetwork) -> _Constants:
        def full(value: float | np.ndarray) -> jax.Array:
            return _double(np.broadcast_to(value, (network.size,)))

        alone = np.arange(network.size)
        source = alone if network.noise_source is None else np.asarray(network.noise_source)
        share = np.where(source == alone, 0.0, network.noise_share)
        return cls(
            _double(network.weights), full(network.time_constant), full(network.bias), full(network.input_noise),
            full(network.state_noise), full(network.shot_noise), tuple(map(full, network.transfer_parameters)),
            jnp.asarray(source), full(np.sqrt(1 - share)), full(np.sqrt(share)),
        )  # fmt: skip


class _Gains(NamedTuple):
    """Factors on synapses; None where a session has none, and then compiled code knows nothing of them."""

    unit: Any = None  # (segment, trial, neuron)
    pair: Any = None  # (kind, pre, post)
    kind: Any = None  # (segment, trial)

    @classmethod
    def of(cls, command: Command, rows: np.ndarray) -> _Gains:
        unit = None if command.gain is None else _double(command.gain[:, rows])
        if command.pair_gain is None or command.pair_kind is None:
            return cls(unit)
        return cls(unit, _double(command.pair_gain), jnp.asarray(command.pair_kind[:, rows]))

    def recurrent(self, weights: Any, x: Any, now: Any) -> Any:
        """What the units (trial, neuron) of a state give one another in a segment."""
        sent = x if self.unit is None else x * self.unit[now]
        if self.pair is None:
            return sent @ weights
        return jnp.einsum("ti,tij->tj", sent, weights * self.pair[self.kind[now]])


def _output(transfer: Callable[..., Any], constants: _Constants, x: Any, current: Any, recurrent: Any = None) -> Any:
    """r, the rate that a unit's input calls for; recurrent: from other units, if not by the weights alone."""
    drive = (x @ constants.weights if recurrent is None else recurrent) + constants.bias + current
    return transfer(drive, *constants.transfer_parameters)


def _velocity(transfer: Callable[..., Any], constants: _Constants, x: Any, current: Any) -> Any:
    return (-x + _output(transfer, constants, x, current)) / constants.tau


@partial(jax.jit, static_argnames="transfer")
def _jacobian(constants: _Constants, x: Any, current: Any, *, transfer: Callable[..., Any]) -> Any:
    return jax.jacfwd(lambda state: _velocity(transfer, constants, state, current))(x)


@partial(jax.jit, static_argnames="transfer")
def _settle(constants: _Constants, x: Any, current: Any, dt: float, steps: int, *, transfer: Callable[..., Any]) -> Any:
    return jax.lax.fori_loop(0, steps, lambda _, y: y + dt * _velocity(transfer, constants, y, current), x)


@partial(jax.jit, static_argnames=("transfer", "burn_steps", "substeps", "noisy"))
def _integrate(
    constants: _Constants, start: Any, current: Any, clamp: Any, gains: _Gains, segment: Any, trials: Any, seed: int,
    dt: float, *, transfer: Callable[..., Any], burn_steps: int, substeps: int, noisy: tuple[bool, bool],
) -> Any:  # fmt: skip
    """Euler-Maruyama over all steps; means over `substeps`, (trial, sample, neuron)."""
    tau = constants.tau
    fold = jax.random.fold_in
    keys = jax.vmap(partial(fold, jax.random.key(seed)))(trials)

    def draw(step: Any, stream: int) -> Any:
        each = jax.vmap(lambda key: jax.random.normal(fold(fold(key, step), stream), start.shape[1:]))(keys)
        return constants.own_noise * each + constants.common_noise * each[:, constants.noise_source]

    def advance(x: Any, step: Any) -> tuple[Any, Any]:
        now = segment[step]
        drive = current[now] + (constants.input_noise * draw(step, 0) if noisy[0] else 0.0)
        output = _output(transfer, constants, x, drive, gains.recurrent(constants.weights, x, now))
        new = x + dt / tau * (output - x)
        if noisy[1]:
            shot = jnp.sqrt(constants.shot_noise * output) / tau
            new = new + jnp.sqrt(dt) * (constants.state_noise / jnp.sqrt(tau) + shot) * draw(step, 1)
        held = clamp[now if clamp.shape[0] > 1 else 0]
        new = jnp.where(jnp.isnan(held), new, held)
        return new, jnp.where(jnp.isnan(held), x, held)

    def sample(x: Any, first: Any) -> tuple[Any, Any]:
        x, visited = jax.lax.scan(advance, x, first + jnp.arange(substeps))
        return x, visited.mean(axis=0)

    x = jax.lax.fori_loop(0, burn_steps, lambda step, y: advance(y, step)[0], start)
    firsts = burn_steps + jnp.arange((len(segment) - burn_steps) // substeps) * substeps
    return jnp.swapaxes(jax.lax.scan(sample, x, firsts)[1], 0, 1)
