"""Frames of one's own: what a method that experiments shows to cells, within its budget, and how they answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from simlab.contracts import Finding, Needs, Rig
from simlab.data import bin_spikes, missing
from simlab.rules import Within
from simlab.session import Session, Stimulus

NEEDS = Needs(("spikes",), stimulus=True)
"""What such a method needs of what it records."""

Length = Annotated[float, Within(0.1, 1000.0, "s")]
"""Of a trial."""

NAMES = ("filter", "second_filter")

MOST_VALUES = 200_000
"""Frames x features of one session: what a rig says to a process of its own is 16 MB long at most."""

LEAST_FEATURES = 4
"""Fewer do not make a picture."""


@dataclass(frozen=True)
class Screen:
    """Where frames are shown: at a rig whose natural task shows some.

    features, interval [s]: of that task. contrast: the length of its frames, on average, that all of one's own have.
    """

    rig: Rig
    features: tuple[str, ...]
    interval: float
    contrast: float
    duration: float  # s of a trial
    n_units: int

    @classmethod
    def at(cls, rig: Rig, duration: float) -> Screen | Finding:
        """The screen at this rig; an abstention where its task shows no frames. Costs nothing."""
        if rig.remaining.trials < 1 or rig.remaining.seconds < duration:
            return Finding.abstain(f"the budget does not buy one trial of {duration:g} s: {rig.remaining}")
        shown = rig.session(trials=1, duration=duration).stimulus
        if shown is None or len(shown.features) < LEAST_FEATURES or shown.interval > duration:
            return Finding.abstain("this task shows no frames that could be made otherwise")
        length = np.linalg.norm(np.nan_to_num(shown.values[0]), axis=1)
        contrast = float(np.sqrt((length**2).mean()))
        if contrast == 0:
            return Finding.abstain("this task shows nothing but darkness")
        return cls(rig, shown.features, shown.interval, contrast, duration, rig.units.sizes["unit"])

    @property
    def per_trial(self) -> int:
        """Frames that a trial has room for."""
        return max(int(self.duration / self.interval + 1e-6), 1)

    def affordable(self, most: int) -> int:
        """Frames that the budget still buys, `most` at most, in whole trials."""
        left = self.rig.remaining
        trials = min(left.trials, (left.seconds + 1e-9) // self.duration, most // self.per_trial)
        return int(trials) * self.per_trial

    def natural(self, n_frames: int) -> tuple[np.ndarray, np.ndarray] | Finding:
        """Frames (frame, feature) of the rig's own task, and the counts (frame, unit) in each."""
        shown, seen = [], []
        for number in self._sessions(n_frames // self.per_trial):
            session = self.rig.session(trials=number, duration=self.duration)
            counts = self._recorded(session)
            if isinstance(counts, Finding) or session.stimulus is None:
                return counts if isinstance(counts, Finding) else Finding.abstain("this task shows frames no more")
            frames = np.nan_to_num(session.stimulus.values[:, : self.per_trial])
            shown.append(frames.reshape(-1, len(self.features)))
            seen.append(counts)
        return np.concatenate(shown), np.concatenate(seen)

    def answers(self, frames: np.ndarray) -> np.ndarray | Finding:
        """(frame, unit) counts in frames (frame, feature) of any length, each made as long as `contrast`.

        The last trial is filled up with the first frames, whose second counts are not returned.
        """
        n_trials = -(-len(frames) // self.per_trial)
        filled = np.resize(self.contrast * unit(frames), (n_trials * self.per_trial, frames.shape[1]))
        values, seen, first = filled.reshape(n_trials, self.per_trial, -1), [], 0
        for number in self._sessions(n_trials):
            session = self.rig.session(trials=number, duration=self.duration)
            stimulus = Stimulus(self.features, values[first : first + number], self.interval)
            counts = self._recorded(replace(session, stimulus=stimulus))
            if isinstance(counts, Finding):
                return counts
            seen.append(counts)
            first += number
        return np.concatenate(seen)[: len(frames)]

    def _sessions(self, n_trials: int) -> list[int]:
        """So many trials in sessions of at most `MOST_VALUES`."""
        most = max(MOST_VALUES // (self.per_trial * len(self.features)), 1)
        return [min(most, n_trials - first) for first in range(0, n_trials, most)]

    def _recorded(self, session: Session) -> np.ndarray | Finding:
        recording = self.rig.record(session)
        if reason := missing(recording, NEEDS):
            return Finding.abstain(reason)
        counts = bin_spikes(recording, self.interval).values[:, : self.per_trial]
        return counts.reshape(-1, counts.shape[2]).astype(float)


def unit(frames: np.ndarray) -> np.ndarray:
    """Frames (..., feature) of length 1; one that is nothing stays so."""
    length = np.linalg.norm(frames, axis=-1, keepdims=True)
    return np.asarray(frames / np.where(length > 0, length, 1.0))


def own(screen: Screen, frames: np.ndarray, rng: np.random.Generator) -> np.ndarray | Finding:
    """(unit, frame) counts of each unit in frames of its own (unit, frame, feature), shown in random order."""
    n_units, number, _ = frames.shape
    order = rng.permutation(n_units * number)
    counts = screen.answers(frames.reshape(n_units * number, -1)[order])
    if isinstance(counts, Finding):
        return counts
    placed = np.empty_like(counts)
    placed[order] = counts
    every = np.arange(n_units)
    return placed.reshape(n_units, number, n_units)[every, :, every]


def driven(screen: Screen, found: np.ndarray, repeats: int, rng: np.random.Generator) -> np.ndarray | Finding:
    """(unit, 3): mean counts in each one's own frame of those found (unit, feature), in noise of the same length, and
    how many standard errors the first exceeds the second by (Welch). Costs 2 x unit x repeats frames."""
    noise = rng.standard_normal((len(found), repeats, found.shape[1]))
    counts = own(screen, np.concatenate([np.repeat(found[:, None], repeats, axis=1), noise], axis=1), rng)
    if isinstance(counts, Finding):
        return counts
    this, other = counts[:, :repeats], counts[:, repeats:]
    error = np.sqrt((this.var(axis=1, ddof=1) + other.var(axis=1, ddof=1)) / repeats)
    above = this.mean(axis=1) - other.mean(axis=1)
    z = np.divide(above, error, out=np.zeros_like(above), where=error > 0)
    return np.column_stack([this.mean(axis=1), other.mean(axis=1), z])


def borne_out(tests: np.ndarray, least_z: float, least_second: float) -> np.ndarray:
    """(filter, unit) bool: whose own frame drives it beyond noise by `least_z` errors in tests (filter, unit, 3), and,
    for a second one, at least `least_second` as much as its first."""
    beyond = tests[..., 2] > least_z
    more = np.maximum(tests[..., 0] - tests[..., 1], 0.0)
    return np.asarray(beyond & (more >= least_second * more[:1]))
