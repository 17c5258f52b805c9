"""Two routes from stimulus to response, either of which is enough: what two routes of which one is idle look like."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.parts import Firing, PartsSubject
from circuits.causal.shared_lapses import shared_and_own
from circuits.causal.two_pathways import ROUTES, TwoPathways
from simlab.rules import check_fields


@dataclass(frozen=True)
class BothPathways:
    """The areas of `like`, and both routes drive the response.

        response(k+1) = [route_a,last(k) + route_b,last(k) > 1/2]

    The routes lapse as they do in `like`, with the same correlation. There the response misses the trials that its one
    route does. Here it would miss only those that both do: with e the lapses of a route by itself, the response area
    lapses by itself in a share e / (1 + e), as (1 - e^2)(1 - e / (1 + e)) = 1 - e. Rates, tuning and behaviour are then
    those of `like`; where the routes lapse together (`correlation` 1) the two cannot be told apart by watching at all.
    Silenced by itself no route costs more than a few trials; in `like` one of them costs all.
    """

    name: ClassVar[str] = "both_pathways"
    mechanism: ClassVar[str] = "redundant routes"
    twin_of: ClassVar[tuple[str, ...]] = ("two_pathways",)
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    like: TwoPathways = field(default_factory=TwoPathways)  # the circuit whose areas, rates and behaviour it copies

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: TwoPathways) -> BothPathways:
        """A copy that is matched to this circuit."""
        return replace(self, like=circuit)

    def prior(self, rng: np.random.Generator) -> BothPathways:
        """As the circuit that it imitates."""
        return BothPathways(self.like.prior(rng))

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal; all of them are wired alike."""
        like = self.like
        layout = replace(like, gated=0.0).layout()
        weights, response = layout.weights.copy(), layout.index["response"]
        weights[[layout.index[f"route {r} {like.stages - 1}"] for r in ROUTES], response] = 1.0
        shared, own = shared_and_own(like.lapse, like.correlation)
        lapse = np.zeros(layout.n_areas)
        lapse[layout.index["source"]] = shared
        lapse[[layout.index[f"route {r} 0"] for r in ROUTES]] = own
        lapse[response] = own / (1 + own)
        firing = Firing(like.on_rate, like.off_rate, lapse)
        return PartsSubject(self.name, replace(layout, weights=weights), firing)
