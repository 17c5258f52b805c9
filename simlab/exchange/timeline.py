"""Trials on one clock and back: how other formats keep time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import durations

GAP = 1.0
"""Seconds between the end of one trial and the start of the next where the recording has no clock of its own: it keeps
an event at a trial's end in its trial."""

TOLERANCE = 2e-6
"""Seconds by which rounding may carry an event over the edge of its trial, or make one trial longer than another."""

SNAP = 1e-8
"""Seconds before a trial's onset within which an event belongs to it: the rounding of a clock, below any resolution."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """`onset` (trial,) and `duration` (trial,) [s] of trials that do not overlap, by ascending onset.

    Of two trials of which one begins as the other ends, an event at that moment belongs to the later one.
    """

    onset: np.ndarray
    duration: np.ndarray

    @classmethod
    def of(cls, recording: xr.Dataset) -> Timeline:
        """A Recording's trials where its clock has them, else in order, `GAP` apart."""
        length = durations(recording)
        if "trial_start" in recording:
            return cls.checked(recording["trial_start"].values.astype(float), length)
        return cls(np.cumsum(length + GAP) - length - GAP, length)

    @classmethod
    def checked(cls, onset: np.ndarray, duration: np.ndarray) -> Timeline:
        """Trials of a clock; raises SimlabError where they are out of order or overlap."""
        late = np.flatnonzero(onset[1:] < (onset + duration)[:-1] - TOLERANCE)
        if len(late):
            k = late[0]
            raise SimlabError(
                f"trials must follow one another, got trial {k} from {onset[k]:g} to {onset[k] + duration[k]:g} s and "
                f"trial {k + 1} from {onset[k + 1]:g} s: put them in order, and cut or leave out those that overlap"
            )
        return cls(onset, _even(duration))

    @property
    def unbroken(self) -> bool:
        """Whether each trial begins as the one before it ends."""
        return bool((np.diff(self.onset) <= self.duration[:-1] + TOLERANCE).all())

    def to_session(self, trial: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Session times [s] of `time` [s from trial onset] in each `trial`; broadcasts."""
        return self.onset[trial] + time

    def unfold(self, values: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Samples (trial, time, ...) at `time` (time,) [s] of each trial as (sample, ...), with session times [s].

        Those beyond their trial's end, or that the next trial begins with, are left out.
        """
        end = np.append(np.minimum(self.duration[:-1], np.diff(self.onset) - 2 * SNAP), self.duration[-1])
        held = time[None, :] <= end[:, None] + SNAP / 2
        return np.asarray(values)[held], (self.onset[:, None] + time[None, :])[held]

    def to_trials(self, session_time: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each session time [s]: its trial, its time in that trial [s], and whether it lies in a trial at all."""
        last = len(self.onset) - 1
        trial = np.clip(np.searchsorted(self.onset, session_time + SNAP, side="right") - 1, 0, last)
        after = np.minimum(trial + 1, last)
        past = session_time > self.onset[trial] + self.duration[trial] + TOLERANCE
        trial = np.where(past & (session_time >= self.onset[after] - TOLERANCE), after, trial)
        time = session_time - self.onset[trial]
        inside = (time >= -TOLERANCE) & (time <= self.duration[trial] + TOLERANCE)
        return trial, np.clip(time, 0.0, self.duration[trial]), inside

    def fold(self, values: np.ndarray, session_time: np.ndarray) -> Folded:
        """Samples (sample, ...) at session times [s], ascending, as (trial, sample, ...); see `Folded`.

        Trials of one length get as many samples as the one that has the fewest; where lengths differ, the longest
        trial's, with NaN beyond the others' ends. Raises SimlabError where a trial has no sample.
        """
        trial, _, inside = self.to_trials(session_time)
        trial, clock = trial[inside], (session_time - self.onset[trial])[inside]
        counts = np.bincount(trial, minlength=len(self.onset))
        if counts.min() == 0:
            raise SimlabError(
                f"no sample lies in {int((counts == 0).sum())} of {len(counts)} trials: leave those trials out, or put "
                "samples and trials on one clock"
            )
        rank = np.arange(len(trial)) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = rank < (counts.min() if np.ptp(self.duration) == 0 else counts.max())
        trial, rank, clock, values = trial[kept], rank[kept], clock[kept], np.asarray(values)[inside][kept]
        n_samples = int(rank.max()) + 1
        time = clock[trial == np.bincount(trial).argmax()]
        shape = (len(self.onset), n_samples, *values.shape[1:])
        full = len(values) == shape[0] * n_samples
        folded = np.empty(shape, values.dtype) if full else np.full(shape, np.nan, np.result_type(values, np.float32))
        folded[trial, rank] = values
        off = float(np.abs(clock - time[rank]).max())
        return Folded(folded, np.maximum(time, 0.0), int((~inside).sum()), int((~kept).sum()), off)


@dataclass(frozen=True, eq=False)
class Folded:
    """`values` (trial, sample, ...) at `time` (sample,) [s from trial onset].

    outside: samples that lay in no trial. cut: those left out so that trials of one length have as many samples.
    off: by how much the samples of some trial stray from `time` [s].
    """

    values: np.ndarray
    time: np.ndarray
    outside: int
    cut: int
    off: float


def _even(duration: np.ndarray) -> np.ndarray:
    """Durations [s] without the rounding of a clock, so that trials of one length have one."""
    if np.ptp(duration) < TOLERANCE:
        return np.full(len(duration), np.round(duration.mean(), 9))
    return np.round(duration, 9)


def regular_rate(times: np.ndarray) -> float | None:
    """Sampling rate [Hz] of evenly spaced times [s]; None if they are not, or too few to tell."""
    if len(times) < 2:
        return None
    step = float(times[-1] - times[0]) / (len(times) - 1)
    return 1 / step if step > 0 and np.abs(times - times[0] - step * np.arange(len(times))).max() < 1e-9 else None


def same_clock(one: np.ndarray | None, other: np.ndarray) -> bool:
    """Whether two series were sampled at the same times [s]; True where there is no first one."""
    return one is None or (one.shape == other.shape and bool(np.allclose(one, other, atol=TOLERANCE)))
