"""The path integrator's rival: the same network on the same walk, before it has learnt anything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.trained.path_integrator import IntegratorSubject, PathIntegrator, placed
from simlab.rules import check_fields


@dataclass(frozen=True)
class UntrainedIntegrator:
    """Units, target code, task and peak rates of `like`, with the weights that its training begins with.

    The encoder is random, so that a unit's state at the beginning of a leg is a random sum of the target's fields: maps
    are smooth, with peaks anywhere, and what is in them fades within a few steps, as random weights hold nothing up. A
    readout of it tells nothing of the place.
    """

    name: ClassVar[str] = "untrained_integrator"
    mechanism: ClassVar[str] = "random recurrent network"
    twin_of: ClassVar[tuple[str, ...]] = ("path_integrator",)
    questions: ClassVar[tuple[str, ...]] = ("spatial_pattern", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: PathIntegrator = field(default_factory=PathIntegrator)

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: PathIntegrator) -> UntrainedIntegrator:
        """A copy with this network's units and task."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> IntegratorSubject:
        """One individual, as one of `like` is before its training."""
        target, start, seed = self.like.beginning(rng)
        return IntegratorSubject(self, self.like, target, start, seed, placed(self.like.n_neurons, rng), learns=False)
