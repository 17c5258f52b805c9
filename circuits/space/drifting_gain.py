"""A stable map whose cells fire more on some days and less on others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.space.drifting_tuning import DailySubject, DriftingTuning
from circuits.space.place_cells import scattered
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share


@dataclass(frozen=True)
class DriftingGain:
    """The cells of `like` with fields that stay where they are, and peaks that change from day to day.

        rate_i(x, t) = background + peak g_i(t) exp(-|x - c_i|^2 / (2 width^2))
        ln g_i(t) = spread z_i(t) - spread^2 / 2
        z_i: a stationary process of variance 1 that keeps the share `kept` of itself from one day to the next

    So cells fall silent and come back, as cells do that are imaged for weeks, whose indicator or distance from an
    electrode changes or whose excitability does. What drifts are rates, and vectors of them; no field moves, and who
    knows the fields reads the place on every day.
    """

    name: ClassVar[str] = "drifting_gain"
    mechanism: ClassVar[str] = "stable code"
    twin_of: ClassVar[tuple[str, ...]] = ("drifting_tuning",)
    questions: ClassVar[tuple[str, ...]] = ("tuning", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: DriftingTuning = field(default_factory=DriftingTuning)  # whose animal and cells these are
    spread: Annotated[float, Within(0, 5)] = 1.0  # sd of the logarithm of a peak: a factor of 2.7 up or down
    kept: Share = 0.7

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: DriftingTuning) -> DriftingGain:
        """A copy with these cells."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> DailySubject:
        """One individual: where its fields are."""
        cells = self.like.like
        centres = scattered(cells.n_neurons, rng) * cells.walk.box

        def course(days: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
            z = rng.standard_normal((days, cells.n_neurons))
            for day in range(1, days):
                z[day] = self.kept * z[day - 1] + np.sqrt(1 - self.kept**2) * z[day]
            gain = np.exp(self.spread * z - self.spread**2 / 2)
            return np.broadcast_to(centres, (days, *centres.shape)), gain

        return DailySubject.placed(self, cells, course, rng)
