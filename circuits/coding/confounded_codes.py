"""Two populations with codes of their own, shown stimuli in which their features go together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from circuits.coding.private_codes import PrivateCodes
from circuits.latent.population import Population


@dataclass(frozen=True)
class ConfoundedCodes(PrivateCodes):
    """`private_codes`, but that the stimuli vary features in pairs: one of either population has the same values.

    So are faces round and alive, and tools long and handled: whoever shows nothing else cannot say which of the two a
    population reads. Over stimuli in general, the features are independent, and the populations share nothing; over
    these, responses are distributed as those of a `shared_code` of all features: no method can tell, by theorem.
    """

    name: ClassVar[str] = "confounded_codes"
    mechanism: ClassVar[str] = "codes of features that go together"

    def subject(self, rng: np.random.Generator) -> Population:
        """One pair of populations and the stimuli that they are shown."""
        drawn = super().subject(rng)
        stimuli = np.array(drawn.parts["stimuli"])
        number = self.like.n_features
        stimuli[:, number:] = stimuli[:, :number]
        return replace(drawn, parts={**drawn.parts, "stimuli": stimuli})
