"""Nothing takes over after a loss and nothing is made up for: what a lesion abolishes is gone for good."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.compensating import Compensating
from circuits.causal.off_target import OffTarget
from circuits.causal.parts import PartsSubject
from simlab.rules import check_fields


@dataclass(frozen=True)
class NoRecovery:
    """The animal of `like` in which synapses and thresholds stay what they are when an area is gone for good.

    While it is intact it is that very animal: its activity and behaviour are drawn from the same distribution, and
    acute silencing does the same. What differs is the animal that lost something. Beside `off_target`: the permissive
    area, silenced at once or removed, is needed for good, and its importance is 1/3 and not 0 (`lapse` 0; in each trial
    it, one instructive and one response area are all needed). Beside `compensating`: the main areas' loss is not made
    up for, so that here permanent lesions show as much as acute ones.
    """

    name: ClassVar[str] = "no_recovery"
    mechanism: ClassVar[str] = "lasting need"
    twin_of: ClassVar[tuple[str, ...]] = ("off_target", "compensating")
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    like: OffTarget | Compensating = field(default_factory=OffTarget)

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: OffTarget | Compensating) -> NoRecovery:
        """A copy that is matched to this circuit."""
        return replace(self, like=circuit)

    def prior(self, rng: np.random.Generator) -> NoRecovery:
        """As the circuit that it imitates."""
        return NoRecovery(self.like.prior(rng))

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """The animal that `like` draws, without what recovers."""
        return replace(self.like.subject(rng), name=self.name, after_loss=None, adapted=False)
