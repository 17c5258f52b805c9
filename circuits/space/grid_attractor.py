"""A torus attractor: bumps of activity that integrate velocity because grid cells hold each other up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.attractors.ring_network import padded
from circuits.attractors.shape import betti_numbers
from circuits.space.foraging import awake, foraging_session, places
from circuits.space.grid_sheet import DT, TILE, Sheet
from circuits.space.trajectory import STEP, Walk, velocities
from circuits.space.tuning import Module
from simlab import truths
from simlab.contracts import SimlabError
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Count, Share, SynapticTimeConstant
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

INPUT_STEP = 0.04
"""s between changes of the velocity input: half the memory of the heading, and no displacement is lost."""

TISSUE = 400e-6
"""Edge [m] of the cube in which recorded cells lie: grid modules overlap in tissue (Stensola et al. 2012)."""

REGIMES = {(1, 2, 1): "torus attractor", (1, 1, 0): "ring attractor", (1, 0, 0): "fixed point"}
"""What the shape of the states that need no input makes of the dynamics."""


@dataclass(frozen=True)
class GridAttractor:
    """Grid cells on sheets that close to tori, with local inhibition whose centre is shifted (Burak & Fiete 2009).

        tau dx_i/dt = -x_i + [sum_j W_ji x_j + A (1 + alpha e_i . v + c (h(phase_i - phase) - 1/3))]_+
                      + sqrt(F x_i) eta_i
        W_ji = (13/lambda)^2 sum_images W0(z_i - z_j - l e_j),   W0(z) = exp(-gamma z^2) - exp(-beta z^2)

    with z the place on the sheet, v the animal's velocity, e the preferred direction of a neuron (one of four), beta =
    3/lambda^2, gamma = 1.05 beta and l = 2 lambda/13 (PLoS Comput Biol 5:e1000291, eqs. 1 to 4; there lambda = 13
    neurons). A sheet here is one period, closed as a twisted torus so that bumps make a triangular lattice (Guanella
    et al. 2007). alpha is found from how fast the noise-free bump follows, so that fields lie `spacing` apart. c is a
    weak input from landmarks: h is a sum of three cosines, largest where bump and place agree. It corrects what noise
    makes of the integral, as borders do (Hardcastle, Ganguli & Giocomo 2015, Neuron 86:827).

    Each place of a sheet stands for many neurons alike, whose pooled spikes are as noisy as `pooled_fano` says; of one
    of them the spikes are recorded, as a Poisson process of rate x. An effect on a recorded neuron reaches all those
    that stand in its place.

    Task: trials of foraging from a place that is known at first; later places are integrated from the velocity. With
    `landmarks` = 0, as in darkness, noise lets bump and place drift apart (`drift`). In sleep, a share `asleep` of the
    trials, no place is known and nothing is seen; the velocity input wanders on by itself, as fast as awake (Gardner
    et al. 2019, Trettel et al. 2019, Nat Neurosci 22:598 and 609, for grid cells that stay coordinated in sleep).
    """

    name: ClassVar[str] = "grid_attractor"
    mechanism: ClassVar[str] = "torus attractor"
    questions: ClassVar[tuple[str, ...]] = ("topology", "dynamics", "spatial_pattern")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_neurons: Count = 100  # recorded, drawn from all places of the sheets
    modules: Annotated[int, Within(1, 4)] = 1  # sheets that know nothing of one another
    size: Annotated[int, Within(8, 64)] = 16  # neurons along a sheet's edge; even
    spacing: Annotated[float, Within(0.1, 10, "m")] = 0.5  # of the first module (Hafting 2005: 0.39 to 0.73 m)
    ratio: Annotated[float, Within(1, 3)] = 1.42  # of the spacings of modules (Stensola et al. 2012, Nature 492:72)
    width: Annotated[float, Within(0.1, 2)] = 0.676
    """lambda, in periods: 1/1.48, where of all waves on an infinite sheet the fastest-growing one has that period."""
    surround: Annotated[float, Within(1, 2)] = 1.05  # gamma / beta (Burak & Fiete 2009)
    shift: Annotated[float, Within(0, 1)] = 2 / 13  # l / lambda (Burak & Fiete 2009: 2 of 13 neurons)
    time_constant: SynapticTimeConstant = 0.01  # s (Burak & Fiete 2009)
    drive: Annotated[float, Within(0, 1000, "Hz", excluding=(0,))] = 30.0
    """Hz, A: sets the rates, which are proportional to it; peaks of some 12 Hz (Hafting et al. 2005: 5 to 20 Hz)."""
    pooled_fano: Annotated[float, Within(0, 1)] = 1 / 512
    """F: CV^2 = 1/8 of 64 neurons in each place, 16,384 in all, as many as in Burak & Fiete 2009."""
    landmarks: Share = 0.01
    """c: enough to keep fields as sharp as grid cells' are, and a hundredth of the drive."""
    asleep: Share = 0.0  # of the trials
    walk: Walk = field(default_factory=Walk)

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.size % TILE == 0,
            f"size must be even, as directions stand in tiles of two by two, got {self.size}: take {self.size + 1}",
        )
        require(
            self.n_neurons <= self.modules * self.size**2,
            f"n_neurons must be <= {self.modules * self.size**2}, the places on its sheets, got {self.n_neurons}",
        )

    @property
    def sheet(self) -> Sheet:
        """The sheet that each module is a copy of."""
        return _sheet(
            self.size, self.width, self.surround, self.shift, self.drive, self.time_constant, self.pooled_fano
        )

    def spacings(self) -> np.ndarray:
        """(module,) [m]."""
        return self.spacing * self.ratio ** np.arange(self.modules)

    def drift(self) -> np.ndarray:
        """How fast the first module's place goes astray awake, by noise alone: variance per axis and time [m^2/s]."""
        return np.asarray(self.sheet.diffusion() * self.spacings() ** 2)

    def subject(self, rng: np.random.Generator) -> GridAttractorSubject:
        """One individual: modules of any orientation and phase, and recorded cells from anywhere on them."""
        shape = betti(self)
        if shape == (1, 0, 0):
            raise SimlabError(
                f"grid_attractor holds no bump with surround={self.surround} and width={self.width}: raise surround"
            )
        modules = tuple(Module.drawn(self.sheet, spacing, rng) for spacing in self.spacings())
        recorded = rng.permutation(self.modules * self.size**2)[: self.n_neurons]
        place = rng.uniform(0, TISSUE, (self.n_neurons, 3))
        return GridAttractorSubject(
            self, modules, recorded, anatomy(place, ["E"] * self.n_neurons, "entorhinal cortex")
        )


