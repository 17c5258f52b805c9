"""Calcium indicators: from spikes to fluorescence, by what was measured of each indicator.

A spike adds `step` of free calcium, in multiples of resting calcium, which decays as calcium is pumped out:

    x(t) = 1 + step * sum_k exp(-(t - t_k) / calcium_decay)

The indicator follows with a delay of its own. The share b of it that is bound, and bright, obeys first-order kinetics
whose equilibrium is the measured Hill curve (K: dissociation constant, n: Hill coefficient):

    db/dt = off_rate [ (x / K)^n (1 - b) - b ],       dF/F = range (b - b0) / (1 + range b0),   b0 = b at x = 1.

Three things were measured of one spike's transient (its size, its time to peak, its half decay), and three numbers are
not known: `step`, `calcium_decay` and `off_rate`; they are solved for. Of GCaMP6f they come out as 81 nM, 22 ms and
5.7/s. Free calcium transients of about 100 nM that are gone within tens of milliseconds are what dyes see (Helmchen et
al. 1996, Maravall et al. 2000; from memory), and the decay of fluorescence is the protein's off-rate (Chen et al. 2013,
supplementary table 2, from memory). An indicator that were in equilibrium with calcium at every moment would show the
same transient for a step of 11 nM: that was the error of this model's first version, whose bursts then summed almost
linearly, where bursts of GCaMP6 sum supralinearly.

What is left out: the indicator as a buffer that slows and blunts the calcium which it reports, its four binding sites
one by one (Greenberg et al. 2018), and differences among cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, NamedTuple

import numpy as np

from simlab.contracts import SimlabError
from simlab.instruments.placement import require
from simlab.rules import Within, check_fields

RESTING_CALCIUM = 50e-9
"""Free calcium in a resting pyramidal soma [M]: 50 to 100 nM (Helmchen et al. 1996, Maravall et al. 2000; both
from memory)."""

SOLVED = 0.02
"""By how much, as a fraction, the solved kinetics may miss each of the three measured numbers."""


MOST = 300.0
"""Time constants of binding that are summed up at once: exp(-300) is still a number. All terms are positive, so that
none of their precision is lost."""


class Kinetics(NamedTuple):
    """What is solved for."""

    step: float
    """Free calcium that one spike adds, in multiples of resting calcium."""

    calcium_decay: float
    """Time in which it falls to 1/e [s]."""

    off_rate: float
    """Rate at which bound indicator turns dark [1/s]."""


@dataclass(frozen=True)
class Indicator:
    """What was measured of an indicator; the calcium of a spike and the indicator's kinetics are derived from it."""

    transient: Annotated[float, Within(1e-4, 100)]
    """Peak dF/F of one spike's transient [1]."""

    time_to_peak: Annotated[float, Within(1e-4, 10, "s")]
    """From the spike to the peak of its transient [s]."""

    half_decay: Annotated[float, Within(1e-3, 100, "s")]
    """From the peak of a spike's transient to half of it [s]."""

    hill: Annotated[float, Within(0.1, 20)]
    """Hill coefficient of calcium binding [1]."""

    dissociation: Annotated[float, Within(1e-3, 1e6)]
    """Dissociation constant of calcium, over resting free calcium [1]."""

    dynamic_range: Annotated[float, Within(0.01, 1e6)]
    """Saturated over calcium-free fluorescence, minus 1 [1]."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.transient < self.saturation,
            f"indicator: one spike's transient must stay below saturation at dF/F = {self.saturation:.3g}, "
            f"got {self.transient}: lower it, or give a larger dissociation constant or dynamic range",
        )
        require(
            self.half_decay > self.time_to_peak,
            f"indicator: half_decay must exceed time_to_peak = {self.time_to_peak} s, got {self.half_decay}: "
            "give a transient that rises faster than it decays",
        )

    @property
    def resting(self) -> float:
        """Share of the indicator that is bound at resting calcium."""
        return float(self.bound(np.zeros(())))

    @property
    def saturation(self) -> float:
        """dF/F of the calcium-saturated indicator."""
        return float(self.brightness(np.ones(())))

    @cached_property
    def kinetics(self) -> Kinetics:
        """The calcium of one spike and the rate of the indicator that show what was measured of a spike's transient.

        Raises SimlabError where none do.
        """
        from scipy.optimize import least_squares

        wanted = np.log([self.transient, self.time_to_peak, self.half_decay])

        def misfit(guess: np.ndarray) -> np.ndarray:
            return np.log(self._one_spike(Kinetics(*np.exp(guess)))) - wanted

        for step in (2.0, 0.5, 8.0):
            start = np.log([step, self.time_to_peak / 2, np.log(2) / self.half_decay])
            found = least_squares(misfit, start, diff_step=1e-3)
            if np.abs(found.fun).max() < SOLVED:
                return Kinetics(*map(float, np.exp(found.x)))
        raise SimlabError(
            "indicator: no calcium transient gives this transient, time_to_peak and half_decay, "
            f"got {self.transient}, {self.time_to_peak} s, {self.half_decay} s: give what was measured of one spike"
        )

    def _one_spike(self, kinetics: Kinetics) -> tuple[float, float, float]:
        """Peak dF/F, time to peak [s] and half decay [s] of one spike with these kinetics."""
        end = self.time_to_peak + 3 * self.half_decay
        interval = min(self.time_to_peak / 100, end / 1000)
        time = interval * np.arange(int(end / interval) + 1)
        middle = np.exp(-(time[:-1] + interval / 2) / kinetics.calcium_decay)
        bound = self._follow(kinetics.step * middle[:, None], interval, np.full(1, self.resting), kinetics.off_rate)
        trace = np.append(0.0, self.brightness(bound[:, 0]))
        peak = int(trace.argmax())
        after = trace[peak:] / max(trace[peak], 1e-12)
        half = np.interp(-0.5, -np.minimum.accumulate(after), time[peak:] - time[peak])
        return max(float(trace[peak]), 1e-12), max(_vertex(time, trace, peak), interval), max(float(half), interval)

    def bound(self, calcium: np.ndarray) -> np.ndarray:
        """Share of the indicator that is bound after long at so much calcium above rest [multiples of rest]."""
        pull = ((1 + calcium) / self.dissociation) ** self.hill
        return pull / (1 + pull)

    def brightness(self, bound: np.ndarray) -> np.ndarray:
        """dF/F where so much of the indicator is bound; of any shape."""
        return self.dynamic_range * (bound - self.resting) / (1 + self.dynamic_range * self.resting)

    def follow(self, calcium: np.ndarray, interval: float, start: np.ndarray) -> np.ndarray:
        """The share bound (step, cell) at the end of each step of `interval` [s]; `start` (cell,): before the first.

        calcium: (step, cell) the mean of each step, above rest [multiples of rest]; taken as constant within it, for
        which the step is exact.
        """
        return self._follow(calcium, interval, start, self.kinetics.off_rate)

    def _follow(self, calcium: np.ndarray, interval: float, start: np.ndarray, off_rate: float) -> np.ndarray:
        pull = ((1 + calcium) / self.dissociation) ** self.hill
        rate = off_rate * interval * (1 + pull)
        bound = pull / (1 + pull) * -np.expm1(-rate)
        size = max(1, int(MOST / max(rate.max(initial=0.0), 1e-12)))
        for first in range(0, len(bound), size):
            part = slice(first, first + size)
            left = np.exp(-np.cumsum(rate[part], axis=0))
            bound[part] = left * (start + np.cumsum(bound[part] / left, axis=0))
            start = bound[part][-1]
        return bound


def _vertex(time: np.ndarray, trace: np.ndarray, peak: int) -> float:
    """When a sampled trace peaks [s]: the vertex of the parabola through its largest sample and the two beside it."""
    if not 0 < peak < len(trace) - 1:
        return float(time[peak])
    before, at, after = trace[peak - 1 : peak + 2]
    bend = before - 2 * at + after
    return float(time[peak] + (time[1] - time[0]) * (0.5 * (before - after) / bend if bend < 0 else 0.0))


INDICATORS: Mapping[str, Indicator] = {
    # Transients and kinetics of one spike in mouse visual cortex in vivo: Chen et al. 2013, supplementary table 3;
    # affinity, cooperativity and dynamic range of the protein: ibid., table 2 (all quoted from memory).
    "gcamp6f": Indicator(0.19, 0.045, 0.142, 2.27, 375e-9 / RESTING_CALCIUM, 50.8),
    "gcamp6m": Indicator(0.13, 0.080, 0.270, 2.96, 167e-9 / RESTING_CALCIUM, 37.1),
    "gcamp6s": Indicator(0.23, 0.179, 0.550, 2.90, 144e-9 / RESTING_CALCIUM, 62.2),
    # One spike: Janelia's jGCaMP8 table; the protein: Zhang et al. 2023 (both read in repositories that quote them,
    # not in the paper). jGCaMP8s (K = 46 nM) is left out: at
    # 50 nM of resting calcium it would be half saturated, at odds with its measured transient of 1.11 dF/F.
    "jgcamp8f": Indicator(0.41, 0.0248, 0.0674, 2.08, 334e-9 / RESTING_CALCIUM, 78.8),
    "jgcamp8m": Indicator(0.76, 0.0290, 0.1183, 1.92, 108e-9 / RESTING_CALCIUM, 47.5),
}
"""Indicators by name."""
