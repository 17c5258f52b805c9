"""Another animal every session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import xarray as xr

from circuits.causal.redundant import Redundant
from circuits.limits.limited import Limit, LimitedSubject
from simlab.contracts import Circuit, SimlabError
from simlab.rules import check_fields
from simlab.session import Session

TRIES = 1000


@dataclass(frozen=True)
class Strangers(Limit):
    """Any circuit of which each session meets another individual, wired by the same rules and not in the same way.

    Sessions of one experiment are put together as if they were of one animal, as is done where an animal gives one
    session and dies (slices, acute recordings, most lesions). Truth is that of the first animal. Where all individuals
    are wired alike nothing changes. Only animals with as many neurons as the first are met; raises SimlabError where
    none of `TRIES` is.
    """

    name: ClassVar[str] = "strangers"

    of: Circuit = field(default_factory=Redundant)

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> StrangersSubject:
        """The first animal, of which the truth is told."""
        return StrangersSubject(self.of.subject(rng), self)


@dataclass(frozen=True, eq=False)
class StrangersSubject(LimitedSubject):
    """The first animal, and a new one for every session."""

    circuit: Strangers

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """What a new animal does in the session."""
        wanted = self.anatomy.sizes["neuron"]
        for _ in range(TRIES):
            stranger = self.circuit.of.subject(rng)
            if stranger.anatomy.sizes["neuron"] == wanted:
                return stranger.run(session, rng)
        raise SimlabError(
            f"strangers needs animals of one size, got none of {wanted} neurons in {TRIES}: fix the number"
        )
