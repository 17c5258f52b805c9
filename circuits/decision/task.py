"""The task of the decision circuits, one and the same for all of them: which side does the evidence favour?

From `ONSET` on (a fifth of trials shorter than a second) the evidence is shown at one of a few strengths, to either
side, until the trial's end; before that nothing is (NaN). It is a number, the signed coherence, that stays the same
through a trial: what fluctuates is the animal's own noise.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from simlab.rules import Within
from simlab.session import Session, Stimulus

ONSET = 0.2
"""Share of a trial before the evidence, and the longest pause [s]."""

FRAME = 0.05
"""s, for how long one sample of the stimulus stands."""

TISSUE = 300e-6
"""Edge [m] of the cube in which the neurons lie at random: a column and its neighbours."""

Coherence = Annotated[float, Within(0, 5)]
Coherences = tuple[Coherence, Coherence, Coherence]
"""Strengths of the evidence (moving dots: 0.03 to 0.5; Roitman & Shadlen 2002, J Neurosci 22:9475)."""


def signed(coherences: Coherences) -> np.ndarray:
    """(condition,) negative to the left: every strength to either side."""
    strengths = np.asarray(coherences, dtype=float)
    return np.concatenate([-strengths[::-1], strengths])


def onset(duration: float) -> float:
    """When the evidence begins [s] in trials of this length, at the edge of a frame."""
    width = frame(duration)
    return float(np.floor(min(ONSET, ONSET * duration) / width + 1e-9) * width)


def frame(duration: float) -> float:
    """The length [s] of a frame in trials of this length: about `FRAME`, and a fifth of short trials at most."""
    return duration / max(5, round(duration / FRAME))


def session(coherences: Coherences, trials: int, duration: float, rng: np.random.Generator) -> Session:
    """Every signed coherence as often as any other, in a random order; `condition` is its number."""
    levels, width = signed(coherences), frame(duration)
    condition = rng.permutation(np.arange(trials) % len(levels))
    starts = np.arange(round(duration / width)) * width
    shown = np.where(starts < onset(duration) - 1e-9, np.nan, levels[condition][:, None])
    return Session(trials, duration, Stimulus(("evidence",), shown[:, :, None], width), tuple(condition.tolist()))


def evidence(session: Session, times: np.ndarray) -> np.ndarray:
    """(trial, time) the signed coherence shown at these times [s]; NaN where none is."""
    if session.stimulus is None:
        return np.full((session.trials, len(times)), np.nan)
    values, width = session.stimulus.values[:, :, 0], session.stimulus.interval
    step = np.minimum((np.asarray(times) / width + 1e-9).astype(int), values.shape[1] - 1)
    return values[:, step]


def right_side(session: Session) -> np.ndarray:
    """(trial,) the side that is right, -1 or 1: that of the evidence; 1 where none was shown."""
    if session.stimulus is None:
        return np.ones(session.trials)
    return np.where(np.nansum(session.stimulus.values[:, :, 0], axis=1) < 0, -1.0, 1.0)
