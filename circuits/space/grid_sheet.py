"""A sheet of grid cells closed to a torus: phases, lattice, recurrent weights and the states that they hold up.

Phases are coordinates (u, v) in [0, 1)^2 along two edges of the lattice at 60 degrees; a period is the unit of length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

LATTICE = np.array([[1.0, 0.0], [0.5, np.sqrt(3) / 2]])
"""Edges of the unit cell (edge, axis), in periods (Guanella, Kiper & Verschure 2007, Int J Neural Syst 17:231)."""

IMAGES = np.array([[a, b] for a in range(-3, 4) for b in range(-3, 4)]) @ LATTICE
"""Displacements by whole periods, as far as synapses reach."""

TILE = 2
"""Neurons of the four preferred directions stand in tiles of two by two (Burak & Fiete 2009)."""

DT = 2e-3
"""s, Euler step: a fifth of the time constant; the peak rates are those of 0.5 ms to within 1%."""

SETTLING = 0.3
"""s, thirty time constants: what a start adds to the bump is gone, and it has not crept along the sheet."""


def phases(size: int) -> np.ndarray:
    """(neuron, 2): where on the sheet of size x size neurons each one stands."""
    return (np.indices((size, size)).reshape(2, -1).T + 0.5) / size


def directions(size: int) -> np.ndarray:
    """(neuron, 2): unit vectors, the preferred directions of motion, one of four in each place of a tile."""
    row, column = np.indices((size, size)).reshape(2, -1)
    angle = (TILE * (row % TILE) + column % TILE) * np.pi / 2
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def hexagon(apart: np.ndarray) -> np.ndarray:
    """Three cosines at 60 degrees of phase differences (..., 2), between 0 (far) and 1 (same phase)."""
    u, v = 2 * np.pi * apart[..., 0], 2 * np.pi * apart[..., 1]
    return (np.cos(u) + np.cos(v) + np.cos(u + v) + 1.5) / 4.5


def hexagons(phase: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """`hexagon(phase - centre)`, of phases (neuron, 2) about centres (..., 2): few cosines, then products."""
    first, second = (
        2 * np.pi * np.stack([each[..., 0], each[..., 1], each[..., 0] + each[..., 1]], axis=-1)
        for each in (phase, centre)
    )
    waves, turned = (np.concatenate([np.cos(each), np.sin(each)], axis=-1) for each in (first, second))
    return (turned @ waves.T + 1.5) / 4.5


def phase_of(place: np.ndarray, spacing: float, orientation: float) -> np.ndarray:
    """Phases (..., 2), not wrapped, of displacements (..., 2) [m] on a grid of this spacing [m] and orientation."""
    turn = np.array([[np.cos(orientation), np.sin(orientation)], [-np.sin(orientation), np.cos(orientation)]])
    return place @ turn.T @ np.linalg.inv(LATTICE) / spacing


@dataclass(frozen=True)
class Sheet:
    """size x size neurons whose weights repeat every period; see `GridAttractor` for the equations.

    width: lambda, in periods; surround: gamma / beta; shift: l, in widths; drive [Hz]; time_constant [s].
    """

    size: int
    width: float
    surround: float
    shift: float
    drive: float
    time_constant: float
    pooled_fano: float

    @cached_property
    def weights(self) -> np.ndarray:
        """(pre, post), without unit; those of one period and its images, per neuron of a sheet of any density."""
        place = phases(self.size) @ LATTICE
        centre = place + self.shift * self.width * directions(self.size)
        beta, total = 3 / self.width**2, np.zeros((len(place), len(place)))
        for image in IMAGES:
            square = np.square(place[None] - centre[:, None] + image).sum(axis=-1)
            total += np.exp(-self.surround * beta * square) - np.exp(-beta * square)
        return total * (NEURONS_PER_WIDTH / (self.size * self.width)) ** 2

    @cached_property
    def factors(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the weights, which are smooth: some forty plane waves hold them to within a millionth of the largest."""
        from simlab.simulators.rates_network import factored

        return factored(self.weights)

    def network(self, noisy: bool = False) -> RateNetwork:
        """Its rate equations [Hz]."""
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import threshold_linear

        return RateNetwork(
            self.weights,
            self.time_constant,
            threshold_linear,
            bias=self.drive,
            shot_noise=self.pooled_fano if noisy else 0.0,
            rheobase=self.drive,
        )

    def states(self, phase: np.ndarray, current: float | np.ndarray = 0.0, duration: float = SETTLING) -> np.ndarray:
        """Noise-free rates (state, neuron) [Hz] that follow from a bump put at these phases (state, 2)."""
        from simlab.simulators.rates import settle

        start = self.drive * hexagon(phases(self.size) - np.asarray(phase)[:, None])
        return settle(self.network(), start, duration=duration, dt=DT, current=current)

    @cached_property
    def manifold(self) -> np.ndarray:
        """(phase row, phase column, neuron): noise-free rates [Hz] with the bump at each neuron's phase in turn.

        Moved by a whole tile, the sheet is as it was: a tile's states, moved about, are all that there are.
        """
        tile = self.states(phases(self.size).reshape(self.size, self.size, 2)[:TILE, :TILE].reshape(-1, 2))
        bumps = tile.reshape(TILE, TILE, self.size, self.size)
        rows, columns = np.indices((self.size, self.size))
        moved = [
            np.roll(bumps[r % TILE, c % TILE], (r - r % TILE, c - c % TILE), axis=(0, 1)).ravel()
            for r, c in zip(rows.ravel(), columns.ravel(), strict=True)
        ]
        return np.array(moved).reshape(self.size, self.size, -1)

    def decoded(self, rates: np.ndarray) -> np.ndarray:
        """The bump's phase (..., 2), in -1/2..1/2, from the rates (..., neuron): mean vectors along both edges."""
        return np.angle(rates @ np.exp(2j * np.pi * phases(self.size))) / (2 * np.pi)

    @cached_property
    def gain(self) -> float:
        """How fast a bump moves, in periods per second, for a velocity input that is the drive itself.

        Noise-free, at the speed of an animal (0.4 periods per second), mean of four directions of 0 to 45 degrees.
        """
        angle = np.arange(4) * np.pi / 12
        heading = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        current = PROBE * self.drive * heading @ directions(self.size).T
        state, path = self.states(np.zeros((4, 2)), current), np.zeros((4, 2))
        for _ in range(PROBES):
            state, before = self._later(state, current), state
            path += wrapped(self.decoded(state) - self.decoded(before)) @ LATTICE
        return float(np.mean(np.sum(path * heading, axis=1)) / (PROBES * PROBE_STEP * PROBE))

    def _later(self, state: np.ndarray, current: np.ndarray) -> np.ndarray:
        from simlab.simulators.rates import settle

        return settle(self.network(), state, duration=PROBE_STEP, dt=DT, current=current)

    def diffusion(self) -> float:
        """How fast noise moves a bump: variance per time along either axis [periods^2 / s], to first order.

            D_ab = sum_i u_ai u_bi F x_i / tau^2,   J' u_a = 0,   u_a . dx/dphase_b = delta_ab

        with J the Jacobian at the bump x (Burak & Fiete 2012, PNAS 109:17645, for one dimension).
        """
        step = 1 / self.size
        offsets = np.array([[0.0, 0.0], [step, 0.0], [-step, 0.0], [0.0, step], [0.0, -step]]) + step / 2
        state, *beside = self.states(offsets)
        slope = np.stack([beside[0] - beside[1], beside[2] - beside[3]]) / (2 * step)
        values, vectors = np.linalg.eig(self.network().jacobian(state).T)
        free = np.real(vectors[:, np.argsort(np.abs(values))[:2]]).T
        free = np.linalg.solve(free @ slope.T, free)
        covariance = (free * self.pooled_fano * state / self.time_constant**2) @ free.T
        return float(np.trace(LATTICE.T @ covariance @ LATTICE) / 2)


NEURONS_PER_WIDTH = 13
"""Neurons per lambda for which the weights are stated (Burak & Fiete 2009: lambda = 13)."""

PROBE, PROBES, PROBE_STEP = 0.025, 60, 0.04
"""The velocity input as a share of the drive, and how often and long [s] the bump is followed: about a period."""


def wrapped(phase: np.ndarray) -> np.ndarray:
    """Phases brought into -1/2..1/2."""
    return (phase + 0.5) % 1 - 0.5
