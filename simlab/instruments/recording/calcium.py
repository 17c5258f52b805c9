"""From spikes to the fluorescence of cells, sampled in the middle of each frame of a session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simlab.instruments.recording.indicators import Indicator

STEPS = 5
"""Steps per decay time of calcium, at least, that binding is followed in. Against forty times finer steps a spike's
transient is off by .04%, that of ten spikes at 83 Hz by 1%."""

SETTLED = 5.0
"""Time constants of the indicator over which the level that a recording starts from is taken."""

BLOCK = 2_000_000
"""Steps of the indicator (trials x steps x cells) that are computed at once."""

Spikes = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Columns trial, time [s] and cell."""


@dataclass(frozen=True)
class Frames:
    """When frames are taken: the microscope keeps scanning, and trials are laid end to end."""

    rate: float
    """Frames per second [Hz]."""

    n_trials: int
    duration: float
    """Of each trial [s]."""

    @property
    def n_frames(self) -> int:
        """Whole frames in a trial."""
        return int(self.duration * self.rate + 1e-6)

    @property
    def time(self) -> np.ndarray:
        """(frame,) the middle of each, from trial onset [s]."""
        return (np.arange(self.n_frames) + 0.5) / self.rate

    def halves(self, indicator: Indicator) -> int:
        """Steps per frame, an even number, that an indicator is followed in."""
        return 2 * max(1, int(np.ceil(STEPS / (2 * self.rate * indicator.kinetics.calcium_decay))))


def mixed(spikes: Spikes, mixing: np.ndarray, indicator: Indicator, frames: Frames) -> np.ndarray:
    """Noiseless dF/F (trial, frame, unit) of mixed cells, a block of them at a time so that memory stays bounded.

    mixing: (unit, cell) what each cell's dF/F adds to each unit's.
    """
    trial, time, cell = spikes
    n_cells = mixing.shape[1]
    signal = np.zeros((frames.n_trials, frames.n_frames, mixing.shape[0]), dtype=np.float32)
    size = max(1, BLOCK // (frames.n_trials * frames.n_frames * frames.halves(indicator)))
    for first in range(0, n_cells, size):
        last = min(first + size, n_cells)
        mine = (cell >= first) & (cell < last)
        seen = fluorescence((trial[mine], time[mine], cell[mine] - first), last - first, indicator, frames)
        signal += seen @ mixing[:, first:last].T.astype(np.float32)
    return signal


def fluorescence(spikes: Spikes, n_cells: int, indicator: Indicator, frames: Frames) -> np.ndarray:
    """Noiseless dF/F (trial, frame, cell) in the middle of each frame.

    Calcium is exact in time, whatever the frame rate: steps hold its mean. Calcium and indicator go on from one trial
    to the next; the first starts at the recording's mean level, so that no trace begins with an artificial onset.
    """
    decay, off_rate = indicator.kinetics.calcium_decay, indicator.kinetics.off_rate
    halves = frames.halves(indicator)
    interval = 1 / (halves * frames.rate)
    edges = _edges(interval, halves * frames.n_frames, frames.duration)
    level = np.bincount(spikes[2], minlength=n_cells) / (frames.n_trials * frames.duration) * decay
    calcium = [
        part * indicator.kinetics.step for part in _mean_calcium(spikes, n_cells, frames.n_trials, edges, decay, level)
    ]
    n_first = min(frames.n_trials, int(np.ceil(SETTLED / (off_rate * frames.duration))))
    first = np.concatenate(calcium[:n_first])
    state = indicator.follow(first, interval, indicator.bound(indicator.kinetics.step * level)).mean(axis=0)
    result = np.empty((frames.n_trials, frames.n_frames, n_cells), dtype=np.float32)
    for trial, part in enumerate(calcium):
        bound = indicator.follow(part, interval, state)
        result[trial] = indicator.brightness(bound[halves // 2 - 1 :: halves][: frames.n_frames])
        state = bound[-1]
    return result


def _edges(interval: float, n_steps: int, duration: float) -> np.ndarray:
    """Ends of the steps of a trial [s]; what is left of it after its last frame is rounded to whole steps."""
    left = max(0, round((duration - n_steps * interval) / interval))
    return interval * np.arange(1, n_steps + left + 1)


def _mean_calcium(
    spikes: Spikes, n_cells: int, n_trials: int, ends: np.ndarray, decay: float, level: np.ndarray
) -> list[np.ndarray]:
    """(step, cell) for each trial: the mean over each step of sum_k exp(-(t - t_k) / decay).

    A spike enters at its own time: S_end = S_begin exp(-h/decay) + sum exp(-(end - t_k)/decay), and the mean is what
    the decay of these sums leaves out, times decay / h.
    """
    from scipy.signal import lfilter

    trial, time, cell = spikes
    interval, n_steps = ends[0], len(ends)
    step = np.minimum((time / interval).astype(np.int64), n_steps - 1)
    late = np.exp(-np.maximum(ends[step] - time, 0) / decay)
    fade, found, state = np.exp(-interval / decay), [], level
    for k in range(n_trials):
        mine = trial == k
        flat = step[mine] * n_cells + cell[mine]
        count = np.bincount(flat, minlength=n_steps * n_cells).reshape(n_steps, n_cells)
        entering = np.bincount(flat, late[mine], n_steps * n_cells).reshape(n_steps, n_cells)
        end, _ = lfilter([1.0], [1.0, -fade], entering, axis=0, zi=fade * state[None, :])
        begin = np.concatenate([state[None, :], end[:-1]])
        found.append(decay / interval * (begin * (1 - fade) + count - entering))
        state = end[-1]
    return found
