"""Neurons beside a behaving animal that code nothing, and whose rates wander from trial to trial."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.coding.action_value import ActionValue
from circuits.coding.behaving import BehavingSubject
from circuits.coding.coded_target import CodedTarget
from circuits.coding.tasks import Agent, Course, Target
from simlab.rules import Within, check_fields
from simlab.truths import NOTHING


@dataclass(frozen=True)
class WalkingRates:
    """Rates that walk at random, whatever the animal does.

        rate_i(1) = baseline of `like`,   rate_i(t+1) = [ rate_i(t) + step z ]+,   z ~ N(0, 1)

    The random-walk neurons of Elber-Dorozko & Loewenstein (2018, eLife 7:e34248): .1 Hz for each trial from 2.5 Hz.
    Values are slow too, and two slow series correlate in one session by chance (Yule 1926; Harris 2020).
    """

    name: ClassVar[str] = "walking_rates"
    mechanism: ClassVar[str] = "drifting rates"
    twin_of: ClassVar[tuple[str, ...]] = ("action_value", "coded_target")
    questions: ClassVar[tuple[str, ...]] = ("tuning", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: ActionValue | CodedTarget = field(default_factory=ActionValue)  # whose animal and baseline these are
    step: Annotated[float, Within(0, 100, "Hz")] = 0.1  # standard deviation of a rate's change from trial to trial

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def task(self) -> Agent | Target:
        """What the animal does."""
        return self.like.task

    def imitating(self, circuit: ActionValue | CodedTarget) -> WalkingRates:
        """A copy that is matched to this population."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> BehavingSubject:
        """One animal; its neurons are all alike until they wander."""
        n = self.like.n_neurons
        return BehavingSubject.placed(self, self._walk, np.full(n, NOTHING, dtype=object), self.like.kind, rng)

    def _walk(self, course: Course, rng: np.random.Generator) -> np.ndarray:
        steps = self.step * rng.standard_normal((len(course.known), self.like.n_neurons))
        rate = np.empty_like(steps)
        rate[0] = self.like.baseline
        for t in range(1, len(rate)):
            rate[t] = np.maximum(rate[t - 1] + steps[t], 0.0)
        return rate
