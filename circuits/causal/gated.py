"""All parts are needed, and a gate that is always open: the circuit in which the untuned area matters as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.parts import Firing, Lapse, Layout, OffRate, OnRate, PartsSubject
from simlab.rules import Within, check_fields

MOST = 6
"""Parts, and bystanders: with gate and response no more than can be enumerated."""


@dataclass(frozen=True)
class Gated:
    """P `parts` each follow a stimulus of their own, and the response needs all of them and a permissive area.

        response(k+1) = [sum_i part_i(k) + permissive(k) > P + 1/2]

    The permissive area is on all the time: it is tuned to nothing, tells nothing of the response, and is needed. In
    half of the trials every stimulus is there and a response is right; in the others one is missing, each as often, and
    holding still is right. Each `bystander` follows the first stimulus and drives nothing. Silenced alone, a part, the
    permissive area or the response area each costs all that can be lost, half of the outcome; their Shapley values are
    alike, 1/2 / (P + 2) each (`lapse` 0), as in any game that only all players together win (Shapley 1953).
    """

    name: ClassVar[str] = "gated"
    mechanism: ClassVar[str] = "permissive gate"
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    parts: Annotated[int, Within(1, MOST)] = 2
    bystanders: Annotated[int, Within(0, MOST)] = 1
    lapse: Lapse = 0.05
    on_rate: OnRate = 40.0
    off_rate: OffRate = 4.0

    def __post_init__(self) -> None:
        check_fields(self)

    def prior(self, rng: np.random.Generator) -> Gated:
        """One to four parts, none to three bystanders, lapses and rates as they come."""
        return Gated(
            int(rng.integers(1, 5)), int(rng.integers(4)), float(rng.uniform(0, 0.1)),
            float(rng.uniform(20, 60)), float(rng.uniform(1, 8)),
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal; all of them are wired alike."""
        return PartsSubject(self.name, self.layout(), Firing(self.on_rate, self.off_rate, self.lapse))

    def layout(self, gate: float = 1.0) -> Layout:
        """Parts, the permissive area, the response area, bystanders; gate: 0 where the permissive area is not needed.

        All stimuli together are shown as often as all patterns that lack one: half of the trials call for a response.
        """
        parts = [f"part {i}" for i in range(self.parts)]
        bystanders = [f"bystander {i}" for i in range(self.bystanders)]
        threshold = dict.fromkeys([*parts, "permissive", "response", *bystanders], 0.5)
        threshold["response"] = self.parts + gate - 0.5
        links = dict.fromkeys([(part, "response") for part in parts], 1.0)
        links |= {("permissive", "response"): 1.0} if gate else {}
        everything = dict.fromkeys([*parts, *bystanders], 1.0)
        lacking = [
            {name: 1.0 for name in everything if name != part and not (i == 0 and name in bystanders)}
            for i, part in enumerate(parts)
        ]
        wanted = [True] * self.parts + [False] * self.parts
        patterns = [everything] * self.parts + lacking
        return Layout.of(threshold, links, patterns, {"response": wanted}, tonic={"permissive": 1.0})
