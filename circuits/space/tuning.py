"""A module of grid cells in space: how a sheet's states are laid out over the floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.space.grid_sheet import LATTICE, Sheet, directions, hexagons, phase_of, phases

FINE = 64
"""Phases along a period at which rates are tabulated: 8 mm where fields are 0.5 m apart."""


@dataclass(frozen=True, eq=False)
class Module:
    """A sheet, the spacing [m] and orientation [rad] of its grid, and the phase (2,) at the box's corner."""

    sheet: Sheet
    spacing: float
    orientation: float
    origin: np.ndarray

    @classmethod
    def drawn(cls, sheet: Sheet, spacing: float, rng: np.random.Generator) -> Module:
        """Any orientation, as a grid repeats every 60 degrees, and any phase."""
        return cls(sheet, spacing, float(rng.uniform(0, np.pi / 3)), rng.uniform(0, 1, 2))

    def phase(self, place: np.ndarray) -> np.ndarray:
        """Phases (..., 2) in [0, 1) of places (..., 2) [m]."""
        return (phase_of(place, self.spacing, self.orientation) + self.origin) % 1

    def command(self, path: np.ndarray, step: float, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Phases (trial, 2) where bumps begin, and the input (trial, step, neuron) [Hz] that moves them along a path.

        path: places (trial, step + 1, 2) [m] at the ends of steps [s]. landmarks (trial,): of the drive, how much of
        the input tells the place in the middle of a step.
        """
        unwrapped = phase_of(path, self.spacing, self.orientation)
        velocity = np.diff(unwrapped, axis=1) @ LATTICE / (step * self.sheet.gain)
        current = velocity @ directions(self.sheet.size).T
        middle = (unwrapped[:, 1:] + unwrapped[:, :-1]) / 2 + self.origin
        told = np.flatnonzero(landmarks)
        near = hexagons(phases(self.sheet.size), middle[told]) - 1 / 3
        current[told] += landmarks[told, None, None] * near
        return self.phase(path[:, 0]), self.sheet.drive * current

    def table(self, neurons: np.ndarray) -> np.ndarray:
        """Noise-free rates (fine phase, neuron) [Hz] of these neurons: the sheet's states, between them by splines."""
        from scipy.ndimage import map_coordinates

        at = np.indices((FINE, FINE)).reshape(2, -1) / FINE * self.sheet.size - 0.5
        maps = self.sheet.manifold[:, :, neurons]
        fine = [map_coordinates(maps[:, :, k], at, order=3, mode="grid-wrap") for k in range(len(neurons))]
        return np.maximum(np.stack(fine, axis=1), 0.0)

    def row(self, place: np.ndarray) -> np.ndarray:
        """Which row of the table holds at places (..., 2) [m]."""
        u, v = np.moveaxis((self.phase(place) * FINE + 0.5).astype(int) % FINE, -1, 0)
        return np.asarray(u * FINE + v)
