"""Cells of a foraging animal that follow nothing, and whose rates wander as slowly as its place changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.space.driven import DrivenSubject, codes, spread
from circuits.space.navigation_cells import NavigationCells
from circuits.space.place_cells import PlaceCells
from circuits.space.trajectory import wandering
from simlab import truths
from simlab.rules import Within, check_fields
from simlab.truths import NOTHING


@dataclass(frozen=True)
class WanderingCells:
    """Rates that wander on their own, with the means and the spreads of the cells of `like`.

        rate_i(t) = m_i exp(s_i z_i(t) - s_i^2 / 2),   s_i^2 = ln(1 + CV_i^2),
        z_i: an Ornstein-Uhlenbeck process of variance 1 and time constant `memory`, begun anew in each trial

    m_i and CV_i are mean and coefficient of variation of the rate of one cell of `like` while its animal walks. The
    place has a memory of its own: at 8 cm/s, turning as rats do, an animal takes some 10 s from one end of a box of
    1 m to where it has forgotten it, and in ten minutes goes to each corner a few dozen times. Two slow series
    correlate in one session by chance (Yule 1926; Harris 2020, bioRxiv 2020.11.29.402719), so that a map of such a cell
    has fields. With `memory` far above that, it is a cell whose rate drifts through the session, as anaesthesia,
    satiety and moving electrodes make it; far below, a cell with noise.
    """

    name: ClassVar[str] = "wandering_cells"
    mechanism: ClassVar[str] = "drifting rates"
    twin_of: ClassVar[tuple[str, ...]] = ("place_cells", "navigation_cells")
    questions: ClassVar[tuple[str, ...]] = ("tuning", "connectivity", "spatial_pattern")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: PlaceCells | NavigationCells = field(default_factory=PlaceCells)  # whose animal and rates these are
    memory: Annotated[float, Within(0.01, 1e5, "s")] = 10.0

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: PlaceCells | NavigationCells) -> WanderingCells:
        """A copy that is matched to these cells."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> DrivenSubject:
        """One individual: means and spreads of one of `like`."""
        twin = self.like.subject(rng)
        mean, variation = spread(twin)
        n, scale = len(mean), np.sqrt(np.log1p(variation**2))

        def alike(place: np.ndarray) -> np.ndarray:
            return np.broadcast_to(mean, (*place.shape[:-1], n))

        def wandered(trials: int, time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            z = wandering(trials * n, len(time), self.memory, rng).reshape(trials, n, -1)
            return np.exp(scale * z.swapaxes(1, 2) - scale**2 / 2)

        answers = {
            "tuning": lambda: codes(NOTHING, n), "connectivity": lambda: truths.no_wiring(n),
            "spatial_pattern": lambda: truths.no_pattern(n),
        }  # fmt: skip
        asleep = getattr(self.like, "asleep", 0.0)
        return DrivenSubject(self, self.like.walk, asleep, alike, mean, False, twin.anatomy, answers, wandered)
