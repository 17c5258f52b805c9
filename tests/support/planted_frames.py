"""Rigs on cells whose counts are planted: what each fires to a frame is computed, and nothing is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from simlab.contracts import Budget
from simlab.data import recording
from simlab.lab.rig import Rig, Setup, mounted
from simlab.session import Session, Stimulus

INTERVAL = 0.1
FEATURES = tuple(f"pixel {k}" for k in range(9))


def white(trials: int, frames: int, rng: np.random.Generator) -> np.ndarray:
    """(trial, frame, feature) noise."""
    return rng.standard_normal((trials, frames, len(FEATURES)))


def half_linear(*filters: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """frames -> counts of units that fire ten times what their filters make of a frame, or not at all."""
    return lambda frames: np.round(10 * np.maximum(frames @ np.array(filters).T, 0)).astype(int)


def always(count: int, units: int = 2) -> Callable[[np.ndarray], np.ndarray]:
    """frames -> counts of units that fire so often whatever is shown."""
    return lambda frames: np.full((*frames.shape[:2], units), count)


@dataclass
class Planted:
    """fires: frames (trial, frame, feature) -> counts (trial, frame, unit); task: what is shown of itself.

    signal: whether a trace is recorded, with gaps, in place of spikes. sessions: those that were recorded.
    """

    fires: Callable[[np.ndarray], np.ndarray]
    task: Callable[[int, int, np.random.Generator], np.ndarray] | None = white
    features: tuple[str, ...] = FEATURES
    interval: float = INTERVAL
    units: int = 2
    signal: bool = False
    sessions: list[Session] = field(default_factory=list)

    def propose(self, trials: int, duration: float) -> Session:
        """The natural task."""
        if self.task is None:
            return Session(trials, duration)
        number = max(round(duration / self.interval), 1)
        values = self.task(trials, number, np.random.default_rng([len(self.sessions), 5]))
        return Session(trials, duration, Stimulus(self.features, values, self.interval))

    def run(self, session: Session) -> xr.Dataset:
        """The recording: spikes evenly spread over the middle of each frame."""
        self.sessions.append(session)
        frames = np.nan_to_num(session.stimulus.values)
        known = {"duration": session.duration, "n_units": self.units, "n_trials": session.trials}
        shown = {"stimulus": session.stimulus.values, "time": np.arange(frames.shape[1]) * self.interval}
        names = {"feature": ("feature", np.array(self.features))}
        if self.signal:
            trace = np.where(np.arange(10)[None, :, None] % 3 == 0, np.nan, np.ones((session.trials, 10, self.units)))
            at = np.arange(10) * session.duration / 10
            return recording(**known, **shown, names=names, signal=trace, modality="fluorescence", sample_time=at)
        counts = self.fires(frames)
        trial, frame, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
        number = np.concatenate([np.arange(n) for n in counts.ravel()])
        when = (frame + 0.1 + 0.8 * number / (counts.max() + 1)) * self.interval
        return recording(**known, **shown, names=names, spikes=(trial, when, unit))

    @contextmanager
    def rig(self, budget: Budget) -> Iterator[Rig]:
        """A rig on it, whose stimulator nobody uses."""
        units = xr.Dataset({}, {"unit": np.arange(self.units)})
        with mounted(Setup(self.propose, self.run, None, self.units), units, budget, {}) as rig:
            yield rig
