"""Two populations that represent the same, in clouds of states of one shape, and turn at frequencies of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.latent.population import Course, LikeItsTwin, Population
from circuits.latent.shared_flow import SharedFlow
from simlab.rules import Within, check_fields
from simlab.session import Session


@dataclass(frozen=True)
class OtherFlow(LikeItsTwin):
    """`like`, but for the second population's frequencies, which are all `ratio` times the first's, or that much less.

    Which of the two, chance decides. Time constants, rates, sizes, the cloud's shape and the features
    that a stimulus leaves in either population are those of `like`: geometry tells them apart no better than two
    populations with one flow.
    """

    name: ClassVar[str] = "other_flow"
    mechanism: ClassVar[str] = "another flow"
    twin_of: ClassVar[tuple[str, ...]] = ("shared_flow",)
    questions: ClassVar[tuple[str, ...]] = ("shared_mechanism", "similarity", "connectivity")

    like: SharedFlow = field(default_factory=SharedFlow)  # whose sizes, rates and task it has
    ratio: Annotated[float, Within(1, 100, excluding=(1,))] = 3.0

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: SharedFlow) -> OtherFlow:
        """A copy that is matched to these populations."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> Population:
        """One pair of populations."""
        turning = self.like.drawn_frequencies(rng)
        other = turning * self.ratio ** float(rng.choice([-1.0, 1.0]))
        return self.like.individual(self, np.stack([turning, other]), rng)

    def task(self, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """That of `like`."""
        return self.like.task(trials, duration, rng)

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """States of both populations, as latents, and rates of a session."""
        return self.like.course(individual, session, rng)

    def readout(self, individual: Mapping[str, np.ndarray], duration: float) -> np.ndarray:
        """That of `like`."""
        return self.like.readout(individual, duration)

    def dimensions(self) -> dict[str, int]:
        """Not asked."""
        return {}
