"""One pathway decides, and a dormant one takes over once it is gone: chronic lesions miss what matters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.parts import Firing, Lapse, Layout, OffRate, OnRate, PartsSubject
from simlab.rules import Within, check_fields

SIDES = ("a", "b")
"""The two stimuli, and the response that each calls for."""


@dataclass(frozen=True)
class Compensating:
    """Two stimuli call for two responses; a main pathway carries which, and a dormant one listens.

        response_s(k+1) = [main_s(k) + w dormant_s(k) > 1/2],   s = a, b

    The dormant areas follow the stimuli as the main ones do, over synapses of weight w too weak to drive a response
    (silent synapses: Isaac et al. 1995, Neuron 15:427). Silencing main_s abolishes response_s at once. When it is gone
    for good the dormant synapses beside it grow to 1 and the behaviour is back (as motion discrimination is within
    weeks after a lesion of area MT: Newsome & Pare 1988, J Neurosci 8:2201): the lesioned animal, tested after
    recovery, shows nothing.

    The truth is the acute game: in the intact animal main_s and response_s matter 1/4 each and the dormant areas not at
    all (`lapse` 0). `off_target` has the same data (acute silencing abolishes, chronic loss does not) and the other
    truth, for what was silenced does another thing there. Here the activity of the main areas says *which* response is
    called for; the recovered animal needs an area that learned to say so in their place, so that recovery tells of the
    dormant areas and not of the main ones. There the permissive area is the same on every trial: it says nothing, and
    recovery needs nobody in its place.
    """

    name: ClassVar[str] = "compensating"
    mechanism: ClassVar[str] = "takeover after loss"
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    dormant_weight: Annotated[float, Within(0, 0.49)] = (
        0.25  # w, as a share of a main synapse; above 1/2 it would drive
    )
    bystanders: Annotated[int, Within(0, 8)] = 1  # that follow the stimuli by turns and drive nothing
    lapse: Lapse = 0.05
    on_rate: OnRate = 40.0
    off_rate: OffRate = 4.0

    def __post_init__(self) -> None:
        check_fields(self)

    def prior(self, rng: np.random.Generator) -> Compensating:
        """Dormant synapses of any weight, none to three bystanders, lapses and rates as they come."""
        return Compensating(
            float(rng.uniform(0, 0.45)), int(rng.integers(4)), float(rng.uniform(0, 0.1)),
            float(rng.uniform(20, 60)), float(rng.uniform(1, 8)),
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal; all of them are wired alike."""
        firing = Firing(self.on_rate, self.off_rate, self.lapse)
        return PartsSubject(self.name, self.layout(), firing, self.after_loss)

    def layout(self) -> Layout:
        """Main, dormant and response areas of both sides, then bystanders."""
        bystanders = [f"bystander {i}" for i in range(self.bystanders)]
        names = [f"{kind} {side}" for kind in ("main", "dormant", "response") for side in SIDES]
        links = {(f"main {s}", f"response {s}"): 1.0 for s in SIDES}
        links |= {(f"dormant {s}", f"response {s}"): self.dormant_weight for s in SIDES}
        shown = [
            dict.fromkeys([f"main {s}", f"dormant {s}", *bystanders[i :: len(SIDES)]], 1.0) for i, s in enumerate(SIDES)
        ]
        wanted = {f"response {s}": [s == other for other in SIDES] for s in SIDES}
        return Layout.of(dict.fromkeys([*names, *bystanders], 0.5), links, shown, wanted)

    def after_loss(self, gone: np.ndarray) -> Layout:
        """Beside each main area that is gone (area,), the dormant synapse is as strong as its own was."""
        layout = self.layout()
        place, weights = layout.index, layout.weights.copy()
        for s in SIDES:
            if gone[place[f"main {s}"]]:
                weights[place[f"dormant {s}"], place[f"response {s}"]] = 1.0
        return replace(layout, weights=weights)
