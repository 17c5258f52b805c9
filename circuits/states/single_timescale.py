"""Neurons whose rates wander with one time constant: the yardstick of methods that measure it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.states.timescale_population import TimescalePopulation
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count

TimeConstant = Annotated[float, Within(0.01, 5, "s")]
Variance = Annotated[float, Within(0, 5, excluding=(0,))]
MeanRate = Annotated[float, Within(0.1, 100, "Hz")]
Spread = Annotated[float, Within(0, 2)]


@dataclass(frozen=True)
class SingleTimescale:
    """Doubly stochastic neurons: Poisson spikes at rates that wander, each on its own, with one time constant.

        rate_i(t) = r_i g_i(t),   mean of g_i: 1,   variance: relative_variance,   autocorrelation exp(-t / timescale)

    The ground truth of Zeraati, Engel & Levina 2022 (Nat Comput Sci 2:193), where rates follow an Ornstein-Uhlenbeck
    process; here a square-root process, which has the same autocorrelation and is never negative. Time constants of
    cortical areas at rest are 65 to 350 ms (Murray et al. 2014, Nat Neurosci 17:1661). A neuron has a refractory
    period of 2 ms. There is no synapse.
    """

    name: ClassVar[str] = "single_timescale"
    mechanism: ClassVar[str] = "independent neurons"
    questions: ClassVar[tuple[str, ...]] = ("timescale", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_neurons: Count = 50
    timescale: TimeConstant = 0.2  # s (Murray et al. 2014: prefrontal cortex)
    mean_rate: MeanRate = 10.0  # Hz, over neurons
    rate_spread: Spread = 0.5  # standard deviation of the logarithm of mean rates, over neurons
    relative_variance: Variance = 0.3  # of a rate over time (Goris et al. 2014, Nat Neurosci 17:858: some 0.1 to 0.5)

    def __post_init__(self) -> None:
        check_fields(self)

    def prior(self, rng: np.random.Generator) -> SingleTimescale:
        """A member of the family of cortical areas (Murray et al. 2014: 65 to 350 ms)."""
        return replace(self, timescale=float(np.exp(rng.uniform(np.log(0.065), np.log(0.35)))))

    def subject(self, rng: np.random.Generator) -> TimescalePopulation:
        """One population: mean rates and places."""
        return TimescalePopulation.drawn(self, ((self.timescale, self.relative_variance),), rng)
