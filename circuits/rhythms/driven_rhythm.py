"""Neurons that follow a rhythm which is made elsewhere: the oscillation is there, the circuit that makes it is not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.rhythms.oscillating_ei import OscillatingEI
from circuits.rhythms.shared_gain import SharedGainSubject
from simlab.rules import check_fields


@dataclass(frozen=True)
class DrivenRhythm:
    """Independent neurons at the rates of `like`'s, all multiplied by one rhythmic gain.

        rate_i(t) = rate_i exp(s m(t) - s^2 / 2),   m: Gaussian, with the spectrum of `like`'s excitatory population

    as where gamma of one area is imposed on the next, or an LFP is volume conducted (Buzsaki & Schomburg 2015, Nat
    Neurosci 18:484). Rates of single neurons, the spectrum of the population and so its frequency, bandwidth and depth
    are those of a minute of the twin; what waxes and wanes does so at random phases. In the twin inhibitory cells
    follow excitatory ones by a few milliseconds, and no neuron fires twice as often as it is told to here: all rise and
    fall at once. Nothing that one neuron does changes another.
    """

    name: ClassVar[str] = "driven_rhythm"
    mechanism: ClassVar[str] = "rhythmic drive"
    twin_of: ClassVar[tuple[str, ...]] = ("oscillating_ei",)
    questions: ClassVar[tuple[str, ...]] = ("oscillation", "connectivity", "cell_type")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: OscillatingEI = field(default_factory=OscillatingEI)  # the network whose rates and spectrum it has

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: OscillatingEI) -> DrivenRhythm:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> SharedGainSubject:
        """The rates and the spectrum of one twin."""
        twin = self.like.subject(rng)
        seen = twin.spontaneous
        return SharedGainSubject(self, seen.rate, seen.frequency, seen.shared_power, seen.shared_variance, twin.anatomy)
