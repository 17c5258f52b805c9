"""The same tasks without feedback: stages that hand on what they hear, trained like the networks that they imitate."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np

from circuits.trained.solved import recipe
from circuits.trained.task_subject import TaskSubject
from circuits.trained.trained_decision import TrainedDecision
from circuits.trained.working_memory import WorkingMemory
from simlab.rules import check_fields


@dataclass(frozen=True)
class TrainedChain:
    """A network in stages of two neurons, whose weights lead from earlier to later stages only.

    Equations, task, cells, training and the share of right trials that is asked for are those of the network that it
    is `like`; the mask of the weights is what differs. In the order of its stages the Jacobian is triangular, and all
    of its eigenvalues are -1 / tau in every state: nothing is held, and yet the report adds up or keeps what is on its
    way through the chain (Goldman 2009, Neuron 61:621; the sequences of Orhan & Ma 2019, Nat Neurosci 22:275). It ends
    with the chain, after about tau times the number of stages: beyond the delay that it was trained for, it fails.

    It is no twin: what it does is matched, not what its neurons do, and how deep rates are modulated tells it apart.

    With `reach` "any" training makes use of weights that skip stages: late neurons are told early, and activity hardly
    moves through the population while it lasts. With "next", and an input to the first stage alone, it is a sequence.
    """

    name: ClassVar[str] = "trained_chain"
    mechanism: ClassVar[str] = "hidden feedforward chain"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity")

    like: TrainedDecision | WorkingMemory = field(default_factory=WorkingMemory)  # whose task, cells and training
    reach: Literal["any", "next"] = "any"  # which later stages a stage may drive

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return self.like.modalities

    def imitating(self, circuit: TrainedDecision | WorkingMemory) -> TrainedChain:
        """A copy that is trained on this circuit's task."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> TaskSubject:
        """One individual: the seed of its training. Raises SimlabError where it does not learn its task."""
        found = recipe(self.like, "chain" if self.reach == "any" else "sequence").solved(int(rng.integers(2**53)))
        return TaskSubject.drawn(self.name, self.like, found, rng)
