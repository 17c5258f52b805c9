"""Recurrent networks that learn to integrate a velocity, by gradient descent through time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import numpy as np

from circuits.space.trajectory import STEP, Walk, positions
from circuits.trained.targets import Target
from simlab.contracts import SimlabError
from simlab.progress import report
from simlab.rules import Within, check_fields

MOMENTS = (0.9, 0.999)
"""Of Adam's two moments (Kingma & Ba 2015)."""

BLOCK = 50
"""Steps of the descent that one call of compiled code takes."""

PATHS = 32
"""Long paths, walked one beside the other, that the legs of a training are cut from."""


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

    steps: Annotated[int, Within(1, 10_000_000)] = 5000  # of the descent; 2e5 in the paper's sweeps
    batch: Annotated[int, Within(1, 100_000)] = 32  # legs; 200 there
    learning_rate: Annotated[float, Within(1e-7, 1)] = 2e-3  # 1e-4 there
    weight_decay: Annotated[float, Within(0, 10)] = 1e-4  # times the sum of squared recurrent weights, as there
    walked: Annotated[float, Within(1, 1e6, "s")] = 6400.0
    """s of walking that legs are cut from: 500 m, some 25,000 beginnings of a leg every quarter of a second."""

    def __post_init__(self) -> None:
        check_fields(self)


def initial(n_units: int, n_outputs: int, rng: np.random.Generator) -> Weights:
    """Even within +- sqrt(6 / (fan-in + fan-out)), as in the paper's sweeps (Glorot & Bengio 2010)."""
    shapes = ((n_outputs, n_units), (2, n_units), (n_units, n_units), (n_units, n_outputs))
    return Weights(*(rng.uniform(-1, 1, s).astype(np.float32) * np.float32(np.sqrt(6 / sum(s))) for s in shapes))


def stride(walk: Walk, step: float) -> float:
    """[m] that the animal goes in a step, on average: the unit in which a network is told how far it went."""
    return walk.mean_speed * step


class Paths(NamedTuple):
    """place (moment, 2) [m] of long paths, one after another, and `first` (beginning,): moments at which a leg fits."""

    place: np.ndarray
    first: np.ndarray

    @classmethod
    def over(cls, seconds: float, walk: Walk, step: float, n_steps: int, rng: np.random.Generator) -> Paths:
        """So long, and twice a leg at least, of an animal that is looked at every `step` [s]."""
        every = round(step / STEP)
        length = max(seconds / PATHS, 2 * step * (n_steps + 1))
        place = positions(walk, PATHS, round(length / STEP), rng)[:, ::every]
        moment = np.arange(place[..., 0].size).reshape(place.shape[:2])
        return cls(place.reshape(-1, 2).astype(np.float32), moment[:, : place.shape[1] - n_steps].ravel())

    def legs(self, n: int, n_steps: int, rng: np.random.Generator) -> np.ndarray:
        """Moments (n, n_steps + 1) of legs that begin anywhere."""
        return rng.choice(self.first, n)[:, None] + np.arange(n_steps + 1)


def trained(
    target: Target, start: Weights, walk: Walk, step: float, n_steps: int, schedule: Schedule, rng: np.random.Generator
) -> tuple[Weights, np.ndarray]:
    """The weights after all steps, and the loss (step,) on the way.

    Raises SimlabError where the training diverged: a loss that is no number, or larger at the end than at first.
    """
    paths, descend = Paths.over(schedule.walked, walk, step, n_steps, rng), _descent(target.crossed)
    codes, cues = target.at(paths.place), target.cue(paths.place)
    strides = paths.place / np.float32(stride(walk, step))
    state = (start, *(Weights(*map(np.zeros_like, start)) for _ in range(2)))
    losses: list[float] = []
    for first in range(0, schedule.steps, BLOCK):
        number = np.arange(first + 1, min(first + BLOCK, schedule.steps) + 1, dtype=np.float32)
        rate = schedule.learning_rate * np.minimum(1.0, 4 * (1 - number / (schedule.steps + 1)))
        moments = np.stack([paths.legs(schedule.batch, n_steps, rng) for _ in number])
        steps = number, rate.astype(np.float32), moments
        state, found = descend(state, steps, (strides, cues, codes), schedule.weight_decay)
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


@lru_cache(maxsize=2)
def _descent(crossed: bool) -> Any:
    """The compiled function that takes some steps of Adam: (state, steps, what is known of places, decay) -> (state,
    loss).

    Targets, weights and batches of one shape share it.
    """
    from simlab.simulators.quiet_jax import jax, jnp

    def loss(weights: Weights, path: Any, cue: Any, wanted: Any, decay: Any) -> Any:
        moved = jnp.swapaxes(jnp.diff(path, axis=1), 0, 1) @ weights.inward

        def later(state: Any, push: Any) -> Any:
            state = jax.nn.relu(state @ weights.recurrent + push)
            return state, state

        states = jax.lax.scan(later, cue @ weights.encoder, moved)[1]
        told = jnp.swapaxes(states, 0, 1) @ weights.readout
        shares = -(wanted * jax.nn.log_softmax(told)).sum(axis=-1)
        error = shares if crossed else ((wanted - told) ** 2).mean(axis=-1)
        return error.mean() + decay * (weights.recurrent**2).sum()

    def some(state: Any, steps: Any, known: Any, decay: Any) -> Any:
        def one(carried: Any, step: Any) -> Any:
            weights, first, second = carried
            number, rate, moments = step
            strides, cues, codes = known
            legs = strides[moments], cues[moments[:, 0]], codes[moments[:, 1:]]
            value, slope = jax.value_and_grad(loss)(weights, *legs, decay)
            first = jax.tree.map(lambda m, g: MOMENTS[0] * m + (1 - MOMENTS[0]) * g, first, slope)
            second = jax.tree.map(lambda v, g: MOMENTS[1] * v + (1 - MOMENTS[1]) * g**2, second, slope)
            late = [1 - kept**number for kept in MOMENTS]
            weights = jax.tree.map(
                lambda w, m, v: w - rate * (m / late[0]) / (jnp.sqrt(v / late[1]) + 1e-8), weights, first, second
            )
            return (weights, first, second), value

        return jax.lax.scan(one, state, steps)

    return jax.jit(some)
