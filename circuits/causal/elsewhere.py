"""What is recorded follows the stimulus and predicts the behaviour, which is made where no instrument reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.parts import Firing, Lapse, Layout, OffRate, OnRate, PartsSubject
from circuits.causal.shared_lapses import shared_and_own
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share


@dataclass(frozen=True)
class Elsewhere:
    """A source drives `areas` recorded areas, and beside them the body, which responds; source and body are hidden.

        area_i(k+1) = [source(k) > 1/2],   body(k+1) = [source(k) > 1/2],   response = body

    The stimulus is there in half of the trials. Each area and the body miss it in a share `lapse` of the trials, with
    the same `correlation` between any two of them: every recorded area is tuned, and predicts what the body will do as
    well as another area would. None of them has a part in it: the importance of each is exactly 0, and the smallest
    circuit has no member. The control of all questions of necessity: whoever names an area here names it falsely.
    """

    name: ClassVar[str] = "elsewhere"
    mechanism: ClassVar[str] = "common source"
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    areas: Annotated[int, Within(1, 14)] = 4
    correlation: Share = 0.5  # of any two areas, and of each with the body, over trials with the stimulus
    lapse: Lapse = 0.2
    on_rate: OnRate = 40.0
    off_rate: OffRate = 4.0

    def __post_init__(self) -> None:
        check_fields(self)

    def prior(self, rng: np.random.Generator) -> Elsewhere:
        """Two to eight areas, any correlation, lapses and rates as they come."""
        return Elsewhere(
            int(rng.integers(2, 9)), float(rng.uniform(0, 1)), float(rng.uniform(0.05, 0.3)),
            float(rng.uniform(20, 60)), float(rng.uniform(1, 8)),
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal; all of them are wired alike."""
        layout = self.layout()
        shared, own = shared_and_own(self.lapse, self.correlation)
        lapse = np.where(np.array(layout.names) == "source", shared, own)
        return PartsSubject(self.name, layout, Firing(self.on_rate, self.off_rate, lapse))

    def layout(self) -> Layout:
        """The recorded areas, then the hidden source and body."""
        followers = [*(f"area {i}" for i in range(self.areas)), "body"]
        names = [*followers[:-1], "source", "body"]
        links = dict.fromkeys([("source", name) for name in followers], 1.0)
        patterns: list[dict[str, float]] = [{"source": 1.0}, {}]
        return Layout.of(dict.fromkeys(names, 0.5), links, patterns, {"body": [True, False]}, hidden=2)
