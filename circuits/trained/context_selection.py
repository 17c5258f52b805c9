"""A network that was trained to decide by context, and lets in both senses: what counts is selected as it recurs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from circuits.trained.cells import Cells
from circuits.trained.solutions import BatchSize, LearningRate, Steps
from circuits.trained.solved import by_context
from circuits.trained.task_subject import TaskSubject
from circuits.trained.tasks import TwoSources
from simlab.rules import check_fields
from simlab.rules.quantities import Share


@dataclass(frozen=True)
class ContextSelection:
    """Motion and colour enter a recurrent network in either context alike; the context changes what it makes of them.

        tau dx = (-x + base (1 + tanh(u))) dt + sqrt(2 tau) sigma dB,     u = W'(x / base - 1) + E'(m, c, context) + b

    Sensory neurons hear of motion (15% of all) or of colour (as many), of nothing else, and of nobody: their rates are
    the same in both contexts. They drive the others, to whom the context comes, and which were trained to report the
    evidence of the sense that counts. Selection is therefore within the recurrent dynamics, as in Mante, Sussillo,
    Shenoy & Newsome (2013, Nature 503:78): the drive that the irrelevant sense makes is as large as that of the
    relevant one, and the network forgets it. Whether it does so by gains of its neurons or by the direction along which
    it adds up, two terms that Pagan et al. (2025, Nature 639:421) keep apart, is left to training.

    `context_gating` does the same task with the same cells, and shuts the sensory neurons instead.
    """

    name: ClassVar[str] = "context_selection"
    mechanism: ClassVar[str] = "recurrent selection"
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)

    cells: Cells = field(default_factory=Cells)
    task: TwoSources = field(default_factory=TwoSources)
    shortfall: Share = 0.05  # by which the share of right trials may be below that of one who adds up all that counts
    steps: Steps = 250
    batch: BatchSize = 64
    learning_rate: LearningRate = 1e-2

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return self.cells.modalities

    def subject(self, rng: np.random.Generator) -> TaskSubject:
        """One individual: the seed of its training. Raises SimlabError where it does not learn its task."""
        return by_context(self.name, self, "selection", rng)
