"""Two routes from stimulus to response that are active and tuned alike, of which one is connected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.parts import Firing, Lapse, Layout, OffRate, OnRate, PartsSubject
from circuits.causal.shared_lapses import shared_and_own
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share

ROUTES = ("a", "b")


@dataclass(frozen=True)
class TwoPathways:
    """A source that nobody records drives two chains of `stages` areas each; one of them drives the response.

        route_r,0(k+1) = [source(k) > 1/2],   route_r,i(k+1) = [route_r,i-1(k) > 1/2],   r = a, b
        response(k+1) = [route_c,last(k) + w route_o,last(k) > 1/2]

    The stimulus is there in half of the trials. Both routes follow it with the same reliability, rates and delays; the
    output of the other one is gated off: its synapses are there and too weak to matter (w). Which route is causal is
    drawn for each subject. Each route misses the stimulus in a share `lapse` of the trials, and `correlation` is that
    of the two routes over trials with a stimulus: at 1 they miss the same ones and nothing that is only watched can
    tell them apart, at 0 the other route knows of the response just what the stimulus tells. Correlated choice signals
    without a causal role are the rule in cortex (LIP: Katz et al. 2016, Nature 535:285).
    """

    name: ClassVar[str] = "two_pathways"
    mechanism: ClassVar[str] = "parallel routes"
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    stages: Annotated[int, Within(1, 7)] = 2  # areas of each route
    correlation: Share = 0.5  # of the routes, over trials with the stimulus
    lapse: Lapse = 0.2  # of each route
    gated: Annotated[float, Within(0, 0.49)] = 0.25  # w: of a synapse that drives
    on_rate: OnRate = 40.0
    off_rate: OffRate = 4.0

    def __post_init__(self) -> None:
        check_fields(self)

    def prior(self, rng: np.random.Generator) -> TwoPathways:
        """One to three stages, any correlation, lapses, gated synapses and rates as they come."""
        return TwoPathways(
            int(rng.integers(1, 4)), float(rng.uniform(0, 1)), float(rng.uniform(0.05, 0.3)),
            float(rng.uniform(0, 0.45)), float(rng.uniform(20, 60)), float(rng.uniform(1, 8)),
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal, with its own choice of the route that matters."""
        layout = self.layout(ROUTES[int(rng.integers(2))])
        lapse = np.zeros(layout.n_areas)
        shared, own = shared_and_own(self.lapse, self.correlation)
        lapse[layout.index["source"]] = shared
        lapse[[layout.index[f"route {r} 0"] for r in ROUTES]] = own
        return PartsSubject(self.name, layout, Firing(self.on_rate, self.off_rate, lapse))

    def layout(self, causal: str = "a") -> Layout:
        """Both routes from the source on, the response, and the hidden source; causal: the route that drives it."""
        routes = {r: [f"route {r} {i}" for i in range(self.stages)] for r in ROUTES}
        names = [*routes["a"], *routes["b"], "response", "source"]
        links = {(routes[r][-1], "response"): 1.0 if r == causal else self.gated for r in ROUTES}
        for chain in routes.values():
            links |= dict.fromkeys(zip(["source", *chain], chain, strict=False), 1.0)
        patterns: list[dict[str, float]] = [{"source": 1.0}, {}]
        return Layout.of(dict.fromkeys(names, 0.5), links, patterns, {"response": [True, False]}, hidden=1)
