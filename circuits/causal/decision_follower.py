"""The rival of `decision_pools`: the second sensory area follows the first, and nobody listens to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.decision_network import Pathway
from circuits.causal.decision_pools import SIDES, DecisionPools, Strength
from circuits.causal.decision_subject import DecisionSubject
from simlab.rules import check_fields
from simlab.rules.quantities import Drive


@dataclass(frozen=True)
class DecisionFollower:
    """As `decision_pools`, but sensory b hears from sensory a in the place of the evidence and drives nothing.

        evidence -> sensory a (twice the synapses) -> integrator -> motor,   sensory a -> sensory b -> nothing

    Sensory b fires at the same rates, is tuned to the same evidence and predicts the choice as well; the animal decides
    as well. Silenced together with a it adds nothing, and alone it costs nothing.
    """

    name: ClassVar[str] = "decision_follower"
    mechanism: ClassVar[str] = "evidence and its copy"
    questions: ClassVar[tuple[str, ...]] = DecisionPools.questions
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    twin_of: ClassVar[tuple[str, ...]] = ("decision_pools",)

    like: DecisionPools = field(default_factory=DecisionPools)
    follower_external: Drive = 8.8e-3
    """V: with what comes from a, sensory b fires as a does, before the stimulus and during it."""
    following: Strength = 0.4e-3

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: DecisionPools) -> DecisionFollower:
        """The same with this circuit's sizes, strengths and task."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> DecisionSubject:
        """One animal, whose core is wired as in a `decision_pools` of the same stream."""
        like = self.like
        pathways = [
            pathway
            for side in SIDES
            for pathway in (
                Pathway(f"sensory a {side}", f"integrator {side}", 2 * like.feedforward, density=2.0),
                Pathway(f"sensory a {side}", f"sensory b {side}", self.following),
            )
        ]
        pools = like.pools(self.follower_external)
        return DecisionSubject.wired(like, self.name, pools, [*pathways, *like.core()], ("sensory a",), rng)
