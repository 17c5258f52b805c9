"""Small networks of integrate-and-fire neurons whose equations are known in closed form, and how tests run them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simlab.simulators.spiking import Population, SpikingNetwork, SynapseSet, simulate

TAU, REST, THRESHOLD, RESET, REFRACTORY = 20e-3, -70e-3, -50e-3, -60e-3, 2e-3


def lif(n_neurons, bias=0.0, sigma=0.0, synapses=(), extra="", initial=REST):
    neurons = Population(
        n_neurons=n_neurons,
        equations=f"""
            dv/dt = (rest - v + bias {extra} + 20*mV*perturbation)/tau
                    + sigma*sqrt(2/(tau*dt))*eta : volt (unless refractory)
            tau : second (shared, constant)
            rest : volt (shared, constant)
            sigma : volt (shared, constant)
            bias : volt (constant)
        """,
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=REFRACTORY,
        parameters={"tau": TAU, "rest": REST, "sigma": sigma, "bias": bias},
        initial={"v": np.full(n_neurons, initial)},
    )
    return SpikingNetwork((neurons,), synapses)


def altered(network, **changes):
    """The network of one population with fields of that population changed."""
    (neurons,) = network.populations
    return replace(network, populations=(replace(neurons, **changes),))


def noisy(n_neurons=20, seed=0):
    rng = np.random.default_rng(seed)
    pre, post = np.nonzero(rng.random((n_neurons, n_neurons)) < 0.2)
    synapses = SynapseSet(pre, post, rng.normal(0, 1e-3, len(pre)), rng.uniform(0.5e-3, 3e-3, len(pre)))
    return lif(n_neurons, bias=15e-3, sigma=5e-3, synapses=(synapses,))


def run(network, session, seed=1, burn_in=0.0, **options):
    return simulate(network, session, np.random.default_rng(seed), burn_in=burn_in, **options)


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.columns, b.columns, strict=True))
