"""Either of two areas will do: the circuit in which single lesions miss what matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.parts import Firing, Lapse, Layout, OffRate, OnRate, PartsSubject
from simlab.rules import Within, check_fields

MOST = 8
"""Copies, and bystanders: with the gate no more than can be enumerated."""


@dataclass(frozen=True)
class Redundant:
    """A stimulus reaches `copies` areas, any one of which can drive the gate, and `bystanders` that drive nothing.

        gate(k+1) = [sum_i copy_i(k) > 1/2],   response = gate

    With two copies a, b, gate c and bystander d the behaviour is (a OR b) AND c: silenced one at a time, a, b, c, d
    cost 0, 0, 1, 0; their Shapley values are 1/6, 1/6, 2/3, 0 (`lapse` 0; all trials call for the response). All of
    them, bystanders too, are tuned to the stimulus and predict the response. Areas lapse on their own in some trials,
    as behaviour fails in some (rodents in simple tasks: 5 to 20% of the trials; Pisupati et al. 2021, eLife 10:e55490).
    """

    name: ClassVar[str] = "redundant"
    mechanism: ClassVar[str] = "redundant paths"
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    copies: Annotated[int, Within(1, MOST)] = 2
    bystanders: Annotated[int, Within(0, MOST - 1)] = 1
    lapse: Lapse = 0.1
    on_rate: OnRate = 40.0
    off_rate: OffRate = 4.0

    def __post_init__(self) -> None:
        check_fields(self)

    def prior(self, rng: np.random.Generator) -> Redundant:
        """Two to four copies, none to three bystanders, lapses and rates as they come."""
        return Redundant(
            int(rng.integers(2, 5)), int(rng.integers(4)), float(rng.uniform(0, 0.2)),
            float(rng.uniform(20, 60)), float(rng.uniform(1, 8)),
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal; all of them are wired alike."""
        return PartsSubject(self.name, self.layout(), Firing(self.on_rate, self.off_rate, self.lapse))

    def layout(self, driving: tuple[int, ...] | None = None) -> Layout:
        """Copies first, then the gate, then bystanders. driving: the copies that drive the gate; all by default."""
        copies = [f"copy {i}" for i in range(self.copies)]
        bystanders = [f"bystander {i}" for i in range(self.bystanders)]
        links = {(copies[i], "gate"): 1.0 for i in (range(self.copies) if driving is None else driving)}
        shown = dict.fromkeys([*copies, *bystanders], 1.0)
        threshold = dict.fromkeys([*copies, "gate", *bystanders], 0.5)
        return Layout.of(threshold, links, [shown], {"gate": [True]})
