"""The areas that seem to carry a decision only look on: losing them costs nothing, today or ever."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.compensating import SIDES, Compensating
from circuits.causal.parts import Firing, Layout, PartsSubject
from simlab.rules import check_fields


@dataclass(frozen=True)
class Onlookers:
    """The areas of `like`; a hidden relay of either side drives the response, and the main area listens to it.

        relay_s(k+1) = [stimulus_s],   main_s(k+1) = response_s(k+1) = [relay_s(k) > 1/2],   s = a, b

    The relays lapse as the main areas of `like` do, and the main areas here not by themselves: main and response areas
    are on in the same trials, jointly, as they are there, so that nothing that is only watched can tell who drives the
    response (the main areas' onset comes one tick, 5 ms, later). Permanent lesions of main areas cost nothing, as
    there; acute silencing costs nothing either, and in `like` all. The response areas matter 1/2 each (`lapse` 0), all
    others not at all. So it may be with areas whose removal was never missed, and whose correlates are the strongest
    there are (LIP: Katz et al. 2016, Nature 535:285).
    """

    name: ClassVar[str] = "onlookers"
    mechanism: ClassVar[str] = "drive from outside"
    twin_of: ClassVar[tuple[str, ...]] = ("compensating",)
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    like: Compensating = field(default_factory=Compensating)  # the circuit whose areas, rates and behaviour it copies

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: Compensating) -> Onlookers:
        """A copy that is matched to this circuit."""
        return replace(self, like=circuit)

    def prior(self, rng: np.random.Generator) -> Onlookers:
        """As the circuit that it imitates."""
        return Onlookers(self.like.prior(rng))

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal; all of them are wired alike."""
        like, layout = self.like, self.layout()
        lapse = np.array([0.0 if name.startswith("main") else like.lapse for name in layout.names])
        return PartsSubject(self.name, layout, Firing(like.on_rate, like.off_rate, lapse))

    def layout(self) -> Layout:
        """The areas of `like` in their order, then the hidden relays; the dormant synapses are as they are there."""
        twin = self.like.layout()
        place, n = twin.index, twin.n_areas
        weights = np.pad(twin.weights, (0, len(SIDES)))
        patterns = np.pad(twin.patterns, ((0, 0), (0, len(SIDES))))
        for relay, side in enumerate(SIDES, start=n):
            main, response = place[f"main {side}"], place[f"response {side}"]
            weights[main, response] = 0.0
            weights[relay, [main, response]] = 1.0
            patterns[:, relay], patterns[:, main] = patterns[:, main], 0.0
        return replace(
            twin, names=(*twin.names, *(f"relay {side}" for side in SIDES)), weights=weights, patterns=patterns,
            threshold=np.append(twin.threshold, [0.5] * len(SIDES)), tonic=0.0, hidden=len(SIDES),
        )  # fmt: skip
