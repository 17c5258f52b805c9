"""Noisy rate networks: one set of equations that is simulated, linearised and solved for its fixed points.

All trials of a session are integrated at once in one compiled loop (JAX, with a batch axis over trials), which is
handed each trial's random numbers block by block. Compiled code depends on shapes and on the transfer function alone,
not on durations, so subjects and sessions of one circuit share it. Everything is float64, so that the state at which a
simulation rests is the root that Newton's method finds; rates are stored in single precision.
"""

from __future__ import annotations

import numpy as np

from simlab.progress import report
from simlab.session import Session
from simlab.simulators.quiet_jax import jax
from simlab.simulators.rate_inputs import Command
from simlab.simulators.rates_chunk import Chunk
from simlab.simulators.rates_fixed_points import FixedPoint, fixed_point, settle
from simlab.simulators.rates_network import RateNetwork
from simlab.simulators.rates_noise import TrialNoise
from simlab.simulators.rates_stability import check_step
from simlab.simulators.rates_steps import Steps, chunks

__all__ = ["FixedPoint", "RateNetwork", "fixed_point", "settle", "simulate"]

MEMORY_LIMIT = 512 * 2**20
"""Bytes that one chunk of trials may take."""


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
    before their onset, under the first step of `inputs`; zero by default. A trial's numbers depend on its own random
    streams alone, not on the other trials or on how they are chunked.

    Raises SimlabError where rates run away, and says when and which dt would do.
    """
    check_step(network, dt)
    steps = Steps.of(session, dt, sample_interval, burn_in)
    command = Command.of(network.size, network.rheobase, session, inputs, input_interval, dt)
    start = np.zeros((session.trials, network.size)) if initial is None else np.asarray(initial, dtype=float)
    rate = np.empty((session.trials, steps.samples, network.size), dtype=np.float32)
    noise = TrialNoise(rng, session.trials)
    parts = chunks(session.trials, memory_limit // (2 * command.bytes_per_trial + 64 * network.size))
    with jax.enable_x64(True):
        for trials in parts:
            for samples, means in Chunk(network, steps, command, start, trials, len(parts[0])).run(noise):
                rate[trials.start : trials.stop, samples] = means
                done = len(trials) * samples.stop / steps.samples
                report((trials.start + done) / session.trials, "rate network")
    return np.arange(steps.samples) * sample_interval, rate
