"""The spiking integrator's rival: the value is kept upstream, and the recorded neurons merely hear of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.memory.integrator_subject import IntegratorSubject
from circuits.memory.spiking_integrator import SpikingIntegrator
from simlab.rules import check_fields


@dataclass(frozen=True)
class IntegratorFollower:
    """Neurons with no synapses among themselves, driven by an unrecorded spiking integrator.

        W = [[integrator, integrator], [0, 0]]    (pre: upstream, recorded; post: upstream, recorded)

    Each recorded neuron has a twin upstream, and gets the synapses, the cue and the background that its twin gets, as
    in `feedforward_ring`: unperturbed, the recorded layer has exactly the law of the integrator, so that no passive
    method can tell them apart, and one that claims it can is wrong as often as right. A push is over when the
    membranes are.
    """

    name: ClassVar[str] = "integrator_follower"
    mechanism: ClassVar[str] = "external memory"
    twin_of: ClassVar[tuple[str, ...]] = ("spiking_integrator",)
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity", "topology", "cell_type")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: SpikingIntegrator = field(default_factory=SpikingIntegrator)  # upstream, and whose neurons these are

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def n_neurons(self) -> int:
        """Recorded neurons."""
        return self.like.n_neurons

    def imitating(self, circuit: SpikingIntegrator) -> IntegratorFollower:
        """A copy that follows this integrator."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> IntegratorSubject:
        """One individual, and the integrator that it listens to."""
        upstream = self.like.network(rng)
        nothing = np.zeros_like(upstream.weights)
        network = replace(
            upstream,
            weights=np.block([[upstream.weights, upstream.weights], [nothing, nothing]]),
            excitatory=np.tile(upstream.excitatory, 2),
            slope=np.tile(upstream.slope, 2),
            bias=np.tile(upstream.bias, 2),
            noise_source=np.tile(upstream.noise_source, 2),
        )
        return IntegratorSubject.placed(self, network, rng)
