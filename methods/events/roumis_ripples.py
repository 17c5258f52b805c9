"""Ripples by a threshold on the mean square root of the channels' power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.events._detection import beyond_threshold
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class RoumisRipples:
    """Averages the square roots of the channels' squared ripple-band envelopes and takes what exceeds a threshold (a
    variant of the Frank laboratory, as in the library).

    The animal is taken to rest throughout. A threshold in standard deviations of the recording's own power finds more,
    the fewer ripples there are: with none it finds the largest fluctuations. Cost: a filter, linear in the samples.
    """

    name: ClassVar[str] = "roumis_ripples"
    question: ClassVar[str] = "events"
    family: ClassVar[str] = "ripple-band threshold"
    library: ClassVar[str] = "ripple_detection"
    needs: ClassVar[Needs] = Needs(("field potential",), seconds=2.0)

    threshold: Annotated[float, Within(0.1, 100)] = 2.0  # standard deviations above the mean (ripple_detection 1.7)
    shortest: Annotated[float, Within(1e-3, 1, "s")] = 0.015  # s, above the threshold (ripple_detection 1.7)

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The times of ripples in a Recording of field potentials."""
        return beyond_threshold(recording, "Roumis_ripple_detector", self.threshold, self.shortest)
