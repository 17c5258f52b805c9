"""A recurrent network that was trained to hold a value over a delay, and does so along a line of slow states."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from circuits.trained.cells import Cells
from circuits.trained.solutions import BatchSize, LearningRate, Steps
from circuits.trained.solved import LINE, on_a_line
from circuits.trained.task_subject import TaskSubject
from circuits.trained.tasks import Value
from simlab.rules import check_fields
from simlab.rules.quantities import Share


@dataclass(frozen=True)
class WorkingMemory:
    """Rates that were trained to report a value, shown for a quarter of a second, until the trial ends.

    Equations and training as `trained_decision`; wanted of the report is the value, from 0.1 s after the cue on. As
    there, training from one pattern that feeds itself ends in a line of slow states: nearly persistent activity, one
    end of what trained networks remember by (Orhan & Ma 2019, Nat Neurosci 22:275). At the other end is a sequence,
    `trained_chain`, which is as good at the delay that both were trained for, and fails at a longer one. Individuals
    whose training ended otherwise are refused with an error.
    """

    name: ClassVar[str] = "working_memory"
    mechanism: ClassVar[str] = LINE
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity")

    cells: Cells = field(default_factory=Cells)
    task: Value = field(default_factory=Value)
    shortfall: Share = 0.1  # share of trials that may be wrong in a network that passes for trained
    steps: Steps = 400
    batch: BatchSize = 64
    learning_rate: LearningRate = 3e-3

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return self.cells.modalities

    def subject(self, rng: np.random.Generator) -> TaskSubject:
        """One individual: the seed of its training. Raises SimlabError where training did not come to a line."""
        return on_a_line(self, rng)
