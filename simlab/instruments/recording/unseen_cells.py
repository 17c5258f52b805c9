"""What neurons that a circuit does not simulate add to an image: neuropil, and cells that are not told from a unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simlab.instruments.recording.calcium import Frames, fluorescence, mixed
from simlab.instruments.recording.indicators import Indicator

SOMA = 6e-6
"""Radius of a soma [m]: 10 to 15 um across in mouse cortex (assumed)."""

REACH = 3.0
"""Standard deviations of depth up to which a cell may add to a region of interest; beyond, less than 1.2% of it."""

RATE_SPREAD = 1.0
"""Standard deviation of the log of cortical firing rates [1]: about 1 (Buzsaki & Mizuseki 2014, from memory)."""


@dataclass(frozen=True, eq=False)
class Neuropil:
    """The neuropil of cells that are not simulated, around each unit.

    A unit's neuropil is a mean of cells' dF/F, weighted as w = exp(-d^2 / (2 R^2)); in tissue of density D these are
    D (2 pi)^(3/2) R^3 cells' worth, of which the simulated ones are a few and the share `share` (unit,) others. If
    these fire r times a second and any two correlate by c, their part has the mean share r int f dt and the covariance

        r int f^2 dt [c s_i s_j + (1 - c) sqrt(s_i s_j) exp(-d_ij^2 / (4 R^2)) / (D (4 pi)^(3/2) R^3)]

    between units i and j, f being a spike's transient (Campbell's theorem; many cells, hence Gaussian).
    """

    share: np.ndarray
    """(unit,) of each unit's neuropil that comes from them."""

    spread: np.ndarray
    """(unit, unit) a square root of the bracket above."""

    def fluorescence(self, indicator: Indicator, frames: Frames, rate: float, rng: np.random.Generator) -> np.ndarray:
        """dF/F (trial, frame, unit) of cells of a mean rate [Hz]."""
        from scipy.signal import fftconvolve

        transient = _transient(indicator, frames.rate)
        mean = rate * transient.sum() / frames.rate
        n_samples = frames.n_trials * frames.n_frames
        white = rng.standard_normal((n_samples + len(transient) - 1, len(self.share))) @ self.spread.T
        moving = fftconvolve(white, np.sqrt(rate / frames.rate) * transient[:, None], "valid", axes=0)
        shape = (frames.n_trials, frames.n_frames, len(self.share))
        return (self.share * mean + moving).reshape(shape).astype(np.float32)


def neuropil_of(place: np.ndarray, chosen: np.ndarray, radius: float, density: float, correlation: float) -> Neuropil:
    """The neuropil around the imaged neurons `chosen` (unit,) among neurons at `place` (neuron, 3) [m]."""
    squared = ((place[chosen, None, :] - place[None, :, :]) ** 2).sum(axis=2)
    simulated = np.exp(-squared / (2 * radius**2)).sum(axis=1) - 1
    share = np.clip(1 - simulated / (density * (2 * np.pi) ** 1.5 * radius**3), 0, 1)
    effective = density * (4 * np.pi) ** 1.5 * radius**3
    common = correlation * np.outer(share, share)
    near = np.sqrt(np.outer(share, share)) * np.exp(-squared[:, chosen] / (4 * radius**2)) / effective
    value, vector = np.linalg.eigh(common + (1 - correlation) * near)
    return Neuropil(share, vector * np.sqrt(np.maximum(value, 0)))


def _transient(indicator: Indicator, frame_rate: float) -> np.ndarray:
    """(frame,) dF/F of one spike at the middle of frames, from the frame in whose middle it falls, until it is gone."""
    length = indicator.time_to_peak + 10 * indicator.half_decay
    frames = Frames(frame_rate, 1, max(length, 2 / frame_rate))
    spike = (np.zeros(1, int), np.full(1, 0.5 / frame_rate), np.zeros(1, int))
    alone = fluorescence(spike, 1, indicator, frames)[0, :, 0]
    nothing = (np.zeros(0, int), np.zeros(0), np.zeros(0, int))
    return np.asarray(alone - fluorescence(nothing, 1, indicator, frames)[0, :, 0], dtype=float)


@dataclass(frozen=True, eq=False)
class UnresolvedCells:
    """Cells above and below imaged somata that add to their regions of interest, and that no one sees apart."""

    unit: np.ndarray
    """(cell,) the unit that each adds to."""

    weight: np.ndarray
    """(cell,) what its dF/F adds to the unit's."""

    rate: np.ndarray
    """(cell,) [Hz]."""

    n_units: int

    def totals(self) -> np.ndarray:
        """(unit,) the sum of the weights."""
        return np.bincount(self.unit, self.weight, self.n_units)

    def fluorescence(self, indicator: Indicator, frames: Frames, rng: np.random.Generator) -> np.ndarray:
        """What these cells add (trial, frame, unit), each an independent Poisson process."""
        counts = rng.poisson(self.rate * frames.duration, (frames.n_trials, len(self.rate)))
        trial, cell = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
        mixing = np.zeros((self.n_units, len(self.unit)))
        mixing[self.unit, np.arange(len(self.unit))] = self.weight
        return mixed((trial, rng.uniform(0, frames.duration, len(trial)), cell), mixing, indicator, frames)


def unresolved_around(
    n_units: int, axial_spread: float, density: float, rate: float, rng: np.random.Generator
) -> UnresolvedCells:
    """Cells at random around each unit's soma, none nearer than two radii; of lognormal rates with this mean [Hz].

    A cell's weight is the part of the unit's outline that its own covers, times exp(-z^2 / (2 axial_spread^2)).
    """
    depth = REACH * axial_spread
    count = rng.poisson(density * np.pi * (2 * SOMA) ** 2 * 2 * depth, n_units)
    unit = np.repeat(np.arange(n_units), count)
    lateral = 2 * SOMA * np.sqrt(rng.random(len(unit)))
    z = rng.uniform(-depth, depth, len(unit))
    weight = overlap(lateral / (2 * SOMA)) * np.exp(-(z**2) / (2 * axial_spread**2))
    rates = lognormal_rates(rate, len(unit), rng)
    apart = lateral**2 + z**2 >= (2 * SOMA) ** 2
    return UnresolvedCells(unit[apart], weight[apart], rates[apart], n_units)


def overlap(distance: np.ndarray) -> np.ndarray:
    """Share of a disc that an equal one covers whose centre is `distance` diameters away."""
    near = np.clip(distance, 0, 1)
    return 2 / np.pi * (np.arccos(near) - near * np.sqrt(1 - near**2))


def lognormal_rates(mean: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Rates [Hz] of cortical neurons with this mean (count,)."""
    return mean * np.exp(RATE_SPREAD * rng.standard_normal(count) - RATE_SPREAD**2 / 2)
