"""The ripples' rival: the same volleys of spikes without the rhythm that makes a ripple of one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.events.ripples import Ripples
from circuits.events.volleys import Volleys, VolleySubject
from simlab.rules import check_fields


@dataclass(frozen=True)
class PopulationBursts:
    """Synchronous volleys as those of `ripples`: as frequent, as large, as long, in the same order, but not rhythmic.

        rate_i(t) = r_i + sum_k a_k p_i g(t - t_k - lag_ik)

    Any volley puts power into every band that is faster than its own length, so that a threshold on power at 150 to 250
    Hz answers to it; whether that is a ripple is what experts do not agree on (Liu et al. 2022, Nat Commun 13:6000, a
    consensus statement). The number of spikes and their order are those of the ripples, which the rhythm does not
    change; `events` has no true one.
    """

    name: ClassVar[str] = "population_bursts"
    mechanism: ClassVar[str] = "volleys without a rhythm"
    twin_of: ClassVar[tuple[str, ...]] = ("ripples",)
    questions: ClassVar[tuple[str, ...]] = ("events", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    depth: ClassVar[float] = 0.0  # of the modulation: there is no rhythm

    volleys: Volleys = field(default_factory=Volleys)  # how often, how large, how long

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: Ripples) -> PopulationBursts:
        """A copy with the volleys of these ripples."""
        return replace(self, volleys=circuit.volleys)

    def subject(self, rng: np.random.Generator) -> VolleySubject:
        """One animal, drawn as one with ripples is."""
        return VolleySubject.drawn(self, self.volleys, rng)

    def frequencies(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """(event,) [Hz] of a rhythm of no depth: any will do."""
        return np.ones(n)
