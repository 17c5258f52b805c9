"""The balanced network as somebody who knows numba writes it for this one model, and its random numbers alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from simlab.simulators.spiking import SpikingNetwork


@njit
def lif_trials(rng, n_trials, n_steps, dt, tau, rest, threshold, reset, refractory, external, sigma, synapses):
    """Spikes as (trial, step, neuron); synapses: first of each neuron (neuron + 1,), post, weight and lag [steps]."""
    first, post, weight, lag = synapses
    n, n_slots, leak = len(external), lag.max() + 1, dt / tau
    noise = sigma * np.sqrt(2 * leak)
    spikes = []
    for trial in range(n_trials):
        v = rng.uniform(reset, threshold, n)
        arriving = np.zeros((n_slots, n))
        free = np.zeros(n, np.int64)
        for step in range(n_steps):
            now = arriving[step % n_slots]
            for i in range(n):
                eta, arrived = rng.standard_normal(), now[i]
                now[i] = 0.0
                if step < free[i]:
                    continue
                v[i] += leak * (rest - v[i] + external[i]) + noise[i] * eta + arrived
                if v[i] > threshold:
                    v[i], free[i] = reset, step + refractory
                    spikes.append((trial, step, i))
                    for s in range(first[i], first[i + 1]):
                        arriving[(step + lag[s]) % n_slots, post[s]] += weight[s]
    return spikes


@njit
def draw(rng, n):
    """The sum of so many standard normal numbers."""
    total = 0.0
    for _ in range(n):
        total += rng.standard_normal()
    return total


def by_hand(network: SpikingNetwork, n_trials: int, n_steps: int, rng: np.random.Generator, dt: float = 1e-4) -> Any:
    """(spike, 3) trial, step and neuron of `lif_trials` for the balanced network with one set of synapses."""
    (neurons,), (wiring,) = network.populations, network.synapses
    given = neurons.parameters
    order = np.argsort(wiring.pre, kind="stable")
    first = np.searchsorted(wiring.pre[order], np.arange(network.n_neurons + 1))
    lags = np.round(wiring.delay[order] / dt).astype(np.int64)
    membrane = (given["tau"], given["rest"], given["v_threshold"], given["v_reset"], round(neurons.refractory / dt))
    inputs = (given["external"], np.array(given["sigma"]))
    spikes = lif_trials(
        rng, n_trials, n_steps, dt, *membrane, *inputs, (first, wiring.post[order], wiring.weight[order], lags)
    )
    return np.array(spikes, dtype=np.int64).reshape(-1, 3)
