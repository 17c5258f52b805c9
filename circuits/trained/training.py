"""Training of rate networks by gradient descent through time: one loop, deterministic by seed.

    tau_i dy_i = (-y_i + tanh(sum_j W_ji y_j + sum_f u_f(t) E_fi + b_i)) dt + sqrt(2 tau_i) sigma dB_i,     z = y . r

W, E, b, r are trained by Adam (Kingma & Ba 2015) to bring z near a target, as in Song, Yang & Wang 2016 (PLoS Comput
Biol 12:e1004792): tau = 100 ms, steps of 20 ms, private noise, gradients clipped to a norm of 1. Where a mask is zero,
what stood there stays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from simlab.contracts import SimlabError

STEP = 0.02
"""s, of Euler's method: a fifth of the time constant (Song et al. 2016)."""

CLIPPED = 1.0
"""Norm of the gradient above which it is scaled down."""

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Inputs (trial, time, feature), the target of z and its weight in the error (trial, time)."""


class Parameters(NamedTuple):
    """What is trained: weights (pre, post), entry (feature, neuron), bias (neuron,), readout (neuron,)."""

    weights: np.ndarray
    entry: np.ndarray
    bias: np.ndarray
    readout: np.ndarray


class Schedule(NamedTuple):
    """How long, on how many trials at a time, and how fast at first: the rate falls to nothing along a cosine."""

    steps: int = 300
    batch: int = 64
    learning_rate: float = 3e-3


def train(
    start: Parameters, masks: Parameters, leak: np.ndarray, noise: float, batch: Callable[[np.random.Generator], Batch],
    schedule: Schedule, rng: np.random.Generator,
) -> tuple[Parameters, np.ndarray]:  # fmt: skip
    """The parameters after all steps, and the error at each (step,).

    leak (neuron,): STEP over each time constant. noise: sigma, of y. batch: draws the trials of one step. Raises
    SimlabError where the error is no longer a number.
    """
    import optax

    from simlab.simulators.quiet_jax import jax

    trained: Any = Parameters(*(np.asarray(part, dtype=np.float32) for part in start))
    free = Parameters(*(np.asarray(part, dtype=np.float32) for part in masks))
    update, state = _descent()[1], _descent()[0].init(trained)
    rate = optax.cosine_decay_schedule(schedule.learning_rate, schedule.steps)
    errors = np.empty(schedule.steps)
    amplitude = np.float32(noise) * np.sqrt(2 * np.asarray(leak, dtype=np.float32))
    for step in range(schedule.steps):
        shown, target, weight = (np.asarray(part, dtype=np.float32) for part in batch(rng))
        numbers = rng.standard_normal((*shown.shape[:2], len(amplitude)), dtype=np.float32) * amplitude
        trained, state, error = update(
            trained, state, free, np.asarray(leak, dtype=np.float32), (shown, target, weight), numbers, rate(step)
        )
        errors[step] = float(error)
        if not np.isfinite(errors[step]):
            raise SimlabError(
                f"the training diverged at step {step} of {schedule.steps}: take a lower learning rate than "
                f"{schedule.learning_rate:g}"
            )
    return Parameters(*(np.asarray(jax.device_get(part), dtype=float) for part in trained)), errors


@cache
def _descent() -> tuple[Any, Callable[..., Any]]:
    """The optimiser, and one step of it, compiled once for each shape of trials and network."""
    import optax

    from simlab.simulators.quiet_jax import jax, jnp

    descent = optax.chain(optax.clip_by_global_norm(CLIPPED), optax.adam(1.0))

    def error(trained: Parameters, leak: Any, trials: Any, numbers: Any) -> Any:
        shown, target, weight = trials
        driven = shown @ trained.entry + trained.bias

        def step(y: Any, now: Any) -> tuple[Any, Any]:
            drive, jitter = now
            y = y + leak * (jnp.tanh(y @ trained.weights + drive) - y) + jitter
            return y, y @ trained.readout

        first = jnp.zeros((shown.shape[0], len(leak)), dtype=shown.dtype)
        _, output = jax.lax.scan(step, first, (jnp.swapaxes(driven, 0, 1), jnp.swapaxes(numbers, 0, 1)))
        missed = weight * (jnp.swapaxes(output, 0, 1) - target) ** 2
        return missed.sum() / weight.sum()

    @jax.jit
    def update(trained: Any, state: Any, free: Any, leak: Any, trials: Any, numbers: Any, rate: Any) -> Any:
        missed, slope = jax.value_and_grad(error)(trained, leak, trials, numbers)
        slope = jax.tree.map(lambda g, mask: g * mask, slope, free)
        change, state = descent.update(slope, state, trained)
        trained = jax.tree.map(lambda p, c, mask: p + rate * c * mask, trained, change, free)
        return trained, state, missed

    return descent, update


def followed(
    found: Parameters, leak: np.ndarray, inputs: np.ndarray, noise: float = 0.0, rng: np.random.Generator | None = None,
    start: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """y (trial, time, neuron) of a network under these inputs (trial, time, feature); noise-free by default."""
    y = np.zeros((len(inputs), len(leak))) if start is None else np.array(start, dtype=float)
    path = np.empty((*inputs.shape[:2], len(leak)))
    driven = inputs @ found.entry + found.bias
    for step in range(inputs.shape[1]):
        y = y + leak * (np.tanh(y @ found.weights + driven[:, step]) - y)
        if noise and rng is not None:
            y = y + noise * np.sqrt(2 * leak) * rng.standard_normal(y.shape)
        path[:, step] = y
    return path
