"""The balanced network as a user of Brian2 writes it: one trial, its noise from `xi`, a SpikeMonitor."""

from __future__ import annotations

from typing import Any

from simlab.simulators.spiking import SpikingNetwork


def plain_trial(network: SpikingNetwork, duration: float, b: Any) -> None:
    """One trial [s] of the balanced network with one set of synapses; b: brian2, its preferences set."""
    (neurons,) = network.populations
    parameters = neurons.parameters
    volts = {name: parameters[name] * b.volt for name in ("rest", "v_threshold", "v_reset")}
    group = b.NeuronGroup(
        network.n_neurons,
        "dv/dt = (rest - v + external)/tau + sigma*sqrt(2/tau)*xi : volt (unless refractory)\nexternal : volt",
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=neurons.refractory * b.second,
        method="euler",
        namespace={**volts, "tau": parameters["tau"] * b.second, "sigma": parameters["sigma"][0] * b.volt},
        name="plain_neurons",
    )
    group.external_[:] = parameters["external"]
    group.v_[:] = parameters["rest"]
    (wiring,) = network.synapses
    synapses = b.Synapses(group, group, "w : volt", on_pre="v_post += w", name="plain_synapses")
    synapses.connect(i=wiring.pre, j=wiring.post)
    synapses.w_[:] = wiring.weight
    synapses.delay_[:] = wiring.delay
    spikes = b.SpikeMonitor(group, name="plain_spikes")
    b.Network(group, synapses, spikes).run(duration * b.second)
