"""A permissive area without which nothing works for a while: acute silencing credits what only permits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.compensating import SIDES
from circuits.causal.parts import Firing, Lapse, Layout, OffRate, OnRate, PartsSubject
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class OffTarget:
    """Two stimuli call for two responses; the instructive areas carry which, held near threshold by a permissive one.

        instructive_s(k+1) = [stimulus_s + permissive(k) > 3/2],   response_s(k+1) = instructive_s(k),   s = a, b

    The permissive area is on all the time. Silenced at once, it takes the tonic input from its targets, and both
    responses are gone, though it never said which of them to make. Gone for good, it is not missed: within days the
    targets' thresholds fall by the input that they lost (homeostasis: Turrigiano 2008, Cell 135:422). So it went with
    songbirds' nucleus Nif and rats' motor cortex, which abolish learned skills when silenced and not when removed
    (Otchy et al. 2015, Nature 528:358).

    The truth is the game after recovery: v(S) is what the animal does when all others are gone for good. The permissive
    area matters 0, the instructive and the response areas 1/4 each (`lapse` 0). That its acute effect is none of its
    role is no matter of definition alone: `compensating` has the same lesion data, but there the silenced areas carry
    *which* response is called for, and only areas that carry it too can replace them. The permissive area carries
    nothing, on any trial, and does not lapse: there is nothing that it could miss.
    """

    name: ClassVar[str] = "off_target"
    mechanism: ClassVar[str] = "permissive tone"
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    bystanders: Annotated[int, Within(0, 8)] = 1  # that follow the stimuli by turns and drive nothing
    lapse: Lapse = 0.05  # of all areas but the permissive one
    on_rate: OnRate = 40.0
    off_rate: OffRate = 4.0

    def __post_init__(self) -> None:
        check_fields(self)

    def prior(self, rng: np.random.Generator) -> OffTarget:
        """None to three bystanders, lapses and rates as they come."""
        rates = float(rng.uniform(20, 60)), float(rng.uniform(1, 8))
        return OffTarget(int(rng.integers(4)), float(rng.uniform(0, 0.1)), *rates)

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal; all of them are wired alike."""
        layout = self.layout()
        lapse = np.where(np.array(layout.names) == "permissive", 0.0, self.lapse)
        return PartsSubject(
            self.name, layout, Firing(self.on_rate, self.off_rate, lapse), self.after_loss, adapted=True
        )

    def layout(self) -> Layout:
        """The permissive area, instructive and response areas of both sides, then bystanders."""
        bystanders = [f"bystander {i}" for i in range(self.bystanders)]
        instructive, response = ([f"{kind} {s}" for s in SIDES] for kind in ("instructive", "response"))
        threshold = dict.fromkeys(["permissive", *instructive, *response, *bystanders], 0.5)
        threshold |= dict.fromkeys(instructive, 1.5)
        links = dict.fromkeys([("permissive", name) for name in instructive], 1.0)
        links |= dict.fromkeys(zip(instructive, response, strict=True), 1.0)
        shown = [dict.fromkeys([name, *bystanders[i :: len(SIDES)]], 1.0) for i, name in enumerate(instructive)]
        wanted = {name: [name == other for other in response] for name in response}
        return Layout.of(threshold, links, shown, wanted, tonic={"permissive": 1.0})

    def after_loss(self, gone: np.ndarray) -> Layout:
        """Where the permissive area is gone (area,), its targets' thresholds are lower by the input that they lost."""
        layout = self.layout()
        permissive = layout.index["permissive"]
        lost = layout.weights[permissive] if gone[permissive] else 0.0
        return replace(layout, threshold=layout.threshold - lost)
