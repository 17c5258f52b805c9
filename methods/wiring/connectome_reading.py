"""Reading a connectome: where synapses were seen, there is a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import CONNECTOME, Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class ConnectomeReading:
    """Decides a connection wherever at least `min_contacts` synapses were counted; says nothing of its sign.

    What it gets wrong is the instrument's doing alone: synapses and branches that were missed, false synapses, neurons
    that were split or merged. Thresholds of two and more trade connections of one synapse against false synapses
    (Staffler et al. 2017, eLife 6:e26414, table 3: recall .997 and precision .725 at one, .956 and .981 at two).
    """

    name: ClassVar[str] = "connectome_reading"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "anatomy"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs((CONNECTOME,), units=2, equal_trials=False)

    min_contacts: Annotated[int, Within(1, 1000)] = 2
    """Synapses from which on a pair counts as connected [1]."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Score (pre, post): the number of synapses; signs unknown, 0."""
        if "contacts" not in recording:
            return Finding.abstain("the recording holds no contacts to read")
        contacts = recording["contacts"].values.astype(float)
        np.fill_diagonal(contacts, 0.0)
        decided = contacts >= self.min_contacts
        return Finding({"score": contacts, "decided": decided, "sign": np.zeros(contacts.shape, dtype=int)})
