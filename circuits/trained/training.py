"""Recurrent networks that learn to integrate a velocity, by gradient descent through time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import numpy as np

from circuits.space.trajectory import STEP, Walk, positions
from circuits.trained.targets import Target, activations
from simlab.contracts import SimlabError
from simlab.progress import report
from simlab.rules import Within, check_fields

MOMENTS = (0.9, 0.999)
"""Of Adam's two moments (Kingma & Ba 2015)."""

BLOCK = 50
"""Steps of the descent that one call of compiled code takes."""

PATHS, LONG = 64, 200.0
"""Long paths that the legs of a training are cut from, and their length [s]: 1 km in all, some 50,000 beginnings of a
leg every quarter of a second."""


class Weights(NamedTuple):
    """encoder (output, unit), inward (2, unit), recurrent (pre, post), readout (unit, output)."""

    encoder: Any
    inward: Any
    recurrent: Any
    readout: Any


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns: Adam on batches of `batch` legs.

    The rate falls to zero over the last quarter of the steps.
    """

    steps: Annotated[int, Within(1, 10_000_000)] = 3000  # of the descent; 2e5 in the paper's sweeps
    batch: Annotated[int, Within(1, 100_000)] = 100  # legs; 200 there
    learning_rate: Annotated[float, Within(1e-7, 1)] = 1e-3  # 1e-4 there
    weight_decay: Annotated[float, Within(0, 10)] = 1e-4  # times the sum of squared recurrent weights, as there

    def __post_init__(self) -> None:
        check_fields(self)


def initial(n_units: int, n_outputs: int, rng: np.random.Generator) -> Weights:
    """Even within +- sqrt(6 / (fan-in + fan-out)), as in the paper's sweeps (Glorot & Bengio 2010)."""
    shapes = ((n_outputs, n_units), (2, n_units), (n_units, n_units), (n_units, n_outputs))
    return Weights(*(rng.uniform(-1, 1, s).astype(np.float32) * np.float32(np.sqrt(6 / sum(s))) for s in shapes))


def legs(walk: Walk, step: float, n_steps: int, n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Places (n, n_steps + 1, 2) [m], every `step` [s], cut out of long paths of an animal; without end."""
    every = round(step / STEP)
    length = max(LONG, 2 * step * (n_steps + 1))
    paths = positions(walk, PATHS, round(length / STEP), rng)[:, ::every].astype(np.float32)
    last = paths.shape[1] - n_steps
    while True:
        path, first = rng.integers(PATHS, size=n), rng.integers(last, size=n)
        yield paths[path[:, None], first[:, None] + np.arange(n_steps + 1)]


def trained(
    target: Target, start: Weights, walk: Walk, step: float, n_steps: int, schedule: Schedule, rng: np.random.Generator
) -> tuple[Weights, np.ndarray]:
    """The weights after all steps, and the loss (step,) on the way.

    Raises SimlabError where the training diverged: a loss that is no number, or larger at the end than at first.
    """
    descend, arrays = _descent(target.code, target.box, target.crossed), target.arrays
    batches = legs(walk, step, n_steps, schedule.batch, rng)
    state = (start, *(Weights(*map(np.zeros_like, start)) for _ in range(2)))
    losses: list[float] = []
    for first in range(0, schedule.steps, BLOCK):
        number = np.arange(first + 1, min(first + BLOCK, schedule.steps) + 1, dtype=np.float32)
        rate = schedule.learning_rate * np.minimum(1.0, 4 * (1 - number / (schedule.steps + 1)))
        shown = np.stack([next(batches) for _ in number])
        state, found = descend(state, (number, rate.astype(np.float32), shown), arrays, schedule.weight_decay)
        losses += np.asarray(found).tolist()
        if not np.isfinite(losses[-1]):
            raise SimlabError(
                f"the training of a path integrator diverged after {len(losses)} steps, with a loss of {losses[-1]}: "
                f"lower learning_rate, got {schedule.learning_rate}"
            )
        report(len(losses) / schedule.steps, "training")
    ends = np.mean(losses[-10:]), losses[0]
    if ends[0] > ends[1]:
        raise SimlabError(
            f"the training of a path integrator diverged, from a loss of {ends[1]:.3g} to {ends[0]:.3g}: "
            f"lower learning_rate, got {schedule.learning_rate}"
        )
    return Weights(*map(np.asarray, state[0])), np.array(losses)


@lru_cache(maxsize=16)
def _descent(code: Any, box: float, crossed: bool) -> Any:
    """The compiled function that takes some steps of Adam: (state, steps, arrays of the target, decay) -> (state,
    loss).

    Of one code and box; targets, weights and batches of one shape share it.
    """
    from simlab.simulators.quiet_jax import jax, jnp

    def loss(weights: Weights, paths: Any, arrays: Any, decay: Any) -> Any:
        wanted = activations(code, box, arrays, paths)
        moved = jnp.swapaxes(jnp.diff(paths, axis=1), 0, 1) @ weights.inward
        state, states = wanted[:, 0] @ weights.encoder, []
        for t in range(moved.shape[0]):
            state = jax.nn.relu(state @ weights.recurrent + moved[t])
            states.append(state)
        told = jnp.stack(states, axis=1) @ weights.readout
        if crossed:
            error = -(wanted[:, 1:] * jax.nn.log_softmax(told)).sum(axis=-1)
        else:
            error = ((wanted[:, 1:] - told) ** 2).mean(axis=-1)
        return error.mean() + decay * (weights.recurrent**2).sum()

    def one(carried: Any, step: Any, arrays: Any, decay: Any) -> Any:
        weights, first, second = carried
        number, rate, paths = step
        value, slope = jax.value_and_grad(loss)(weights, paths, arrays, decay)
        first = jax.tree.map(lambda m, g: MOMENTS[0] * m + (1 - MOMENTS[0]) * g, first, slope)
        second = jax.tree.map(lambda v, g: MOMENTS[1] * v + (1 - MOMENTS[1]) * g**2, second, slope)
        late = [1 - kept**number for kept in MOMENTS]
        weights = jax.tree.map(
            lambda w, m, v: w - rate * (m / late[0]) / (jnp.sqrt(v / late[1]) + 1e-8), weights, first, second
        )
        return (weights, first, second), value

    def some(state: Any, steps: Any, arrays: Any, decay: Any) -> Any:
        return jax.lax.scan(lambda carried, step: one(carried, step, arrays, decay), state, steps)

    return jax.jit(some)
