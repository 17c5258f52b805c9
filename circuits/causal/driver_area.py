"""One of the recorded areas does make the behaviour, among others that follow the same source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.elsewhere import Elsewhere
from circuits.causal.parts import Firing, PartsSubject
from circuits.causal.shared_lapses import shared_and_own
from simlab.rules import check_fields


@dataclass(frozen=True)
class DriverArea:
    """The areas of `like`, and the body listens to one of them, drawn for each subject, and not to the source.

        body(k+1) = [area_c(k) > 1/2]

    Areas lapse as they do in `like`, with the same correlation, and the body not by itself, so that it responds in as
    many trials: rates, tuning and behaviour are those of `like`. The area c knows of every response (there every area
    knows as much as any other, `correlation`); at a correlation of 1 all of them do, in both. Silenced, it costs all
    that can be lost, 1/2 (`lapse` 0), and every other area nothing.
    """

    name: ClassVar[str] = "driver_area"
    mechanism: ClassVar[str] = "driver among followers"
    twin_of: ClassVar[tuple[str, ...]] = ("elsewhere",)
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    like: Elsewhere = field(default_factory=Elsewhere)  # the circuit whose areas, rates and behaviour it copies

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: Elsewhere) -> DriverArea:
        """A copy that is matched to this circuit."""
        return replace(self, like=circuit)

    def prior(self, rng: np.random.Generator) -> DriverArea:
        """As the circuit that it imitates."""
        return DriverArea(self.like.prior(rng))

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal, with its own choice of the area that drives the body."""
        like, layout = self.like, self.like.layout()
        body, weights = layout.index["body"], layout.weights.copy()
        weights[:, body] = 0.0
        weights[int(rng.integers(like.areas)), body] = 1.0
        shared, own = shared_and_own(like.lapse, like.correlation)
        lapse = np.array([{"source": shared, "body": 0.0}.get(name, own) for name in layout.names])
        return PartsSubject(self.name, replace(layout, weights=weights), Firing(like.on_rate, like.off_rate, lapse))
