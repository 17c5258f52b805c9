"""Receptive fields from how frames vary before spikes, beside their average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.coding._frames import NEEDS, Looked, looked, shifts, triggered
from methods.coding.spike_triggered_average import longer
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Repeats


@dataclass(frozen=True)
class SpikeTriggeredCovariance:
    """The average frame before a spike, and the directions along which frames before spikes vary most.

    Frames are projected off the average where there is one; eigenvectors of their covariance, weighted by spikes, are
    filters whose eigenvalue exceeds every first one after circular shifts of the spikes (Schwartz, Pillow, Rust &
    Simoncelli 2006, J Vis 6:484; suppressive directions are not looked for). Two filters at most. It asks for frames
    as likely in all directions: others are whitened first if `whiten`. Cost: a covariance and its eigenvalues per unit
    and shift, over the frames with spikes, in single precision; shifts end where one did as well as the data.
    """

    name: ClassVar[str] = "spike_triggered_covariance"
    question: ClassVar[str] = "receptive_field"
    family: ClassVar[str] = "reverse correlation"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    n_shifts: Repeats = 20  # above all of 20: p < .05
    whiten: bool = False

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's filters, or zeros."""
        found = looked(recording, self.needs)
        if isinstance(found, Finding):
            return found
        back = whitener(found.frames) if self.whiten else None
        frames = found.frames if back is None else found.frames @ back
        white = Looked(frames.astype(np.float32), found.counts)
        average = triggered(white)
        average[~longer(white, average, self.n_shifts, rng)] = 0.0
        filters = np.stack([self._of_unit(white, unit, average[unit], rng) for unit in range(len(average))], axis=1)
        first, second = filters if back is None else filters @ back  # of white frames w.(B s) is B'w of the frames s
        return Finding({"filter": first, "second_filter": second})

    def _of_unit(self, found: Looked, unit: int, average: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(2, feature)."""
        count = found.counts[:, unit]
        if not count.any():
            return np.zeros((2, len(average)))
        value, direction = np.linalg.eigh(_covariance(found.frames, count, average))
        first = [average] if average.any() else []
        beyond = min(2 - len(first), len(value))
        for shift in shifts(self.n_shifts, len(count), rng):
            null = _covariance(found.frames, np.roll(count, shift), average)
            while beyond and not _all_below(null, value[-beyond]):
                beyond -= 1
            if not beyond:
                break
        rows = [*first, *direction.T[::-1][:beyond], np.zeros_like(average), np.zeros_like(average)]
        return np.stack(rows[:2])


def _covariance(frames: np.ndarray, count: np.ndarray, average: np.ndarray) -> np.ndarray:
    """(feature, feature): frames' second moments, weighted by spikes, off the average."""
    fired = np.flatnonzero(count)
    seen = frames[fired]
    seen *= np.sqrt(count[fired] / count.sum(), dtype=frames.dtype)[:, None]
    moment = seen.T @ seen
    if not average.any():
        return np.asarray(moment)
    axis = average / np.linalg.norm(average)
    along = moment @ axis
    return np.asarray(moment - np.outer(axis, along) - np.outer(along, axis) + (axis @ along) * np.outer(axis, axis))


def _all_below(moment: np.ndarray, value: float) -> bool:
    """Whether all eigenvalues are below: a tenth of the work of computing them."""
    from scipy.linalg.lapack import spotrf

    return bool(spotrf(value * np.eye(len(moment), dtype=np.float32) - moment, overwrite_a=True)[1] == 0)


def whitener(frames: np.ndarray) -> np.ndarray:
    """(feature, feature), symmetric: frames times this are white; directions that hardly vary are left out."""
    value, direction = np.linalg.eigh(np.cov(frames.T))
    scale = np.where(value > 1e-6 * value[-1], 1 / np.sqrt(np.maximum(value, 1e-300)), 0.0)
    return np.asarray((direction * scale) @ direction.T)
