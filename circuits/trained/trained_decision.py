"""A recurrent network that was trained to add up noisy evidence, and does so along a line of slow states."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from circuits.trained.cells import Cells
from circuits.trained.solutions import BatchSize, LearningRate, Steps
from circuits.trained.solved import LINE, on_a_line
from circuits.trained.task_subject import TaskSubject
from circuits.trained.tasks import Evidence
from simlab.rules import check_fields
from simlab.rules.quantities import Share


@dataclass(frozen=True)
class TrainedDecision:
    """Rates that were trained to report, at all times, the evidence so far; the sign of the report is the choice.

        tau dx = (-x + base (1 + tanh(u))) dt + sqrt(2 tau) sigma dB,     u = W'(x / base - 1) + E' evidence(t) + b
        z = r . (x / base - 1),    wanted: 4/s times the integral of the evidence

    `circuits.trained.training` says how W, E, b and r are found; the task is PerceptualDecisionMaking of NeuroGym in
    its one dimension. Training from random weights and one pattern that feeds itself ends in a network whose Jacobian
    has one neutral mode all along the range of the report, a line of slow states along which evidence is added up
    (Mante et al. 2013, Nature 503:78, in each context; Sussillo & Barak 2013, Neural Comput 25:626). That is looked at
    in every subject: one whose training ended otherwise, or which is right in too few trials, is refused with an error.

    Other solutions of the same task: `trained_chain`, `trained_follower`. Training takes seconds, once per subject.
    """

    name: ClassVar[str] = "trained_decision"
    mechanism: ClassVar[str] = LINE
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity")

    cells: Cells = field(default_factory=Cells)
    task: Evidence = field(default_factory=Evidence)
    shortfall: Share = 0.05  # by which the share of right trials may be below that of one who adds up all that is shown
    steps: Steps = 200
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
