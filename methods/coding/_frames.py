"""Frames and counts: what reverse correlation starts from, and shifts that break the link between them."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import bin_signal, bin_spikes, is_spiking, missing

NEEDS = Needs(("spikes", "rate"), stimulus=True, seconds=10.0)
"""What reverse correlation cannot do without. Rates: those that a model of the cells states (`flexible_predictor`)."""

LEAST_FRAMES = 100
"""Seen, with what followed."""

MOST_VALUES = 3e8
"""Frames times features: what fills 2.4 GB."""


MOSTLY_SILENT = 0.02
"""Share of frames with spikes below which a product with these alone is faster than one with all."""


class Looked(NamedTuple):
    """Frames and what followed in each."""

    frames: np.ndarray  # (frame, feature), of mean 0
    counts: np.ndarray  # (frame, unit), of spikes; expected ones where rates are given; 0 for a unit that never changes


def looked(recording: xr.Dataset, needs: Needs = NEEDS) -> Looked | Finding:
    """Frames laid end to end, and counts in each; an abstention where there is too little of either."""
    if reason := missing(recording, needs):
        return Finding.abstain(reason)
    shape = recording["stimulus"].shape
    if shape[1] < 2 or np.prod(shape) > MOST_VALUES:
        return Finding.abstain(f"{shape[1]} frames in a trial, of {shape[2]} features, cannot be used")
    frames, counts = (part.reshape(-1, part.shape[2]) for part in laid_out(recording))
    seen = np.isfinite(frames).all(axis=1) & np.isfinite(counts).all(axis=1)
    frames = frames[seen]
    if len(frames) < LEAST_FRAMES:
        return Finding.abstain(f"{len(frames)} frames are too few to correlate with: it takes {LEAST_FRAMES}")
    if not np.ptp(frames, axis=0).any():
        return Finding.abstain(f"all {len(frames)} frames are the same: there is nothing to correlate with")
    frames = frames - frames.mean(axis=0)
    return Looked(frames, np.where(np.ptp(counts[seen], axis=0) > 0, counts[seen], 0.0))


def interval(recording: xr.Dataset) -> float:
    """For how long each frame is shown [s]."""
    return float(np.diff(recording["time"].values).mean())


def laid_out(recording: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """(trial, frame, feature) frames as they were shown and (trial, frame, unit) what followed."""
    shown, counts = recording["stimulus"].values, followed(recording, interval(recording))
    number = min(counts.shape[1], shown.shape[1])
    return shown[:, :number], counts[:, :number]


def followed(recording: xr.Dataset, length: float) -> np.ndarray:
    """(trial, frame, unit): spikes in each frame of `length` [s], or how many the rates there let one expect."""
    if is_spiking(recording):
        return np.asarray(bin_spikes(recording, length).values)
    return length * bin_signal(recording, length)


def triggered(found: Looked) -> np.ndarray:
    """(unit, feature): the average frame in which a unit fired; zero for a silent unit."""
    from scipy.sparse import csr_array

    counts, spikes = found.counts.T, found.counts.sum(axis=0)[:, None]
    if np.count_nonzero(counts) < MOSTLY_SILENT * counts.size:
        counts = csr_array(counts)
    return np.asarray(counts @ found.frames / np.maximum(spikes, 1))


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


def places(recording: xr.Dataset) -> np.ndarray:
    """(feature, axis): where each feature stands, by the whole numbers in its name (row 3, column 5).

    Features whose names hold no numbers, or not all as many, stand in a line in their order.
    """
    told = [[int(number) for number in re.findall(r"\d+", str(name))] for name in recording["feature"].values]
    if len({len(place) for place in told}) != 1 or not told[0]:
        return np.arange(len(told), dtype=float)[:, None]
    return np.array(told, dtype=float)
