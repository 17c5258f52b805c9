"""Shared drive without a rhythm: its power falls with frequency, as that of most of the brain's signals does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.rhythms.oscillating_ei import OscillatingEI
from circuits.rhythms.shared_gain import SharedGainSubject
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class AperiodicDrive:
    """Independent neurons at the rates of `like`'s, all multiplied by one gain with a 1/f spectrum.

        rate_i(t) = rate_i exp(s m(t) - s^2 / 2),   m: Gaussian,   power of m ~ 1 / (knee^exponent + f^exponent)

    with the variance that `like`'s excitatory neurons have in common, so that rates, their fluctuation and its sum
    over frequencies match, and only where the power lies differs. There is no preferred frequency: whoever takes the
    highest point of such a spectrum, or of a band of it, for a rhythm is wrong (Donoghue et al. 2020, Nat Neurosci
    23:1655). Exponents of 1 to 2 are usual in field potentials and in population rates (He 2014, Trends Cogn Sci
    18:480; Miller et al. 2009, PLoS Comput Biol 5:e1000609: with a knee).
    """

    name: ClassVar[str] = "aperiodic_drive"
    mechanism: ClassVar[str] = "aperiodic drive"
    twin_of: ClassVar[tuple[str, ...]] = ("oscillating_ei",)
    questions: ClassVar[tuple[str, ...]] = ("oscillation", "connectivity", "cell_type")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: OscillatingEI = field(default_factory=OscillatingEI)  # the network whose rates it has
    exponent: Annotated[float, Within(0, 4)] = 1.5
    knee: Annotated[float, Within(0, 250, "Hz")] = 2.0  # Hz, below which the spectrum is flat

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: OscillatingEI) -> AperiodicDrive:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> SharedGainSubject:
        """The rates of one twin and the variance of its shared fluctuations."""
        twin = self.like.subject(rng)
        seen = twin.spontaneous
        power = 1.0 / (self.knee**self.exponent + seen.frequency**self.exponent)
        return SharedGainSubject(self, seen.rate, seen.frequency, power, seen.shared_variance, twin.anatomy)
