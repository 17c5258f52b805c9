"""Two populations that read other features of the same stimuli: as many, as strongly, with the same spectrum."""

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
class PrivateCodes(LikeItsTwin):
    """`like` in all but what is read: no feature of the one population moves the other.

    Sizes, rates, dimension, depth of responses, gains, drifts and the order of the stimuli are those of `like`. Over a
    few stimuli features of both correlate as much as chance will have it, and as permuted stimuli do.
    """

    name: ClassVar[str] = "private_codes"
    mechanism: ClassVar[str] = "codes of other features"
    twin_of: ClassVar[tuple[str, ...]] = ("shared_code",)
    questions: ClassVar[tuple[str, ...]] = ("similarity", "connectivity")

    like: SharedCode = field(default_factory=SharedCode)  # whose sizes, rates, noise and task it has

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: SharedCode) -> PrivateCodes:
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
        return self.like.course(individual, session, rng)

    def dimensions(self) -> dict[str, int]:
        """Not asked."""
        return {}
