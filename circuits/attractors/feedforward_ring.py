"""The ring attractor's rival: direction is remembered elsewhere, and the recorded neurons merely hear of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.attractors.ring_attractor import RingAttractor
from circuits.attractors.ring_network import RingNetwork
from circuits.attractors.ring_subject import RingSubject
from simlab.rules import check_fields
from simlab.rules.quantities import Share


@dataclass(frozen=True)
class FeedforwardRing:
    """Neurons with no synapses among themselves, driven by an unrecorded ring attractor upstream.

        W = [[ring, ring], [0, 0]]    (pre: upstream, recorded; post: upstream, recorded)

    Each recorded neuron has a twin upstream: from the upstream ring it gets the very synapses that its twin gets, and
    the cue and the background that its twin gets. So head-direction cells of the anterior thalamus inherit their
    direction from the mammillary bodies, where it is kept (Sharp, Blair & Cho 2001, Trends Neurosci 24:289).

    Nothing is matched by hand. With n = K n + e the fluctuations of a ring (K: its synapses, e: what neurons add of
    their own), those of the recorded layer are n' = K n + e'. Rates, tuning, drift in the dark and the manifold of
    states match for any e' of the right variance; correlations of pairs match where e' = e, since a ring's own noise
    e is correlated with the input K n that it causes. `common_background` = 1 makes them so: an unperturbed
    recorded layer then has exactly the law of a ring, and no passive method can do better than chance.

    What differs is what is absent: a spike of a recorded neuron changes no other neuron, so that after a push these
    return to the upstream direction as soon as their membranes do.
    """

    name: ClassVar[str] = "feedforward_ring"
    mechanism: ClassVar[str] = "feedforward"
    twin_of: ClassVar[tuple[str, ...]] = ("ring_attractor",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "topology", "dynamics")

    ring: RingAttractor = field(default_factory=RingAttractor)  # parameters of either layer, `model` among them
    common_background: Share = 1.0  # share of the noise's variance that twins have in common; below 1 the match loosens

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds: what that of its ring does."""
        return self.ring.modalities

    @property
    def n_neurons(self) -> int:
        """Recorded neurons, excitatory and inhibitory."""
        return self.ring.n_neurons

    def imitating(self, circuit: RingAttractor) -> FeedforwardRing:
        """A copy whose layers are made of this ring's neurons."""
        return replace(self, ring=circuit)

    def network(self, order: np.ndarray | None = None) -> RingNetwork:
        """Upstream ring and recorded layer, in this order, each with its neurons numbered in `order`."""
        upstream = self.ring.network(order)
        nothing = np.zeros_like(upstream.weights)
        return replace(
            upstream,
            weights=np.block([[upstream.weights, upstream.weights], [nothing, nothing]]),
            excitatory=np.tile(upstream.excitatory, 2),
            angle=np.tile(upstream.angle, 2),
            cued=np.tile(upstream.cued, 2),
            noise_source=np.tile(upstream.noise_source, 2),
            noise_share=self.common_background,
        )

    def subject(self, rng: np.random.Generator) -> RingSubject:
        """One individual: the recorded neurons lie anywhere in the tissue and are numbered at random."""
        return RingSubject.placed(self, self.network(rng.permutation(self.n_neurons)), rng)
