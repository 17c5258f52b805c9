"""Trials laid end to end on one clock, with a gap between them, and back: how other formats keep time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

GAP = 1.0
"""Seconds between the end of one trial and the start of the next: it keeps an event at a trial's end in its trial."""

TOLERANCE = 1e-6
"""Seconds by which rounding may carry an event over the edge of its trial."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """`onset` (trial,) [s] of trials of equal `duration` [s], ascending."""

    onset: np.ndarray
    duration: float

    @classmethod
    def of(cls, recording: xr.Dataset) -> Timeline:
        """Trials of a Recording, in order, `GAP` apart."""
        duration = float(recording.attrs["duration"])
        return cls(np.arange(recording.sizes["trial"]) * (duration + GAP), duration)

    def to_session(self, trial: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Session times [s] of `time` [s from trial onset] in each `trial`; broadcasts."""
        return self.onset[trial] + time

    def samples(self, time: np.ndarray) -> np.ndarray:
        """Session times (trial x time,) [s] of samples that every trial has at `time` (time,) [s]."""
        return (self.onset[:, None] + time[None, :]).ravel()

    def to_trials(self, session_time: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each session time [s]: its trial, its time in that trial [s], and whether it lies in a trial at all."""
        trial = np.clip(np.searchsorted(self.onset, session_time + TOLERANCE, side="right") - 1, 0, None)
        time = session_time - self.onset[trial]
        inside = (time >= -TOLERANCE) & (time <= self.duration + TOLERANCE)
        return trial, np.clip(time, 0.0, self.duration), inside

    def fold(self, samples: np.ndarray, session_time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Samples (trial x time, ...) as (trial, time, ...), and `time` [s]; every trial has as many of them."""
        per_trial = len(session_time) // len(self.onset)
        shaped = np.asarray(samples).reshape(len(self.onset), per_trial, *np.shape(samples)[1:])
        return shaped, session_time[:per_trial] - self.onset[0]


def regular_rate(times: np.ndarray) -> float | None:
    """Sampling rate [Hz] of evenly spaced times [s]; None if they are not, or too few to tell."""
    if len(times) < 2:
        return None
    steps = np.diff(times)
    mean = float(steps.mean())
    return 1 / mean if mean > 0 and np.abs(steps - mean).max() < 1e-7 else None
