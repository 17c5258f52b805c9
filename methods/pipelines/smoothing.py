"""Smoothing: spikes or a signal blurred by a Gaussian kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.pipelines._steps import Unusable, accepting, sampling_interval, signal_of, with_signal, within_trials
from simlab.contracts import Needs
from simlab.data import bin_spikes, durations, is_spiking
from simlab.rules import check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class Smoothing:
    """A Gaussian kernel within each trial; at its borders the first and last values are held.

    Spikes become a signal of modality `rate` [Hz], sampled every `step`, or as coarsely as the recording's
    `resolution`; a signal stays what it is, at its own samples.
    """

    name: ClassVar[str] = "smoothing"
    library: ClassVar[str] = "scipy"

    deviation: Width = 0.1
    """Standard deviation of the kernel [s]."""
    step: Width = 0.02
    """Between the samples of a rate made of spikes [s]."""

    def __post_init__(self) -> None:
        check_fields(self)

    def before(self, needs: Needs) -> Needs:
        """What this step needs, if what follows has these needs."""
        return accepting(self, needs, {"spikes": "rate"}, others=True)

    def apply(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """The smoothed signal (trial, sample, unit)."""
        if not is_spiking(recording):
            signal = signal_of(recording, self)
            times = signal["time"].values
            values = self._smoothed(signal.values.astype(float), sampling_interval(times))
            return with_signal(
                recording, values, times, str(signal.attrs["modality"]), str(signal.attrs.get("units", ""))
            )
        step = max(self.step, float(recording.attrs.get("resolution", 0.0)))
        if durations(recording).max() < step * (1 - 1e-9):
            raise Unusable(f"trials of {durations(recording).max():g} s hold no sample every {step:g} s")
        counts = bin_spikes(recording, step)
        values = self._smoothed(counts.values / step, step)
        return with_signal(recording, values, counts["time"].values + step / 2, "rate", "Hz")

    def _smoothed(self, values: np.ndarray, interval: float) -> np.ndarray:
        from scipy.ndimage import gaussian_filter1d

        result = values.copy()
        for trial, stop in within_trials(values):
            if stop > 1:
                part = values[trial, :stop]
                result[trial, :stop] = gaussian_filter1d(part, self.deviation / interval, axis=0, mode="nearest")
        return result
