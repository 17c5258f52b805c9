"""Frames and counts: what reverse correlation starts from, and shifts that break the link between them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import bin_spikes, missing

NEEDS = Needs(("spikes",), stimulus=True, seconds=10.0)
"""What reverse correlation cannot do without."""

MOST_VALUES = 3e8
"""Frames times features: what fills 2.4 GB."""


class Looked(NamedTuple):
    """Frames and what followed in each."""

    frames: np.ndarray  # (frame, feature), of mean 0
    counts: np.ndarray  # (frame, unit)


def looked(recording: xr.Dataset, needs: Needs = NEEDS) -> Looked | Finding:
    """Frames laid end to end, and counts in each; an abstention where there is too little of either."""
    if reason := missing(recording, needs):
        return Finding.abstain(reason)
    time, shown = recording["time"].values, recording["stimulus"].values
    if len(time) < 2 or shown.size > MOST_VALUES:
        return Finding.abstain(f"{len(time)} frames in a trial, of {shown.shape[2]} features, cannot be used")
    counts = bin_spikes(recording, float(np.diff(time).mean())).values
    number = min(counts.shape[1], shown.shape[1])
    frames, counts = (part[:, :number].reshape(-1, part.shape[2]) for part in (shown, counts))
    seen = np.isfinite(frames).all(axis=1) & np.isfinite(counts).all(axis=1)
    frames = frames[seen] - frames[seen].mean(axis=0)
    if len(frames) < 100 or not (frames.std(axis=0) > 0).any():
        return Finding.abstain(f"{len(frames)} frames that differ are too few to correlate with")
    return Looked(frames, counts[seen].astype(float))


def triggered(found: Looked) -> np.ndarray:
    """(unit, feature): the average frame in which a unit fired; zero for a silent unit."""
    from scipy.sparse import csr_array

    spikes = found.counts.sum(axis=0)[:, None]
    return np.asarray(csr_array(found.counts.T) @ found.frames / np.maximum(spikes, 1))


def shifts(number: int, n_frames: int, rng: np.random.Generator) -> np.ndarray:
    """(shift,): by how many frames counts are turned against frames; never by few."""
    least = max(n_frames // 20, 1)
    return rng.integers(least, n_frames - least + 1, number)


def foretold(found: Looked, predict: np.ndarray, least_z: float) -> np.ndarray:
    """(unit,) bool: whether held-out predictions (frame, unit) correlate with counts beyond so many standard errors."""
    said, true = (part - part.mean(axis=0) for part in (predict, found.counts))
    norm = np.sqrt((said**2).sum(axis=0) * (true**2).sum(axis=0))
    r = np.divide((said * true).sum(axis=0), norm, out=np.zeros(said.shape[1]), where=norm > 0)
    return np.asarray(r * np.sqrt(len(true)) > least_z)


def folds(n_frames: int, number: int) -> np.ndarray:
    """(frame,): the fold of each, in blocks of neighbours."""
    return np.minimum(np.arange(n_frames) * number // n_frames, number - 1)
