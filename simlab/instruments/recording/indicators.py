"""Calcium indicators: from spikes to fluorescence, by what was measured of each indicator.

A spike at time 0 adds calcium with the course

    c(t) = (1 - exp(-t / rise)) exp(-t / decay),   scaled to a peak of 1,

whose constants follow from the measured time to peak and half decay of one spike's transient. Calcium above rest
adds up over spikes; fluorescence is the indicator's Hill curve of it, relative to that at rest:

    dF/F = (range h(x) - range h(1)) / (1 + range h(1)),   h(x) = x^n / (x^n + K^n),   x = 1 + step * sum c,

in multiples of resting calcium; `step` is what one spike adds, such that its transient has the measured size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np

from simlab.instruments.placement import require
from simlab.rules import Within, check_fields

RESTING_CALCIUM = 50e-9
"""Free calcium in a resting pyramidal soma [M]: 50 to 100 nM (Helmchen et al. 1996, Maravall et al. 2000; both
from memory)."""


@dataclass(frozen=True)
class Indicator:
    """What was measured of an indicator; the kernel and the Hill curve are derived from it."""

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
    def saturation(self) -> float:
        """dF/F of the calcium-saturated indicator."""
        bound = self.dynamic_range * float(_hill(1.0, self.hill, self.dissociation))
        return (self.dynamic_range - bound) / (1 + bound)

    @cached_property
    def time_constants(self) -> tuple[float, float]:
        """(rise, decay) [s] of the calcium kernel, solved from time to peak and half decay."""
        from scipy.optimize import brentq

        def half_level(decay: float) -> float:
            rise = _rise(decay, self.time_to_peak)
            peak = _kernel(self.time_to_peak, rise, decay)
            return _kernel(self.time_to_peak + self.half_decay, rise, decay) / peak - 0.5

        decay = brentq(half_level, 0.3 * self.half_decay, 2 * self.half_decay)
        return _rise(decay, self.time_to_peak), float(decay)

    @cached_property
    def step(self) -> float:
        """Peak calcium of one spike, in multiples of resting calcium."""
        bound = self.dynamic_range * float(_hill(1.0, self.hill, self.dissociation))
        occupied = (self.transient * (1 + bound) + bound) / self.dynamic_range
        return float(self.dissociation * (occupied / (1 - occupied)) ** (1 / self.hill) - 1)

    def fluorescence(self, calcium: np.ndarray) -> np.ndarray:
        """dF/F of calcium above rest, in units of one spike's peak; of any shape."""
        bound = self.dynamic_range * _hill(1.0, self.hill, self.dissociation)
        seen = self.dynamic_range * _hill(1.0 + self.step * calcium, self.hill, self.dissociation)
        return (seen - bound) / (1 + bound)


def _hill(calcium: np.ndarray | float, hill: float, dissociation: float) -> np.ndarray:
    return np.asarray(1 / (1 + (dissociation / np.asarray(calcium)) ** hill))


def _kernel(time: float, rise: float, decay: float) -> float:
    return float((1 - np.exp(-time / rise)) * np.exp(-time / decay))


def _rise(decay: float, time_to_peak: float) -> float:
    """The rise constant [s] whose kernel peaks then: time_to_peak = rise log(1 + decay / rise)."""
    from scipy.optimize import brentq

    if time_to_peak >= decay:
        return 1e3 * decay
    return float(brentq(lambda rise: rise * np.log1p(decay / rise) - time_to_peak, 1e-9, 1e3 * decay))


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
