"""What detectors of ripples share: potentials ready for the library, its events as a finding, and refusals."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from simlab.contracts import Finding

if TYPE_CHECKING:
    import pandas as pd

SLOWEST = 600.0
"""Hz of sampling: below it the ripple band, 150 to 250 Hz, is hardly there."""

MADE_FOR = 1500.0
"""Hz that the library's own filter was made for."""

BAND = (150.0, 250.0)
"""Hz, of the library's own filter."""

MINUTE = 60.0

Detector = Callable[[np.ndarray, np.ndarray, np.ndarray, float], "pd.DataFrame"]
"""Times (sample,) [s], ripple-band potentials (sample, channel), speed (sample,) and sampling rate [Hz]."""


def sampling_rate(recording: xr.Dataset) -> float:
    """Hz, of the recording's signal."""
    time = recording["sample_time"].values
    return float((len(time) - 1) / (time[-1] - time[0])) if len(time) > 1 else 0.0


def refusal(recording: xr.Dataset) -> Finding | None:
    """Why no ripple can be looked for; None where it can."""
    rate = sampling_rate(recording)
    if rate < SLOWEST:
        return Finding.abstain(f"ripples of up to 250 Hz need {SLOWEST:g} samples per second, got {rate:g}")
    if not np.nanstd(recording["signal"].values) > 0:
        return Finding.abstain("the potential never changes")
    return None


def ripple_band(recording: xr.Dataset) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Of each trial: times [s], potentials (sample, channel) of 150 to 250 Hz, sampling rate [Hz]."""
    from ripple_detection import filter_ripple_band
    from scipy.signal import butter, sosfiltfilt

    rate, time = sampling_rate(recording), recording["sample_time"].values
    for potential in recording["signal"].values.astype(float):
        if abs(rate - MADE_FOR) < 1:
            yield time, filter_ripple_band(potential), rate
        else:
            # the library's filter for other rates calls SciPy in a way that it no longer takes (1.7.1)
            sections = butter(6, BAND, btype="bandpass", fs=rate, output="sos")
            yield time, sosfiltfilt(sections, potential, axis=0), rate


def detected(recording: xr.Dataset, detector: Detector) -> Finding:
    """The middles of what the library's detector finds in each trial, at rest throughout."""
    reason = refusal(recording)
    if reason is not None:
        return reason
    found: list[tuple[int, float]] = []
    for trial, (time, band, rate) in enumerate(ripple_band(recording)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of filters and of trials without an event
            events = detector(time, band, np.zeros(len(time)), rate)
        found += [(trial, middle) for middle in middles(events)]
    return stated(recording, found)


def beyond_threshold(recording: xr.Dataset, function: str, threshold: float, shortest: float) -> Finding:
    """What one of the library's functions finds above so many standard deviations, for at least so long [s]."""
    import ripple_detection

    detector = getattr(ripple_detection, function)
    return detected(recording, partial(detector, zscore_threshold=threshold, minimum_duration=shortest))


def middles(events: pd.DataFrame) -> list[float]:
    """s, of each row of the library's table."""
    return ((events["start_time"] + events["end_time"]) / 2).tolist() if len(events) else []


def stated(recording: xr.Dataset, found: list[tuple[int, float]]) -> Finding:
    """(trial, time [s]) of events as an answer to `events`."""
    minutes = recording.sizes["trial"] * float(recording.attrs["duration"]) / MINUTE
    trial, time = np.array([t for t, _ in found], dtype=int), np.array([s for _, s in found], dtype=float)
    return Finding({"rate": len(found) / minutes, "event_trial": trial, "event_time": time})
