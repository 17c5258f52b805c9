"""The neurons and synapses of `cortical_patch` as the engine takes them; the neurons alone serve its rivals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from circuits.networks.cortical_patch import CorticalPatch, CorticalPatchSubject
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
    circuit: CorticalPatch, external: np.ndarray, noise: np.ndarray | float, tau_noise: np.ndarray | float
) -> Population:
    """Neurons, given external mean, sd of the noise's current [V] and its time constant [s], each (neuron,)."""
    from simlab.simulators.spiking import Population

    external, noise, tau_noise = (np.broadcast_to(each, circuit.n_neurons) for each in (external, noise, tau_noise))
    return Population(
        n_neurons=circuit.n_neurons,
        equations=EQUATIONS,
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=circuit.refractory,
        parameters={
            "tau": circuit.membrane_time_constant,
            "tau_i": circuit.inhibitory_decay,
            "rest": circuit.rest,
            "v_threshold": circuit.threshold,
            "v_reset": circuit.reset,
            "rheobase": circuit.threshold - circuit.rest,
            "tau_noise": tau_noise,
            "external": external,
            "sigma": noise,
        },
        initial={"v": (circuit.reset, circuit.threshold)},
    )


def synapses(subject: CorticalPatchSubject) -> tuple[SynapseSet, SynapseSet]:
    """Excitatory and inhibitory ones: a spike adds to a current what makes its potential peak at the weight."""
    from simlab.simulators.spiking import SynapseSet

    current = subject.jumps * subject.circuit.membrane_time_constant / subject.decays[:, None]
    sets = []
    for target, sign in (("excitation", 1), ("inhibition", -1)):
        pre, post = np.nonzero(sign * current > 0)
        sets.append(SynapseSet(pre, post, sign * current[pre, post], subject.delays[pre, post], target=target))
    return sets[0], sets[1]
