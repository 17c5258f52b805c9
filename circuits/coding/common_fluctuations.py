"""Two populations with codes of their own that are aroused together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.coding.shared_code import SharedCode
from circuits.latent.population import Course, LikeItsTwin, Population
from simlab.rules import check_fields
from simlab.session import Session


@dataclass(frozen=True)
class CommonFluctuations(LikeItsTwin):
    """`private_codes`, but for one gain g that moves both populations in each trial, as arousal does.

    Means over a few trials of each stimulus keep some of it, and it is the same in both populations: their patterns
    resemble each other in those trials, whatever they encode (Henriksson et al. 2015, NeuroImage 114:275). In other
    trials of the same stimuli they do not.
    """

    name: ClassVar[str] = "common_fluctuations"
    mechanism: ClassVar[str] = "common fluctuations"
    twin_of: ClassVar[tuple[str, ...]] = ("shared_code",)
    questions: ClassVar[tuple[str, ...]] = ("similarity", "connectivity")

    like: SharedCode = field(default_factory=SharedCode)  # whose sizes, rates, noise and task it has

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: SharedCode) -> CommonFluctuations:
        """A copy that is matched to these populations."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> Population:
        """One pair of populations and the stimuli that they are shown."""
        return self.like.individual(self, 0, rng)

    def task(self, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """That of `like`."""
        return self.like.task(trials, duration, rng)

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Features, as latents, and rates of a session."""
        gains = np.repeat(rng.standard_normal((session.trials, 1)), 2, axis=1)
        return self.like.responses(individual, session, rng, gains)

    def dimensions(self) -> dict[str, int]:
        """Not asked."""
        return {}
