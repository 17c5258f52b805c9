"""Ripples by a threshold on the power of all channels together (Kay et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.events._detection import beyond_threshold
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class KayRipples:
    """Sums the squared ripple-band envelopes of all channels, smooths, and takes what exceeds a threshold (Kay et al.
    2016, Nature 531:185); an event lasts until the sum is back at its mean.

    The animal is taken to rest throughout. A threshold in standard deviations of the recording's own power finds more,
    the fewer ripples there are: with none it finds the largest fluctuations. Cost: a filter, linear in the samples.
    """

    name: ClassVar[str] = "kay_ripples"
    question: ClassVar[str] = "events"
    family: ClassVar[str] = "ripple-band threshold"
    library: ClassVar[str] = "ripple_detection"
    needs: ClassVar[Needs] = Needs(("field potential",), seconds=2.0)

    threshold: Annotated[float, Within(0.1, 100)] = 2.0  # standard deviations above the mean (Kay et al. 2016)
    shortest: Annotated[float, Within(1e-3, 1, "s")] = 0.015  # s, above the threshold (Kay et al. 2016)

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The times of ripples in a Recording of field potentials."""
        return beyond_threshold(recording, "Kay_ripple_detector", self.threshold, self.shortest)
