"""Ripples by a threshold on each channel's power, merged (Karlsson & Frank 2009)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.events._detection import beyond_threshold
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class KarlssonRipples:
    """Takes what exceeds a threshold on the smoothed ripple-band envelope of any channel, and merges what overlaps
    (Karlsson & Frank 2009, Nat Neurosci 12:913).

    The animal is taken to rest throughout. A threshold in standard deviations of the recording's own power finds more,
    the fewer ripples there are: with none it finds the largest fluctuations. Cost: a filter, linear in the samples.
    """

    name: ClassVar[str] = "karlsson_ripples"
    question: ClassVar[str] = "events"
    family: ClassVar[str] = "ripple-band threshold"
    library: ClassVar[str] = "ripple_detection"
    needs: ClassVar[Needs] = Needs(("field potential",), seconds=2.0)

    threshold: Annotated[float, Within(0.1, 100)] = 3.0  # standard deviations above the mean (Karlsson & Frank 2009)
    shortest: Annotated[float, Within(1e-3, 1, "s")] = 0.015  # s, above the threshold (Karlsson & Frank 2009)

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The times of ripples in a Recording of field potentials."""
        return beyond_threshold(recording, "Karlsson_ripple_detector", self.threshold, self.shortest)
