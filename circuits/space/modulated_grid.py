"""Independent Poisson units with grid tuning that a rhythm modulates together: a torus without an attractor?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.space.driven import DrivenSubject
from circuits.space.feedforward_grid import driven_truths, grid_tuning
from circuits.space.grid_attractor import GridAttractor
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class ModulatedGrid:
    """Grid cells that fire independently, at rates that follow the place and a rhythm that all have in common.

        rate_i(t) = X_i(phase of the place at t) (1 + depth sin(2 pi f t + p)),   p: any, in each trial

    After di Sarra, Jha & Roudi (2025, PLoS Comput Biol 21:e1012776; arXiv 2501.19262), who find toroidal persistence
    diagrams of independent units where a rhythm modulates them, and none where it does not: at the rhythm's peaks
    more spikes tell of the place. Read there at the level of the abstract; frequency, depth and tuning are ours.

    The rhythm scales states up and down. While `depth` < 1 none shrinks to nothing, and the manifold is a thickened
    torus, of the same shape. In sleep cells fire at their mean rates, under the rhythm.
    """

    name: ClassVar[str] = "modulated_grid"
    mechanism: ClassVar[str] = "common rhythm"
    twin_of: ClassVar[tuple[str, ...]] = ("grid_attractor",)
    questions: ClassVar[tuple[str, ...]] = ("topology", "dynamics", "tuning", "spatial_pattern")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: GridAttractor = field(default_factory=GridAttractor)  # whose tuning it copies
    frequency: Annotated[float, Within(0.1, 100, "Hz")] = 8.0  # theta, of rats that run: 6 to 10 Hz (Buzsaki 2002)
    depth: Annotated[float, Within(0, 1, excluding=(1,))] = 0.8  # of the modulation of rates

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: GridAttractor) -> ModulatedGrid:
        """A copy with this attractor's tuning."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> DrivenSubject:
        """One individual: the tuning of one of the attractor's."""
        twin = self.like.subject(rng)
        tuned, resting = grid_tuning(twin)
        answers = driven_truths(self.like) | {"spatial_pattern": twin.pattern}
        return DrivenSubject(
            self, self.like.walk, self.like.asleep, tuned, resting, False, twin.anatomy, answers, self._rhythm
        )

    def _rhythm(self, trials: int, time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The factor (trial, step, 1) on rates."""
        start = rng.uniform(0, 2 * np.pi, (trials, 1))
        return np.asarray(1 + self.depth * np.sin(2 * np.pi * self.frequency * time + start))[..., None]
