"""Striatal neurons whose rates follow the values of two levers, as an animal learns them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.coding.behaving import Baseline, BehavingSubject, NeuronCount
from circuits.coding.tasks import Agent, Course
from simlab.contracts import Regime
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share
from simlab.truths import NOTHING


@dataclass(frozen=True)
class ActionValue:
    """Neurons that code the value of one action, among others that code nothing.

        rate_i(t) = [ baseline + modulation g_i (Q_a(i)(t) - 1/2) ]+   in trial t,   g_i ~ uniform(-1, 1)

    Q: of the agent (`circuits.coding.tasks`), which learns while it chooses; a(i): left or right, one as likely as the
    other. Baseline 2.5 Hz and modulation 2.35 Hz are those of Elber-Dorozko & Loewenstein (2018, eLife 7:e34248;
    their modulation from memory). A share `coding` of the neurons codes; of the rest g_i = 0. Within a trial neurons
    are Poisson with a dead time of 2 ms, and no neuron has a synapse: they follow a learner that lies elsewhere.

    Truth of `tuning`: a(i) of the neurons that code. Those with a small g_i code too, if hardly so: a method that names
    them all sees more than counts of a session can tell.
    """

    name: ClassVar[str] = "action_value"
    mechanism: ClassVar[str] = "action values"
    questions: ClassVar[tuple[str, ...]] = ("tuning", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    kind: ClassVar[str] = "I"  # projection neurons of the striatum inhibit
    regime: ClassVar[Regime] = Regime(
        "projection neurons of the striatum in such tasks: 1 to 10 Hz, near Poisson (Samejima et al. 2005)",
        rate=(0.5, 10), silent=(0, 0.2), interval_cv=(0.6, 1.6), fano=(0.6, 2.0), correlation=(-0.1, 0.1),
    )  # fmt: skip

    n_neurons: NeuronCount = 40
    coding: Share = 1.0  # of the neurons
    baseline: Baseline = 2.5
    modulation: Annotated[float, Within(0, 100, "Hz")] = 2.35
    task: Agent = field(default_factory=Agent)

    def __post_init__(self) -> None:
        check_fields(self)

    def prior(self, rng: np.random.Generator) -> ActionValue:
        """Learning rates and baselines as reported of monkeys and rats in such tasks."""
        task = replace(self.task, alpha=float(rng.uniform(0.05, 0.3)), beta=float(rng.uniform(1.5, 4.0)))
        return replace(self, baseline=float(rng.uniform(1.5, 5.0)), task=task)

    def subject(self, rng: np.random.Generator) -> BehavingSubject:
        """One animal: what its neurons code, and how strongly."""
        codes = rng.random(self.n_neurons) < self.coding
        action = rng.integers(2, size=self.n_neurons)
        gain = np.where(codes, rng.uniform(-1, 1, self.n_neurons), 0.0)

        def rates(course: Course, rng: np.random.Generator) -> np.ndarray:
            return np.maximum(self.baseline + self.modulation * gain * (course.variable[:, action] - 0.5), 0.0)

        named = np.where(codes, np.array(self.task.candidates, dtype=object)[action], NOTHING)
        return BehavingSubject.placed(self, rates, named, self.kind, rng)
