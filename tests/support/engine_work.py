"""Work for the spiking engine whose cost is measured: networks of any size, sessions in processes, unknown equations.

Run as a script (`python engine_work.py word`), it simulates a network whose equations hold this word, and prints when
it had the result.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np

from circuits.networks.balanced_ei import EQUATIONS, BalancedEI, lif
from simlab.session import Session
from simlab.simulators.spiking import SpikingNetwork, SynapseSet, simulate

SYNAPSES_EACH = 100

PATIENCE = 600.0
"""Seconds that processes get to import and compile."""


def driven(n_neurons: int, *, connected: bool) -> SpikingNetwork:
    """Neurons driven to fire at 150 Hz, each with 100 synapses, or none.

    Weights are far too small to matter, so that what the synapses cost is the difference between two networks that
    do otherwise the same.
    """
    rng = np.random.default_rng(0)
    neurons = lif(BalancedEI(n_neurons=min(n_neurons, 10_000)), np.zeros(1), 5e-3)
    volts = {"external": np.full(n_neurons, 60e-3), "sigma": np.full(n_neurons, 5e-3)}
    neurons = replace(neurons, n_neurons=n_neurons, parameters={**neurons.parameters, **volts})
    if not connected:
        return SpikingNetwork((neurons,))
    pre = np.repeat(np.arange(n_neurons, dtype=np.int32), SYNAPSES_EACH)
    post, delay = rng.integers(0, n_neurons, len(pre), dtype=np.int32), rng.uniform(0.5e-3, 2.5e-3, len(pre))
    return SpikingNetwork((neurons,), (SynapseSet(pre, post, np.full(len(pre), 1e-15), delay),))


def run_session(seed: int, trials: int = 100, duration: float = 1.0) -> float:
    """A session of the balanced network; returns its processor seconds."""
    network, start = BalancedEI().subject(np.random.default_rng(0)).network, time.process_time()
    simulate(network, Session(trials, duration), np.random.default_rng(seed), burn_in=0.0)
    return time.process_time() - start


def _prepare(ready: Any) -> None:
    run_session(0, 1, 0.01)  # imports and compiles
    ready.wait(PATIENCE)


def sessions_in_processes(workers: int, sessions: int) -> tuple[float, float]:
    """Wall seconds of so many sessions in warm worker processes, and the processor seconds of all of them."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(workers + 1)
    with context.Pool(workers, _prepare, (ready,)) as pool:
        ready.wait(PATIENCE)
        start = time.perf_counter()
        processor = pool.map(run_session, range(1, sessions + 1), chunksize=1)
        return time.perf_counter() - start, sum(processor)


def never_seen(word: str) -> SpikingNetwork:
    """A subject of the balanced network with a constant of this name in its equations, which nobody has compiled."""
    network = BalancedEI().subject(np.random.default_rng(0)).network
    equations = EQUATIONS.replace("external + ", f"external + {word} + ") + f"{word} : volt (shared, constant)\n"
    (neurons,) = network.populations
    neurons = replace(neurons, equations=equations, parameters={**neurons.parameters, word: 1e-6})
    return replace(network, populations=(neurons,))


if __name__ == "__main__":
    spikes = simulate(never_seen(sys.argv[1]), Session(1, 0.2), np.random.default_rng(0))
    print(f"\n{time.time()} {len(spikes.time)} {spikes.engine}")
