"""Synapses that tire in the course of a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.causal.redundant import Redundant
from circuits.limits.limited import Limit, LimitedSubject
from simlab.contracts import Circuit
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share
from simlab.session import Effect, Session

LEVELS = 20
"""Steps in which synapses weaken: each is a gain on all of them."""


@dataclass(frozen=True)
class Tiring(Limit):
    """Any circuit whose synapses weaken from trial to trial of a session, and are rested again before the next.

        gain(trial) = floor + (1 - floor) exp(-trial / time_constant)

    The gain acts on all synapses alike, in 20 steps. Over a session, animals tire and lose motivation, and synapses
    depress; `floor` is what is left in the end. It is a limit on top of the circuit's own, whatever that is.
    """

    name: ClassVar[str] = "tiring"

    of: Circuit = field(default_factory=Redundant)
    time_constant: Annotated[float, Within(1, 1e6)] = 200.0  # trials
    floor: Share = 0.4

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> TiringSubject:
        """One animal of the circuit inside."""
        return TiringSubject(self.of.subject(rng), self)


@dataclass(frozen=True, eq=False)
class TiringSubject(LimitedSubject):
    """One animal."""

    circuit: Tiring

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """As without the limit, its synapses weaker and weaker."""
        return self.inner.run(session.perturbed(*self.fatigue(session)), rng)

    def fatigue(self, session: Session) -> tuple[Effect, ...]:
        """A gain for each step of trials."""
        c, n = self.circuit, self.anatomy.sizes["neuron"]
        parts = np.array_split(np.arange(session.trials), min(LEVELS, session.trials))
        return tuple(
            Effect(
                "gain", np.full(n, c.floor + (1 - c.floor) * np.exp(-part.mean() / c.time_constant)), 0.0,
                session.duration, tuple(part.tolist()),
            )
            for part in parts
        )  # fmt: skip
