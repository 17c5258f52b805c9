"""Ripples as oscillations: power of the ripple band over that of its neighbours, not over its own mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.events._detection import refusal, sampling_rate, stated
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields

MAD = 1.4826
"""Standard deviations of a normal distribution in a median absolute deviation."""


@dataclass(frozen=True)
class RippleOscillation:
    """Takes what exceeds a threshold on the log ratio of ripple-band power to the power of bands beside it.

    A volley without rhythm has more power the slower the band, a rhythm a peak: the ratio to the geometric mean of both
    neighbours (100 to 130 and 270 to 350 Hz) tells them apart, as spectra with a parametrised background do
    (Donoghue et al. 2020, Nat Neurosci 23:1655, for the argument; a consensus on ripples asks for such controls: Liu et
    al. 2022, Nat Commun 13:6000). The threshold is in robust standard deviations (median absolute deviation), which
    rare events hardly move. Also asks for raised ripple power, so that a moment without either is none. Cost: three
    filters.
    """

    name: ClassVar[str] = "ripple_oscillation"
    question: ClassVar[str] = "events"
    family: ClassVar[str] = "spectral peak"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("field potential",), seconds=2.0)

    threshold: Annotated[float, Within(0.1, 100)] = 3.0  # robust standard deviations of the log ratio
    power: Annotated[float, Within(0.1, 100)] = 3.0  # robust standard deviations of the log power in the band
    smoothing: Annotated[float, Within(1e-3, 1, "s")] = 0.02  # s, sd of the Gaussian: some three cycles
    apart: Annotated[float, Within(1e-3, 1, "s")] = 0.05  # s, between two events at least
    band: tuple[float, float] = (140.0, 220.0)  # Hz (Buzsaki 2015: 110 to 200 in rats)
    below: tuple[float, float] = (100.0, 130.0)  # Hz
    above: tuple[float, float] = (270.0, 350.0)  # Hz

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The times of ripples in a Recording of field potentials."""
        reason = refusal(recording)
        if reason is not None:
            return reason
        rate = sampling_rate(recording)
        if rate < (least := 2.5 * self.above[1]):
            return Finding.abstain(f"a band of up to {self.above[1]:g} Hz needs {least:g} samples per s, got {rate:g}")
        signal = recording["signal"].values.astype(float)
        own, low, high = (self._log_power(signal, rate, band) for band in (self.band, self.below, self.above))
        ratio, raised = _robust(own - (low + high) / 2), _robust(own)
        found = [(t, s / rate) for t in range(len(signal)) for s in self._peaks(ratio[t], raised[t], rate)]
        return stated(recording, found)

    def _log_power(self, signal: np.ndarray, rate: float, band: tuple[float, float]) -> np.ndarray:
        """(trial, sample): of all channels together."""
        from scipy.ndimage import gaussian_filter1d
        from scipy.signal import butter, sosfiltfilt

        inside = sosfiltfilt(butter(4, band, btype="bandpass", fs=rate, output="sos"), signal, axis=1)
        power = (inside**2).sum(axis=2)
        return np.log(gaussian_filter1d(power, self.smoothing * rate, axis=1) + np.finfo(float).tiny)

    def _peaks(self, ratio: np.ndarray, raised: np.ndarray, rate: float) -> np.ndarray:
        """Samples of the peaks of the ratio where power is raised as well."""
        from scipy.signal import find_peaks

        peaks = find_peaks(ratio, height=self.threshold, distance=max(1, round(self.apart * rate)))[0]
        return peaks[raised[peaks] > self.power]


def _robust(values: np.ndarray) -> np.ndarray:
    """In robust standard deviations from the median."""
    middle = np.median(values)
    spread = MAD * np.median(np.abs(values - middle))
    return (values - middle) / spread if spread > 0 else np.zeros_like(values)
