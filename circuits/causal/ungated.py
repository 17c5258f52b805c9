"""The parts drive the response by themselves, and the area beside them that is always on permits nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.gated import Gated
from circuits.causal.parts import Firing, PartsSubject
from simlab.rules import check_fields


@dataclass(frozen=True)
class Ungated:
    """The areas of `like`; the permissive area is on all the time as there, and the response does not need it.

        response(k+1) = [sum_i part_i(k) > P - 1/2]

    In `like` the response area stays off, with every stimulus there, where any of P parts, the permissive area or it
    itself lapses: it is on with (1 - l)^(P + 2). Here the permissive area does not count, so that the response area's
    own lapses must come at 1 - (1 - l)^2. Rates, tuning and behaviour are then those of `like`.
    """

    name: ClassVar[str] = "ungated"
    mechanism: ClassVar[str] = "direct drive"
    twin_of: ClassVar[tuple[str, ...]] = ("gated",)
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    like: Gated = field(default_factory=Gated)  # the circuit whose areas, rates and behaviour it copies

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: Gated) -> Ungated:
        """A copy that is matched to this circuit."""
        return replace(self, like=circuit)

    def prior(self, rng: np.random.Generator) -> Ungated:
        """As the circuit that it imitates."""
        return Ungated(self.like.prior(rng))

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal; all of them are wired alike."""
        like, layout = self.like, self.like.layout(gate=0.0)
        lapse = np.full(layout.n_areas, like.lapse)
        lapse[layout.outputs[0]] = 1 - (1 - like.lapse) ** 2
        return PartsSubject(self.name, layout, Firing(like.on_rate, like.off_rate, lapse))
