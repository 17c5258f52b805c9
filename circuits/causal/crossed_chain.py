"""Chains that cross: light on two neighbours at once makes the same neurons fire, by the other ones' synapses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.stimulated_chain import StimulatedChain, StimulatedChainSubject
from simlab.rules import check_fields


@dataclass(frozen=True)
class CrossedChain:
    """The neurons of `like` where they are, and the first synapse of each chain of a pair leads to the other's side.

        A -> D, C -> B   in the place of   A -> B, C -> D

    Spontaneous activity and what light on A and C together does are the same, as the two heads are alike: B and D
    fire. Whose synapse it was is told only by trials in which one head answered and the other did not, or by pulses
    that hit one neuron. A contrast of trials with and without light that is aimed at A says A -> B and A -> D in both.
    """

    name: ClassVar[str] = "crossed_chain"
    mechanism: ClassVar[str] = "chains that cross"
    twin_of: ClassVar[tuple[str, ...]] = ("stimulated_chain",)
    questions: ClassVar[tuple[str, ...]] = StimulatedChain.questions
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: StimulatedChain = field(default_factory=StimulatedChain)

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: StimulatedChain) -> CrossedChain:
        """A copy that is matched to this circuit."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> StimulatedChainSubject:
        """The animal that `like` draws, with the first synapses crossed."""
        return replace(self.like.subject(rng), name=self.name, crossed=True)
