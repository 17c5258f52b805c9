"""One of several areas that look alike does it: what a redundant circuit is told from by nothing but silencing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.parts import Firing, PartsSubject
from circuits.causal.redundant import Redundant
from simlab.rules import check_fields


@dataclass(frozen=True)
class SinglePath:
    """The areas of `like`, of which one copy alone drives the gate; which one is drawn for each subject.

        gate(k+1) = [copy_c(k) > 1/2],   response = gate

    Copies and bystanders lapse as they do in `like`, each in a share l of the trials. There the gate stays off where it
    lapses itself, or where all C copies do: P(on) = (1 - l)(1 - l^C). Here it does where the one copy lapses, or where
    it lapses itself, so that its own lapses must come at l^C for rate and behaviour to be the same. Every area then
    fires as often as in `like`, in as many trials, and the outcome is as often right; what differs is who drives the
    gate, and that trials in which the one copy lapses are all lost.
    """

    name: ClassVar[str] = "single_path"
    mechanism: ClassVar[str] = "single path"
    twin_of: ClassVar[tuple[str, ...]] = ("redundant",)
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    like: Redundant = field(default_factory=Redundant)  # the circuit whose areas, rates and behaviour it copies

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: Redundant) -> SinglePath:
        """A copy that is matched to this circuit."""
        return replace(self, like=circuit)

    def prior(self, rng: np.random.Generator) -> SinglePath:
        """As the circuit that it imitates."""
        return SinglePath(self.like.prior(rng))

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal, with its own choice of the copy that matters."""
        like = self.like
        layout = like.layout(driving=(int(rng.integers(like.copies)),))
        lapse = np.full(layout.n_areas, like.lapse)
        lapse[layout.outputs[0]] = like.lapse**like.copies
        return PartsSubject(self.name, layout, Firing(like.on_rate, like.off_rate, lapse))
