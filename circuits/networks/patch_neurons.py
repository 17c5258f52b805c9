"""The neurons and synapses of `cortical_patch` as the engine takes them; the neurons alone serve its rivals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import LIF
    from simlab.simulators.spiking import Population, SynapseSet

EQUATIONS = """
    dv/dt = (rest - v + external + unseen + excitation - inhibition)/tau : volt (unless refractory)
    unseen = shared + slow + rheobase*perturbation : volt
    dexcitation/dt = -excitation/tau_noise + sigma*sqrt(2/(tau_noise*dt))*eta : volt
    dinhibition/dt = -inhibition/tau_i : volt
    tau : second (shared, constant)
    tau_i : second (shared, constant)
    rest : volt (shared, constant)
    v_threshold : volt (shared, constant)
    v_reset : volt (shared, constant)
    rheobase : volt (shared, constant)
    tau_noise : second (constant)
    external : volt (constant)
    sigma : volt (constant)
"""


def population(
    n_neurons: int,
    neuron: LIF,
    rest: float,
    inhibitory_decay: float,
    external: np.ndarray,
    noise: np.ndarray | float,
    tau_noise: np.ndarray | float,
) -> Population:
    """Neurons that rest at `rest` [V], given external mean, sd of the noise's current [V] and its time constant [s],
    each (neuron,) or for all."""
    from simlab.simulators.spiking import Population

    external, noise, tau_noise = (np.broadcast_to(each, n_neurons) for each in (external, noise, tau_noise))
    return Population(
        n_neurons=n_neurons,
        equations=EQUATIONS,
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=neuron.refractory,
        parameters={
            "tau": neuron.membrane_time_constant,
            "tau_i": inhibitory_decay,
            "rest": rest,
            "v_threshold": rest + neuron.threshold,
            "v_reset": rest + neuron.reset,
            "rheobase": neuron.threshold,
            "tau_noise": tau_noise,
            "external": external,
            "sigma": noise,
        },
        initial={"v": (rest + neuron.reset, rest + neuron.threshold)},
    )


def synapses(
    jumps: np.ndarray, delays: np.ndarray, decays: np.ndarray, membrane: float
) -> tuple[SynapseSet, SynapseSet]:
    """Excitatory and inhibitory ones, of these jumps (pre, post) [V] as currents with decays (pre,) [s]."""
    from simlab.simulators.spiking import SynapseSet

    current = jumps * membrane / decays[:, None]
    sets = []
    for target, sign in (("excitation", 1), ("inhibition", -1)):
        pre, post = np.nonzero(sign * current > 0)
        sets.append(SynapseSet(pre, post, sign * current[pre, post], delays[pre, post], target=target))
    return sets[0], sets[1]
