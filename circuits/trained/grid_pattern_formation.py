"""Grid patterns by a Turing instability: the linear theory of what a centre and a surround make, and how it grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.space.driven import DrivenSubject, codes
from circuits.space.trajectory import Walk
from circuits.trained.path_integrator import N_BINS
from circuits.trained.spatial_maps import GRID, NO_GRID, grid_scores
from simlab import truths
from simlab.contracts import SimlabError
from simlab.data import anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Count, Rate

TISSUE = 400e-6
"""Edge [m] of the cube in which the cells lie."""

WAVES = {1: 32, 2: 6}
"""Critical wavelengths along the ground on which a pattern grows, by its dimensions. The ground is closed to a torus,
so that the theory of an endless plane holds of it; wave numbers on it come in steps of one over this of the critical
one."""

PER_WAVE = 10
"""Points of the ground in a critical wavelength."""

GROWN = 100.0
"""Time constants that a pattern grows for."""

SEED_NOISE = 0.01
"""Of the state from which the pattern grows, about the uniform one."""

LEAST_PATTERN = 1e-3
"""Of the largest activity, that the pattern must have by then."""

RING = (0.75, 1.25)
"""Wave numbers, in units of the strongest, whose mean, weighted by power, is the pattern's."""

Amplitude = Annotated[float, Within(1e-6, 1e6)]


@dataclass(frozen=True)
class GridPatternFormation:
    """Maps that grow out of noise by a centre-surround interaction, and stay above zero.

        tau dg/dt = -g + [G (K * g) + 1]+
        K(x) = a_E exp(-|x|^2 / (2 s_E^2)) - a_I exp(-|x|^2 / (2 s_I^2))

    g(x) is the activity at a place x of a sheet, or a cell's map over the floor while inputs that are tuned as K teach
    it: the equation is the same (Burak & Fiete 2009; Dordek et al. 2016; Sorscher et al. 2019, NeurIPS 32; Schaeffer,
    Khona & Fiete 2022). About the uniform state a wave of wave number k grows at the rate G K~(k) - 1, with

        K~(k) = (2 pi)^(d/2) [a_E s_E^d exp(-s_E^2 k^2 / 2) - a_I s_I^d exp(-s_I^2 k^2 / 2)],

    so that of all waves the fastest has  k*^2 = 2 / (s_E^2 - s_I^2) ln(a_E s_E^(d+2) / (a_I s_I^(d+2))), for d
    `dimensions`. The rectification picks, in the plane, three such waves at
    60 degrees: a triangular lattice of period 4 pi / (sqrt(3) k*). On a line there is one wave, of period 2 pi / k*:
    laid out over a floor, band cells, which repeat and are no grid (Krupic, Burgess & O'Keefe 2012).

    Activity stays bounded if K is nowhere above zero, a_E <= a_I: a uniform drive excites, neurons inhibit one another,
    and most some way off (Burak & Fiete 2009; a K that excites nearby lets single bumps grow without end, as
    nothing saturates here). G is such that the fastest wave grows at the rate `growth`.

    The growth is simulated for one pattern per subject; cells have it at any phase (and one orientation, as cells of a
    module have). An animal that forages in the box sees a window of it, with what faults the lattice has there, and
    cells fire as Poisson processes with peaks of `peak`.
    """

    name: ClassVar[str] = "grid_pattern_formation"
    mechanism: ClassVar[str] = "pattern formation"
    questions: ClassVar[tuple[str, ...]] = ("spatial_pattern", "tuning")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_neurons: Count = 60
    dimensions: Annotated[int, Within(1, 2)] = 2
    centre: Annotated[float, Within(0.005, 2, "m")] = 0.12  # s_E (Schaeffer et al. 2022)
    surround: Annotated[float, Within(0.005, 10, "m")] = 0.24  # s_I
    centre_height: Amplitude = 1.0  # a_E (Burak & Fiete 2009: both are 1)
    surround_height: Amplitude = 1.0  # a_I
    growth: Annotated[float, Within(1e-3, 100, excluding=(1e-3,))] = 0.3
    """How fast the fastest wave grows, in inverse time constants: slow enough for few waves to grow with it, and for a
    lattice with few faults."""
    peak: Rate = 10.0  # Hz
    walk: Walk = field(default_factory=lambda: Walk(box=2.2))  # that of `path_integrator`

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.surround > self.centre, f"surround must be > centre, got {self.surround} and {self.centre} m")
        require(
            self.surround_height >= self.centre_height,
            f"surround_height must be >= centre_height, or activity has no bound, got {self.surround_height:g} and "
            f"{self.centre_height:g}: raise it",
        )

    @property
    def _log_ratio(self) -> float:
        power = self.dimensions + 2
        ratio = self.centre_height * self.centre**power / (self.surround_height * self.surround**power)
        return float(np.log(ratio))

    @property
    def critical(self) -> float:
        """k* [1/m]: the wave number that grows fastest."""
        return float(np.sqrt(2 / (self.centre**2 - self.surround**2) * self._log_ratio))

    @property
    def period(self) -> float:
        """[m] between neighbouring fields, by theory: those of a lattice, or of bands."""
        return float((4 / np.sqrt(3) if self.dimensions == 2 else 2) * np.pi / self.critical)

    def transform(self, wave_number: np.ndarray) -> np.ndarray:
        """K~ at wave numbers [1/m]."""
        parts = (
            height * (np.sqrt(2 * np.pi) * width) ** self.dimensions * np.exp(-((width * wave_number) ** 2) / 2)
            for height, width in ((self.centre_height, self.centre), (self.surround_height, self.surround))
        )
        centre, surround = parts
        return np.asarray(centre - surround)

    def subject(self, rng: np.random.Generator) -> DrivenSubject:
        """One individual: a pattern that grew from its own noise, and the phases of its cells."""
        n, pattern = self.n_neurons, Pattern(self, int(rng.integers(2**62)))
        shift = rng.uniform(0, pattern.extent, (n, 2))

        def tuned(place: np.ndarray) -> np.ndarray:
            return pattern.rates(place[..., None, :] + shift)

        return DrivenSubject(
            self, self.walk, 0.0, tuned, np.full(n, pattern.mean), False,
            anatomy(rng.uniform(0, TISSUE, (n, 3)), ["E"] * n, "entorhinal cortex"),
            {"spatial_pattern": lambda: self._patterns(pattern, tuned), "tuning": lambda: codes("position", n)},
        )  # fmt: skip

    def _patterns(self, pattern: Pattern, tuned: Callable[[np.ndarray], np.ndarray]) -> xr.Dataset:
        """Which cells' maps in the box, that may hold a fault of the lattice, are grids; the period of the pattern."""
        place = (np.indices((N_BINS, N_BINS)).reshape(2, -1).T + 0.5) / N_BINS * self.walk.box
        score = grid_scores(tuned(place).T.reshape(-1, N_BINS, N_BINS))
        grid = score > GRID
        period = np.where(grid, 4 * np.pi / np.sqrt(3) / pattern.wave_number, 0.0)
        doubtful = (score > NO_GRID) & ~grid
        return truths.patterns(grid, period, np.where(grid, 0, -1), doubtful, grid_score=score)


