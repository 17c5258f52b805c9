"""The compiled loop that takes a batch of trials of a rate network through a block of Euler-Maruyama steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from simlab.simulators.quiet_jax import jax, jnp
from simlab.simulators.rate_inputs import Command
from simlab.simulators.rates_network import Constants, RateNetwork, double, output

FEW_UNITS = 256
"""Weights (float64) of so many units fit a core's cache, and then a product per trial costs little more than one
product of all trials."""

FEW_KINDS = 4
"""Combinations of gains on pairs up to which the products of all trials with each of them take less than copying the
weights of each trial's own."""

TILE = 8
"""Trials that one product takes at a time where there are more units."""


class Amplitudes(NamedTuple):
    """Of the noise (neuron,); None where there is none, and then compiled code knows nothing of it."""

    input: Any = None
    state: Any = None
    shot: Any = None
    source: Any = None
    own: Any = None  # of a unit's own numbers, and `common` of its source's
    common: Any = None

    @classmethod
    def of(cls, network: RateNetwork) -> Amplitudes:
        """Those of a network."""

        def full(value: float | np.ndarray) -> jax.Array | None:
            return double(np.broadcast_to(value, (network.size,))) if np.any(value) else None

        amplitudes = cls(*map(full, (network.input_noise, network.state_noise, network.shot_noise)))
        alone = np.arange(network.size)
        if network.noise_source is None or np.array_equal(network.noise_source, alone):
            return amplitudes
        share = np.where(network.noise_source == alone, 0.0, network.noise_share)
        own, common = double(np.sqrt(1 - share)), double(np.sqrt(share))
        return amplitudes._replace(source=jnp.asarray(network.noise_source), own=own, common=common)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which numbers are drawn."""
        state = self.state is not None or self.shot is not None
        return ("input",) * (self.input is not None) + ("state",) * state

    def shared(self, numbers: Any) -> Any:
        """Numbers (trial, neuron) of which units that share noise have part in common."""
        if self.source is None:
            return numbers
        return self.own * numbers + self.common * numbers[:, self.source]

    def diffusion(self, rates: Any, tau: Any) -> Any:
        """Of the state, in its unit per root second; a rate below zero has no spikes, and so no shot noise."""
        state = 0.0 if self.state is None else self.state / jnp.sqrt(tau)
        return state if self.shot is None else state + jnp.sqrt(self.shot * jnp.maximum(rates, 0.0)) / tau


class Commanded(NamedTuple):
    """What some trials are commanded; None where a session has no such effect."""

    current: Any  # (segment, trial, neuron)
    held: Any  # the same shape; NaN is free
    gain: Any  # the same shape
    weights: Any  # (kind, pre, post): the weights under each combination of gains on pairs
    kind: Any  # (segment, trial)

    @classmethod
    def of(cls, command: Command, rows: np.ndarray, weights: np.ndarray) -> Commanded:
        """Of these trials (indices)."""

        def taken(values: np.ndarray | None) -> jax.Array | None:
            return None if values is None else jnp.asarray(values[:, rows])

        pairs = None if command.pair_gain is None else double(weights * command.pair_gain)
        current, held, gain = map(taken, (command.current, command.clamp, command.gain))
        return cls(current, held, gain, pairs, taken(command.pair_kind))

    def hold(self, x: Any, now: Any) -> Any:
        """The states (trial, neuron) with held units where they are held in a segment."""
        if self.held is None:
            return x
        return jnp.where(jnp.isnan(self.held[now]), x, self.held[now])

    def recurrent(self, weights: Any, x: Any, now: Any) -> Any:
        """What the units (trial, neuron) of a state give one another in a segment."""
        sent = x if self.gain is None else x * self.gain[now]
        if self.weights is None:
            return product(sent, weights)
        if len(self.weights) <= FEW_KINDS:
            each = jnp.stack([product(sent, of_kind) for of_kind in self.weights])
            return each[self.kind[now], jnp.arange(len(sent))]
        return jax.lax.map(lambda each: each[0] @ self.weights[each[1]], (sent, self.kind[now]))


def product(x: Any, weights: Any) -> Any:
    """x @ weights, or x @ first @ second of two factors, for x (trial, neuron): shapes hold for any number of trials.

    A matrix product's order of summation, and so its rounding, depends on its shape: a trial's numbers would depend
    on how many others there are, and in a chaotic network visibly.
    """
    trials, units = x.shape
    if isinstance(weights, tuple):
        return jax.lax.map(lambda each: each @ weights[0] @ weights[1], x)
    if units <= FEW_UNITS:
        return jax.lax.map(lambda each: each @ weights, x)
    padded = jnp.pad(x, ((0, -trials % TILE), (0, 0))).reshape(-1, TILE, units)
    return jax.lax.map(lambda tile: tile @ weights, padded).reshape(-1, units)[:trials]


class State(NamedTuple):
    """Where a batch is (trial, neuron), and the sum of the states since the current sample began."""

    x: Any
    total: Any


@partial(jax.jit, static_argnames="transfer")
def advance(
    constants: Constants, amplitudes: Amplitudes, commanded: Commanded, state: State, numbers: dict[str, Any],
    segment: Any, first: int, steps: int, substeps: int, dt: float, *, transfer: Callable[..., Any],
) -> tuple[State, Any]:  # fmt: skip
    """The state after `steps` Euler-Maruyama steps, and the means (trial, sample, neuron) over `substeps` of them.

    numbers: standard normal, (trial, step, neuron) of each kind that is drawn. segment (step,): which holds. first:
    the first step's index, counted from the trial's onset. The first sample is the one in which the first step lies or,
    in the burn-in, the trial's first; the last may be unfinished, and is then completed by the next block.
    """
    sample = jnp.maximum(first, 0) // substeps

    def body(step: Any, carry: tuple[State, Any]) -> tuple[State, Any]:
        (x, total), means = carry
        x = commanded.hold(x, segment[step])
        drawn = {kind: amplitudes.shared(each[:, step]) for kind, each in numbers.items()}
        new = _step(constants, amplitudes, commanded, x, drawn, segment[step], dt, transfer)
        total = jnp.where((first + step) % substeps == 0, 0.0, total) + x
        mean = (total / substeps).astype(jnp.float32)
        at = jnp.maximum((first + step) // substeps - sample, 0)
        return State(new, total), jax.lax.dynamic_update_index_in_dim(means, mean, at, 1)

    trials, units = state.x.shape
    means = jnp.zeros((trials, len(segment), units), jnp.float32)
    return jax.lax.fori_loop(0, steps, body, (state, means))


def _step(
    constants: Constants, amplitudes: Amplitudes, commanded: Commanded, x: Any, drawn: dict[str, Any], now: Any,
    dt: float, transfer: Callable[..., Any],
) -> Any:  # fmt: skip
    """The states (trial, neuron) one step later."""
    current = commanded.current[now]
    if "input" in drawn:
        current = current + amplitudes.input * drawn["input"]
    weights = constants.weights if constants.factors is None else constants.factors
    rates = output(transfer, constants, commanded.recurrent(weights, x, now), current)
    new = x + dt / constants.tau * (rates - x)
    if "state" in drawn:
        new = new + jnp.sqrt(dt) * amplitudes.diffusion(rates, constants.tau) * drawn["state"]
    return commanded.hold(new, now)