@dataclass(frozen=True, eq=False)
class GridAttractorSubject:
    """One individual: its modules, and the indices of recorded neurons on their sheets, one sheet after another."""

    circuit: GridAttractor
    modules: tuple[Module, ...]
    recorded: np.ndarray
    anatomy: xr.Dataset

    def tuning(self) -> tuple[np.ndarray, np.ndarray]:
        """Module (neuron,) that each recorded neuron is of, and its number (neuron,) on the sheet."""
        return np.divmod(self.recorded, self.circuit.size**2)

    def pattern(self) -> xr.Dataset:
        """Truth of `spatial_pattern`: all are grid cells, of the spacing of their module."""
        module = self.tuning()[0]
        return truths.patterns(np.full(len(module), True), self.circuit.spacings()[module], module)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Foraging in a box, and sleep after it where the circuit has any."""
        return foraging_session(self.circuit.walk, self.circuit.asleep, trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of recorded neurons."""
        from simlab.simulators.given_rates import renewal

        rates = np.maximum(self.rates(session, rng), 0.0)
        spikes = renewal(rates, STEP, session.duration, rng)
        result = activity(session, len(self.recorded), spikes=spikes)
        return result.assign_attrs(engine="numpy (renewal processes at the rates of a network in jax)")

    def rates(self, session: Session, rng: np.random.Generator) -> np.ndarray:
        """Noisy rates (trial, step, neuron) [Hz] of recorded neurons, every `STEP`."""
        from simlab.simulators.rates import simulate

        path, seen = self._path(session, rng)
        clue = np.where(seen, self.circuit.landmarks, 0.0)
        phase, current = zip(*(module.command(path, INPUT_STEP, clue) for module in self.modules), strict=True)
        whole = padded(session, self.recorded, len(self.modules) * self.circuit.size**2)
        _, rate = simulate(
            self._network(), Session(session.trials, whole_steps(session), perturbations=whole.perturbations), rng,
            dt=DT, sample_interval=STEP, inputs=np.concatenate(current, axis=2), input_interval=INPUT_STEP,
            initial=np.concatenate([m.sheet.states(p) for m, p in zip(self.modules, phase, strict=True)], axis=1),
        )  # fmt: skip
        return rate[:, :, self.recorded]

    def _path(self, session: Session, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Places (trial, input step + 1, 2) [m] every `INPUT_STEP`, and in which trials (trial,) they are real.

        Asleep, they are the network's own: from any place on, the wandering of a velocity that meets no wall.
        """
        place, walk = places(session), self.circuit.walk
        steps = round(whole_steps(session) / STEP) + 1
        place = np.concatenate([place, np.repeat(place[:, -1:], steps - place.shape[1], axis=1)], axis=1)
        seen = awake(place)
        dreams = int((~seen).sum())
        free = np.cumsum(velocities(walk, dreams, steps, rng) * STEP, axis=1)
        place[~seen] = rng.uniform(0, walk.box, (dreams, 1, 2)) + free
        return place[:, :: round(INPUT_STEP / STEP)], seen

    def _network(self) -> RateNetwork:
        """All modules as one network, with no weights between them."""
        from scipy.linalg import block_diag

        sheet, n = self.circuit.sheet, len(self.modules)
        first, second = (block_diag(*[each] * n) for each in sheet.factors)
        weights = block_diag(*[sheet.weights] * n)
        return replace(sheet.network(noisy=True), weights=weights, factors=(first, second))

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`topology` of the noise-free states; `dynamics`, which states that need no input make; `spatial_pattern`,
        that of each cell's module."""
        answers = {
            "topology": lambda: truths.shape(betti(self.circuit)),
            "dynamics": lambda: truths.one(label=REGIMES[_module_betti(self.circuit.sheet)]),
            "spatial_pattern": self.pattern,
        }
        return truths.among(self.circuit.name, question, answers)


def whole_steps(session: Session) -> float:
    """The session's length [s], rounded up to whole steps of the input."""
    return float(np.ceil(session.duration / INPUT_STEP - 1e-9) * INPUT_STEP)


@lru_cache(maxsize=32)
def _sheet(*parameters: float) -> Sheet:
    return Sheet(*parameters)  # type: ignore[arg-type]


def betti(circuit: GridAttractor) -> tuple[int, int, int]:
    """Betti numbers of the product of the modules' states, by Kuenneth's formula."""
    one = _module_betti(circuit.sheet)
    total = one
    for _ in range(circuit.modules - 1):
        total = tuple(sum(total[i] * one[k - i] for i in range(k + 1)) for k in range(3))  # type: ignore[assignment]
    return total


@lru_cache(maxsize=32)
def _module_betti(sheet: Sheet) -> tuple[int, int, int]:
    """Of a module's noise-free states, with the bump at each neuron's phase in turn."""
    return betti_numbers(sheet.manifold.reshape(sheet.size**2, -1))