@dataclass(frozen=True, eq=False)
class Pattern:
    """What grows from one noise on a ground that is closed to a ring or a torus."""

    circuit: GridPatternFormation
    seed: int

    @property
    def extent(self) -> float:
        """Of the ground [m], along each axis."""
        return WAVES[self.circuit.dimensions] * 2 * np.pi / self.circuit.critical

    @cached_property
    def wave_numbers(self) -> np.ndarray:
        """(x,) or (x, y) [1/m] of the waves on the ground, in the order of the Fourier transform."""
        n = WAVES[self.circuit.dimensions] * PER_WAVE
        along = 2 * np.pi * np.fft.fftfreq(n, self.extent / n)
        axes = np.meshgrid(*[along] * self.circuit.dimensions, indexing="ij")
        return np.sqrt(np.sum(np.square(axes), axis=0))

    @cached_property
    def grown(self) -> np.ndarray:
        """(x,) or (x, y): the activity in the end, without unit.

        Raises SimlabError where nothing has grown.
        """
        circuit = self.circuit
        kernel = circuit.transform(self.wave_numbers)
        kernel *= (1 + circuit.growth) / circuit.transform(np.array(circuit.critical))
        axes = tuple(range(kernel.ndim))
        half, step = kernel[..., : kernel.shape[-1] // 2 + 1], 0.5 / (1 + np.abs(kernel).max())
        noise = np.random.default_rng(self.seed).standard_normal(kernel.shape)
        state = (1 + SEED_NOISE * noise) / (1 - kernel.flat[0])
        for _ in range(int(np.ceil(GROWN / step))):
            heard = np.fft.irfftn(half * np.fft.rfftn(state), state.shape, axes)
            state += step * (np.maximum(heard + 1, 0.0) - state)
        if not np.isfinite(state).all() or np.ptp(state) <= LEAST_PATTERN * abs(state.max()):
            raise SimlabError(
                f"no pattern is left after {GROWN:g} time constants, got growth={circuit.growth}: choose another one"
            )
        return state

    @cached_property
    def wave_number(self) -> float:
        """[1/m]: that of the pattern, measured."""
        power = np.abs(np.fft.fftn(self.grown - self.grown.mean())) ** 2
        strongest = self.wave_numbers.flat[power.argmax()]
        ring = (self.wave_numbers > RING[0] * strongest) & (self.wave_numbers < RING[1] * strongest)
        return float((self.wave_numbers * power)[ring].sum() / power[ring].sum())

    @property
    def mean(self) -> float:
        """[Hz] over the ground."""
        return float(self.circuit.peak * self.grown.mean() / self.grown.max())

    def rates(self, place: np.ndarray) -> np.ndarray:
        """(...) [Hz] at places (..., 2) [m], between points of the ground linearly."""
        from scipy.ndimage import map_coordinates

        at = np.moveaxis(place[..., : self.circuit.dimensions] / self.extent * len(self.grown), -1, 0)
        scaled = self.circuit.peak / self.grown.max() * self.grown
        return np.asarray(map_coordinates(scaled, at, order=1, mode="grid-wrap"))
