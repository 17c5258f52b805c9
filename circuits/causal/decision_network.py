"""The neurons and synapses of the decision circuits: pools of LIF neurons, and pathways from pool to pool.

    tau dV_i/dt = rest - V_i + external_i + evidence_i(t) + fast_i + slow_i - inhibition_i + sigma sqrt(2 tau) xi_i(t)
    tau_s ds_i/dt = -s_i + sum_j w_ji sum_k delta(t - t_jk - delay),   s: fast, slow, inhibition

w is a drive per rate [V s]: a presynaptic neuron that fires at r moves the mean potential by w r.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simlab.simulators.spiking import SpikingNetwork

EQUATIONS = """
    dv/dt = (rest - v + external + evidence + fast + slow - inhibition + rheobase*perturbation)/tau
            + sigma*sqrt(2/(tau*dt))*eta : volt (unless refractory)
    dfast/dt = -fast/tau_fast : volt
    dslow/dt = -slow/tau_slow : volt
    dinhibition/dt = -inhibition/tau_inhibition : volt
    tau : second (shared, constant)
    tau_fast : second (shared, constant)
    tau_slow : second (shared, constant)
    tau_inhibition : second (shared, constant)
    rest : volt (shared, constant)
    v_threshold : volt (shared, constant)
    v_reset : volt (shared, constant)
    rheobase : volt (shared, constant)
    sigma : volt (shared, constant)
    external : volt (constant)
"""

MEMBRANE, REFRACTORY = 20e-3, 2e-3
"""s; Brunel 2000; Wang 2002 (20 ms for pyramidal cells)."""

REST, RESET, THRESHOLD = -70e-3, -60e-3, -50e-3
"""V; Brunel 2000, Wang 2002: threshold 20 mV above rest (in both, with a leak of -70 mV)."""

DECAY = {"fast": 5e-3, "slow": 100e-3, "inhibition": 10e-3}
"""s, of synaptic currents: AMPA on its way through the dendrite, NMDA and GABA_A (Wang 2002: 2, 100 and 5 ms)."""

DELAY = 1.5e-3
"""s; Brunel 2000."""


@dataclass(frozen=True)
class Pool:
    """Neurons alike: the region that they lie in, how many, what kind, and the mean potential without synapses [V] that
    their input from outside makes, from rest."""

    name: str
    region: str
    n_neurons: int
    external: float
    kind: str = "E"


@dataclass(frozen=True)
class Pathway:
    """Synapses from one pool to another: how far all of them together move the potential per rate of the source [V s],
    by which current, and from how many neurons compared with other pathways (all of the source at most)."""

    source: str
    target: str
    strength: float
    current: str = "fast"
    density: float = 1.0


def borders(pools: Sequence[Pool]) -> dict[str, slice]:
    """The neurons of each pool by its name, numbered through all pools in turn."""
    first = np.concatenate([[0], np.cumsum([pool.n_neurons for pool in pools])]).tolist()
    return {pool.name: slice(first[i], first[i + 1]) for i, pool in enumerate(pools)}


def drawn(
    pools: Sequence[Pool], pathways: Sequence[Pathway], probability: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Weights (pre, post) [V s] >= 0 of each current: every neuron of a target gets this share of the source's neurons.

    How willing each pair of neurons is to connect is drawn once, whatever pathways there are, and the most willing do:
    circuits that differ in some pathways share the others, synapse by synapse.
    """
    place = borders(pools)
    n = sum(pool.n_neurons for pool in pools)
    reluctance = rng.random((n, n))
    np.fill_diagonal(reluctance, np.inf)
    weights = {current: np.zeros((n, n)) for current in DECAY}
    for pathway in pathways:
        pre, post = place[pathway.source], place[pathway.target]
        n_inputs = max(1, round(min(pathway.density * probability, 1.0) * (pre.stop - pre.start)))
        chosen = reluctance[pre, post].argsort(axis=0).argsort(axis=0) < n_inputs
        weights[pathway.current][pre, post] += chosen * pathway.strength / n_inputs
    return weights


def network(name: str, weights: dict[str, np.ndarray], external: np.ndarray, noise: float) -> SpikingNetwork:
    """For the engine: weights (pre, post) [V s] of each current, external (neuron,) [V] from rest, noise sd [V]."""
    from simlab.simulators.spiking import Population, SpikingNetwork, SynapseSet

    neurons = Population(
        n_neurons=len(external),
        equations=EQUATIONS,
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=REFRACTORY,
        parameters={
            "tau": MEMBRANE, "rest": REST, "v_threshold": THRESHOLD, "v_reset": RESET, "rheobase": THRESHOLD - REST,
            "sigma": noise, "external": external, **{f"tau_{current}": decay for current, decay in DECAY.items()},
        },
        initial={"v": (RESET, THRESHOLD)},
    )  # fmt: skip
    sets = []
    for current, matrix in weights.items():
        pre, post = np.nonzero(matrix)
        if len(pre):
            sets.append(SynapseSet(pre, post, matrix[pre, post] / DECAY[current], DELAY, target=current))
    return SpikingNetwork((neurons,), tuple(sets), name=name)
