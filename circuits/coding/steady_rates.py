"""Neurons beside a behaving animal that code nothing, and whose rates stay as they are."""

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
class SteadyRates:
    """Rates without memory: in every trial drawn anew about the baseline, independently of all else.

        rate_i(t) = [ baseline of `like` + spread z ]+,   z ~ N(0, 1)

    The white-noise neurons of Elber-Dorozko & Loewenstein (2018, eLife 7:e34248), in whom any test of independent
    trials errs as often as it says. Their spread is not theirs: that of a neuron of `like` is
    modulation sd(g) sd(Q) = 2.35 * .58 * .2, about .3 Hz.
    """

    name: ClassVar[str] = "steady_rates"
    mechanism: ClassVar[str] = "untuned rates"
    twin_of: ClassVar[tuple[str, ...]] = ("action_value", "coded_target")
    questions: ClassVar[tuple[str, ...]] = ("tuning", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: ActionValue | CodedTarget = field(default_factory=ActionValue)  # whose animal and baseline these are
    spread: Annotated[float, Within(0, 100, "Hz")] = 0.3  # standard deviation of a rate over trials

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def task(self) -> Agent | Target:
        """What the animal does."""
        return self.like.task

    def imitating(self, circuit: ActionValue | CodedTarget) -> SteadyRates:
        """A copy that is matched to this population."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> BehavingSubject:
        """One animal; its neurons are all alike."""
        n = self.like.n_neurons
        return BehavingSubject.placed(self, self._white, np.full(n, NOTHING, dtype=object), self.like.kind, rng)

    def _white(self, course: Course, rng: np.random.Generator) -> np.ndarray:
        noise = rng.standard_normal((len(course.known), self.like.n_neurons))
        return np.maximum(self.like.baseline + self.spread * noise, 0.0)
