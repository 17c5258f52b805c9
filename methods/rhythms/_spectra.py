"""Shared by the rhythm methods: what is analysed of a recording, its spectrum, and backgrounds without a rhythm.

Traces are (trace, trial, time): the summed spikes of all units are one trace; of a continuous signal each unit is one,
as groups that alternate would cancel in a sum. Frequencies in Hz, times in s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from methods.population._population import unrecorded
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking, signals

BIN = 2e-3
"""s, of spike counts: spectra up to 250 Hz."""


@dataclass(frozen=True, eq=False)
class Traces:
    """values (trace, trial, time), z-scored, every `step` [s]."""

    values: np.ndarray
    step: float

    @property
    def duration(self) -> float:
        """Of a trial [s]."""
        return self.values.shape[2] * self.step

    def band(self, low: float, high: float, cycles: float) -> tuple[float, float]:
        """The part of a band of frequencies that can be seen: `cycles` in a trial at least, half of Nyquist's at
        most."""
        return max(low, cycles / self.duration), min(high, 0.25 / self.step)


def traces(recording: xr.Dataset, needs: Needs) -> Traces | Finding:
    """What of a Recording is analysed, or an abstention: where needs are not met, or nothing varies."""
    if refused := unrecorded(recording, needs):
        return refused
    width = min(BIN, recording.attrs["duration"] / 8)
    seen = signals(recording, width)
    values = np.asarray(seen.values, dtype=float)
    times = seen["time"].values
    step = float(np.median(np.diff(times))) if len(times) > 1 else width
    values = values.sum(axis=2, keepdims=True) if is_spiking(recording) else values
    values = np.moveaxis(values, 2, 0)
    values = values - values.mean(axis=(1, 2), keepdims=True)
    spread = values.std(axis=(1, 2))
    if not (spread > 0).any():
        return Finding.abstain("nothing varies in this recording: all units are silent or constant")
    return Traces(values[spread > 0] / spread[spread > 0, None, None], step)


def multitaper(values: np.ndarray, step: float, half_bandwidth: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Frequencies, the mean spectrum (frequency,) of values (trace, trial, time), and how many estimates it averages.

    half_bandwidth [Hz]: of the Slepian tapers (Thomson 1982), as many as 2 T W - 1 of them. Estimates of one trial's
    different traces count once, since traces may be alike.
    """
    from scipy.signal.windows import dpss

    n = values.shape[2]
    product = max(half_bandwidth * n * step, 1.0)
    tapers = dpss(n, product, max(1, int(2 * product) - 1))
    frequency = np.fft.rfftfreq(n, step)
    power = np.zeros(len(frequency))
    for taper in tapers:
        power += (np.abs(np.fft.rfft(values * taper, axis=2)) ** 2).mean(axis=(0, 1))
    return frequency[1:], power[1:] * step / len(tapers), len(tapers) * values.shape[1]


def aperiodic(frequency: np.ndarray, power: np.ndarray) -> np.ndarray:
    """The background a / (k + f^chi) + c that fits a spectrum (frequency,): 1/f with a knee, and the spikes' floor.

    Fitted to the logarithms with a loss that a peak hardly moves, from several exponents.
    """
    from scipy.optimize import least_squares

    scale = np.exp(np.mean(np.log(power)))
    target = np.log(power / scale)

    def model(p: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(p[0]) / (np.exp(p[3]) + frequency ** p[1]) + np.exp(p[2]))

    fits = []
    for exponent in (0.5, 1.5, 3.0):
        start = np.array([exponent * np.log(np.median(frequency)), exponent, -1.0, 0.0])
        fits.append(
            least_squares(
                lambda p: np.log(model(p)) - target, start, loss="cauchy", f_scale=0.1,
                bounds=([-30.0, 0.0, -30.0, -30.0], [30.0, 4.0, 10.0, 12.0]),
            )
        )  # fmt: skip
    return model(min(fits, key=lambda fit: fit.cost).x) * scale


def highest_peak(frequency: np.ndarray, ratio: np.ndarray) -> int | None:
    """Index of the highest local maximum of ratio (frequency,) that is at neither end; None where there is none."""
    inner = np.flatnonzero((ratio[1:-1] > ratio[:-2]) & (ratio[1:-1] >= ratio[2:])) + 1
    return int(inner[np.argmax(ratio[inner])]) if len(inner) else None


def centre(frequency: np.ndarray, ratio: np.ndarray, k: int) -> float:
    """The frequency of a peak at index k: the centroid of what exceeds half of its height, next to it."""
    excess = ratio - 1 - (ratio[k] - 1) / 2
    low, high = k, k
    while low > 0 and excess[low - 1] > 0:
        low -= 1
    while high < len(ratio) - 1 and excess[high + 1] > 0:
        high += 1
    weight = np.maximum(excess[low : high + 1], 1e-12)
    return float(frequency[low : high + 1] @ weight / weight.sum())


def verdict(present: bool, frequency: float, confidence: float, notes: dict[str, object]) -> Finding:
    """The finding of an oscillation method."""
    estimate: dict[str, object] = {"present": bool(present)} | ({"frequency": float(frequency)} if present else {})
    return Finding(estimate, confidence=float(np.clip(confidence, 0.01, 0.99)), notes=notes)
