"""Two populations with codes of their own that are aroused together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from circuits.coding.private_codes import PrivateCodes
from circuits.latent.population import Course
from simlab.session import Session


@dataclass(frozen=True)
class CommonFluctuations(PrivateCodes):
    """`private_codes`, but for one gain g that moves both populations in each trial, as arousal does.

    Means over a few trials of each stimulus keep some of it, and it is the same in both populations: their patterns
    resemble each other in those trials, whatever they encode (Henriksson et al. 2015, NeuroImage 114:275). In other
    trials of the same stimuli they do not.
    """

    name: ClassVar[str] = "common_fluctuations"
    mechanism: ClassVar[str] = "common fluctuations"

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Features, as latents, and rates of a session."""
        gains = np.repeat(rng.standard_normal((session.trials, 1)), 2, axis=1)
        return self.like.responses(individual, session, rng, gains)
