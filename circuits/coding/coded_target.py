"""Neurons whose rates follow a target that the experimenter moves at random."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np

from circuits.coding.behaving import Baseline, BehavingSubject, NeuronCount
from circuits.coding.tasks import Course, Target
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share
from simlab.truths import NOTHING


@dataclass(frozen=True)
class CodedTarget:
    """Neurons that code where a target is, among others that code nothing.

        rate_i(t) = [ baseline + slope_i x(t) ]+   in trial t,   slope_i = +-slope

    x: a random walk of unit steps (`circuits.coding.tasks.Target`), the slow variable of Harris (2020, bioRxiv
    2020.11.29.402719). A slope of .1 Hz makes rates walk by as much as those of `walking_rates`, its rival, so that
    each neuron alone looks the same in both. A share `coding` of the neurons codes; of the rest the slope is 0.
    """

    name: ClassVar[str] = "coded_target"
    mechanism: ClassVar[str] = "follows a target"
    questions: ClassVar[tuple[str, ...]] = ("tuning", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    kind: ClassVar[str] = "E"

    n_neurons: NeuronCount = 40
    coding: Share = 1.0  # of the neurons
    baseline: Baseline = 2.5
    slope: Annotated[float, Within(0, 100, "Hz")] = 0.1  # Hz for each step of the target
    task: Target = field(default_factory=Target)

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> BehavingSubject:
        """One animal: what its neurons code, and whether they rise or fall with it."""
        codes = rng.random(self.n_neurons) < self.coding
        slope = self.slope * codes * rng.choice([-1.0, 1.0], self.n_neurons)

        def rates(course: Course, rng: np.random.Generator) -> np.ndarray:
            return np.maximum(self.baseline + slope * course.variable, 0.0)

        named = np.where(codes, self.task.candidates[0], NOTHING).astype(object)
        return BehavingSubject.placed(self, rates, named, self.kind, rng)
