"""The same decisions by context, with a gate in front: the sense that does not count is shut out before it enters."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.trained.context_selection import ContextSelection
from circuits.trained.solved import by_context
from circuits.trained.task_subject import TaskSubject
from simlab.rules import check_fields


@dataclass(frozen=True)
class ContextGating:
    """Sensory neurons that the context silences where their sense does not count; the rest never hears of a context.

    Equations, task, cells, training and the share of right trials that is asked for are those of the network that it
    is `like`. The context drives the sensory neurons of the other sense by -4, where tanh has a slope of .0013, and
    comes to nobody else: the recurrent network adds up whatever enters it, in either context alike. This is early
    selection, or input modulation, which Mante et al. (2013, Nature 503:78) held against selection by recurrent
    dynamics. With `copies`, as many of the deciding neurons as there are sensory ones of both kinds hear of both
    senses, ungated, and drive nobody: what a sense does to them can be read from the population and is not used.

    It is no twin: what it does is matched, and not how deep the rates of its neurons are modulated.
    """

    name: ClassVar[str] = "context_gating"
    mechanism: ClassVar[str] = "input gating"
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)

    like: ContextSelection = field(default_factory=ContextSelection)  # whose task, cells and training
    copies: bool = False

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return self.like.modalities

    def imitating(self, circuit: ContextSelection) -> ContextGating:
        """A copy that is trained on this circuit's task."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> TaskSubject:
        """One individual: the seed of its training. Raises SimlabError where it does not learn its task."""
        return by_context(self.name, self.like, "gating with copies" if self.copies else "gating", rng)
