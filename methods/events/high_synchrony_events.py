"""High-synchrony events: a threshold on how many units fire together, without a field potential."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.events._detection import middles, stated
from simlab.contracts import Finding, Needs
from simlab.data import bin_spikes
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class HighSynchronyEvents:
    """Smooths the spikes of all units and takes what exceeds a threshold (Davidson, Kloosterman & Wilson 2009, Neuron
    63:497), as is done where nobody recorded a field potential, or for 'replay events'.

    It cannot tell a ripple from any other volley. Cost: linear in the bins.
    """

    name: ClassVar[str] = "high_synchrony_events"
    question: ClassVar[str] = "events"
    family: ClassVar[str] = "population-rate threshold"
    library: ClassVar[str] = "ripple_detection"
    needs: ClassVar[Needs] = Needs(("spikes",), units=5, seconds=2.0)

    threshold: Annotated[float, Within(0.1, 100)] = 2.0  # standard deviations above the mean (the library's default)
    shortest: Annotated[float, Within(1e-3, 1, "s")] = 0.015  # s, above the threshold (the library's default)
    smoothing: Annotated[float, Within(1e-4, 1, "s")] = 0.015  # s, sd of the Gaussian (Davidson et al. 2009: 15 ms)
    width: Width = 1e-3  # s, of the bins

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The times of high synchrony in a Recording of spikes."""
        from ripple_detection import multiunit_HSE_detector

        counts = bin_spikes(recording, self.width).values
        if not counts.any():
            return Finding.abstain("no unit fires")
        found: list[tuple[int, float]] = []
        for trial, fired in enumerate(counts):
            time = (np.arange(len(fired)) + 0.5) * self.width
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of trials without an event
                events = multiunit_HSE_detector(
                    time, fired.astype(float), np.zeros(len(time)), 1 / self.width, minimum_duration=self.shortest,
                    zscore_threshold=self.threshold, smoothing_sigma=self.smoothing,
                )  # fmt: skip
            found += [(trial, middle) for middle in middles(events)]
        return stated(recording, found)
