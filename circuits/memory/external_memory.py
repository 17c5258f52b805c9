"""State kept elsewhere and replayed: neurons that do nothing but repeat what an unrecorded integrator tells them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.memory.line_attractor import LineAttractor
from circuits.memory.remembered import MemorySubject
from simlab import truths
from simlab.rules import check_fields


@dataclass(frozen=True)
class ExternalMemory:
    """Neurons without a synapse among themselves, each at the rate of its twin in an unrecorded `like`.

        rate_i(t) = x_i(t) + effect_i(t),   x: the rates of the integrator upstream, which hears nothing of these

    What `feedforward_ring` is to a ring of integrate-and-fire neurons this is to a network of rates: unperturbed, both
    draw spikes at the same rates by the same rule, so that recordings of either have one law. That no passive
    method tells them apart is a theorem and not a finding; a method that only watches and yet claims it can is
    wrong on one of the two as often as it is right on the other. A push is over when its current is.
    """

    name: ClassVar[str] = "external_memory"
    mechanism: ClassVar[str] = "external memory"
    twin_of: ClassVar[tuple[str, ...]] = ("line_attractor",)
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity", "topology", "timescale")

    like: LineAttractor = field(default_factory=LineAttractor)  # the integrator upstream

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return self.like.modalities

    def imitating(self, circuit: LineAttractor) -> ExternalMemory:
        """A copy that repeats this circuit."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> MemorySubject:
        """One individual, and the integrator that it listens to."""
        upstream = self.like.subject(rng)
        answers = {
            "dynamics": lambda: truths.one(label="driven"),
            "connectivity": lambda: truths.no_wiring(self.like.n_neurons),
            "topology": upstream.answers["topology"],
            "timescale": upstream.answers["timescale"],  # of its rates, whoever keeps them
        }
        return replace(upstream, circuit=self, answers=answers, replayed=True)
