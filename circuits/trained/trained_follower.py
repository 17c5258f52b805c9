"""Neurons that repeat what an unrecorded trained network does: the same behaviour and activity, and no part in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.trained.task_subject import TaskSubject
from circuits.trained.trained_decision import TrainedDecision
from circuits.trained.working_memory import WorkingMemory
from simlab.rules import check_fields


@dataclass(frozen=True)
class TrainedFollower:
    """Each neuron fires at the rate of its twin in an unrecorded `like`, which does the task and hears nothing of it.

        rate_i(t) = x_i(t) + effect_i(t),     the report is the network's upstream

    The exact twin, as `external_memory` is of a line attractor: recordings and behaviour of both have one law, so that
    no passive method tells them apart, by theorem. A push is over when its current is, and changes no choice.
    """

    name: ClassVar[str] = "trained_follower"
    mechanism: ClassVar[str] = "external memory"
    twin_of: ClassVar[tuple[str, ...]] = ("trained_decision", "working_memory")
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity")

    like: TrainedDecision | WorkingMemory = field(default_factory=WorkingMemory)  # the network upstream

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return self.like.modalities

    def imitating(self, circuit: TrainedDecision | WorkingMemory) -> TrainedFollower:
        """A copy that repeats this circuit."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> TaskSubject:
        """One individual, and the network that it listens to."""
        return replace(self.like.subject(rng), name=self.name, replayed=True)
