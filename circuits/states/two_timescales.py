"""Neurons whose rates wander with two time constants at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from circuits.states.single_timescale import MeanRate, Spread, TimeConstant, Variance
from circuits.states.timescale_population import TimescalePopulation
from simlab.rules import check_fields, require
from simlab.rules.quantities import Count, Share


@dataclass(frozen=True)
class TwoTimescales:
    """As `single_timescale`, with rates that are the mean of a fast and a slow part.

        rate_i(t) = r_i (f_i(t) + s_i(t)) / 2
        autocorrelation (1 - slow_share) exp(-t / fast_timescale) + slow_share exp(-t / slow_timescale)

    Spikes of visual neurons have such autocorrelations, of a fast time constant below 10 ms and a slow one of
    some 100 ms (Zeraati et al. 2023, Nat Commun 14:1858). The time constant that is asked for is the slow one: an
    exponential fitted as if there were one lies between the two.
    """

    name: ClassVar[str] = "two_timescales"
    mechanism: ClassVar[str] = "independent neurons"
    questions: ClassVar[tuple[str, ...]] = ("timescale", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_neurons: Count = 50
    fast_timescale: TimeConstant = 0.03  # s
    slow_timescale: TimeConstant = 0.3  # s
    slow_share: Share = 0.5  # of the rates' variance
    mean_rate: MeanRate = 10.0  # Hz, over neurons
    rate_spread: Spread = 0.5  # standard deviation of the logarithm of mean rates, over neurons
    relative_variance: Variance = 0.3  # of a rate over time

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.fast_timescale < self.slow_timescale,
            f"two_timescales: fast_timescale must be below slow_timescale, got {self.fast_timescale} and "
            f"{self.slow_timescale} s: swap them",
        )

    def subject(self, rng: np.random.Generator) -> TimescalePopulation:
        """One population: mean rates and places."""
        # The mean of two parts has a quarter of the sum of their variances.
        fast, slow = (4 * self.relative_variance * share for share in (1 - self.slow_share, self.slow_share))
        return TimescalePopulation.drawn(self, ((self.fast_timescale, fast), (self.slow_timescale, slow)), rng)
