"""Grid cells by three waves at 60 degrees in the Fourier spectrum of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.patterns._foraged import NEEDS, Bins, Foraged, Smoothing, Surrogates, answered
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level

PADDED = 128
"""Points that a map is padded to with zeros, so that its spectrum is well resolved (256: Krupic et al. 2012)."""

TURN = 3
"""Degrees between the directions that are looked at."""

FEWEST_WAVES = 1.3
"""In the box: what is slower is a field, or a slope."""


@dataclass(frozen=True)
class FourierHexagon:
    """Calls a unit a grid cell whose map is made of three waves of one length at 60 degrees, and little between.

        H = max over k, phi of [ min P(k, phi + 0, 60, 120) - max P(k, phi + 30, 90, 150) ] / max P

    P: the power of the map, less its mean, at wave number k and direction phi, padded with zeros. After Krupic, Burgess
    & O'Keefe (2012, Science 337:853), who count the components of the spectrum that stand out of those of rolled
    spikes: a grid cell has three at multiples of 60 degrees, band-like cells one or two. Here two things must exceed
    the quantile 1 - `level` of maps of rolled spikes: the largest power, of the unit's own, and H, of all units'; and
    the weakest of the three waves must have `weakest` of the power of the strongest. The period is 4 pi / (sqrt(3) k).
    Assumes a square box. Cost: one small Fourier transform per unit and surrogate.
    """

    name: ClassVar[str] = "fourier_hexagon"
    question: ClassVar[str] = "spatial_pattern"
    family: ClassVar[str] = "spectra of maps"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05
    weakest: Annotated[float, Within(0, 1)] = 0.25
    n_surrogates: Surrogates = 20  # of each unit
    n_bins: Bins = 30
    smoothing: Smoothing = 1.0  # bins, sd of the Gaussian kernel

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Which units are grid cells; notes: H of all."""
        foraged = Foraged.of(recording, self.n_bins)
        if isinstance(foraged, Finding):
            return foraged
        heard = np.flatnonzero(foraged.heard)
        if not len(heard):
            return Finding.abstain("no unit has spikes enough for a map")
        edge = float(foraged.edge.mean())
        power, hexagon, wave, least = (each[heard] for each in spectra(foraged.maps(self.smoothing), edge))
        null = [spectra(foraged.rolled(rng).maps(self.smoothing), edge)[:2] for _ in range(self.n_surrogates)]
        loud = power > np.quantile([n[0][heard] for n in null], 1 - self.level, axis=0)
        hexagonal = hexagon > np.quantile([n[1][heard] for n in null], 1 - self.level)
        score, grid, periods = np.zeros(foraged.n_units), np.zeros(foraged.n_units, bool), np.zeros(foraged.n_units)
        score[heard], grid[heard] = hexagon, loud & hexagonal & (least >= self.weakest)
        periods[heard] = 4 * np.pi / np.sqrt(3) / wave
        return answered(grid, periods, score)


def spectra(maps: np.ndarray, edge: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of maps (unit, x, y) of a floor with this edge [m], each (unit,): the largest power, in units of the squared mean
    rate; H; the wave number [1/m] where H is; and the weakest of the three waves there as a share of the largest
    power."""
    from scipy.ndimage import map_coordinates

    n = maps.shape[-1]
    size = max(PADDED, 2 * n)
    mean = maps.mean(axis=(1, 2), keepdims=True)
    spectrum = np.fft.fft2((maps - mean) / np.maximum(mean, 1e-9), (size, size)) / n**2
    power = np.fft.fftshift(np.abs(spectrum) ** 2, axes=(1, 2))
    waves = np.arange(FEWEST_WAVES, n / 4, n / size)  # in the box
    angle = np.deg2rad(np.arange(0, 180, TURN))
    at = size // 2 + np.stack([np.outer(waves, np.cos(angle)), np.outer(waves, np.sin(angle))]) * size / n
    polar = np.stack([map_coordinates(one, at, order=1) for one in power])
    turned = {turn: np.roll(polar, -turn // TURN, axis=2) for turn in range(0, 180, 30)}
    three = np.minimum(np.minimum(turned[0], turned[60]), turned[120])
    between = np.maximum(np.maximum(turned[30], turned[90]), turned[150])
    largest = polar.max(axis=(1, 2))
    best = (three - between).reshape(len(maps), -1).argmax(axis=1)
    row = best // len(angle)
    at_best = [each.reshape(len(maps), -1)[np.arange(len(maps)), best] for each in (three, between)]
    safe = np.maximum(largest, 1e-12)
    return largest, (at_best[0] - at_best[1]) / safe, 2 * np.pi * waves[row] / edge, at_best[0] / safe
