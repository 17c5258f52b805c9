"""A one-dimensional attractor with two-dimensional input: its states make a torus, its synapses a ring."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.attractors.ring_network import padded
from circuits.attractors.shape import betti_numbers
from circuits.space.foraging import awake, foraging_session, places
from circuits.space.grid_attractor import INPUT_STEP, REGIMES, TISSUE, whole_steps
from circuits.space.grid_sheet import DT, SETTLING, hexagon, phase_of, phases
from circuits.space.image import folded, grid_steps
from circuits.space.trajectory import STEP, Walk
from simlab import truths
from simlab.contracts import SimlabError
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Count, Share, SynapticTimeConstant
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork


@dataclass(frozen=True)
class RingAlignedGrid:
    """Grid cells with synapses along one phase, and an input that depends on both.

        tau dx_i/dt = -x_i + [1/N sum_j (J1 cos 2 pi(u_i - u_j) - J0) x_j + A (1 + g (h(phase_i - phase) - 1/3))]_+
                      + sqrt(F x_i) eta_i

    with (u, v) the phase of a cell, h a sum of three cosines at 60 degrees (its mean is 1/3) and `phase` that of the
    place. The synapses are those of a ring attractor (Ben-Yishai, Bar-Or & Sompolinsky 1995, PNAS 92:3844: J1 > 2 holds
    up a bump without tuned input), which knows nothing of v. The input gives the place, so that awake, states follow
    both phases: a torus. Asleep there is no input, and what is left is a ring. After Benas, Fernandez & Kropff
    (2024, eLife 12:RP89851), where a one-dimensional attractor aligns learnt grids and the population activity
    samples a torus; there the input is learnt, here it is given.

    Task as for `grid_attractor`; the place is seen awake, not integrated.
    """

    name: ClassVar[str] = "ring_aligned_grid"
    mechanism: ClassVar[str] = "ring attractor with tuned input"
    questions: ClassVar[tuple[str, ...]] = ("topology", "dynamics")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_neurons: Count = 100  # recorded
    size: Annotated[int, Within(8, 64)] = 16  # places along either phase
    tuned_weight: Annotated[float, Within(0, 20)] = 2.5  # J1
    inhibition: Annotated[float, Within(0, 100)] = 6.0  # J0
    input_depth: Annotated[float, Within(0, 10)] = 1.0  # g
    drive: Annotated[float, Within(0, 1000, "Hz", excluding=(0,))] = 15.0  # A; peaks of some 14 Hz
    time_constant: SynapticTimeConstant = 0.01  # s (Burak & Fiete 2009)
    pooled_fano: Annotated[float, Within(0, 1)] = 1 / 512  # F, as in `grid_attractor`
    spacing: Annotated[float, Within(0.1, 10, "m")] = 0.5  # of fields (Hafting et al. 2005: 0.39 to 0.73 m)
    asleep: Share = 0.0  # of the trials
    walk: Walk = field(default_factory=Walk)

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.n_neurons <= self.size**2,
            f"n_neurons must be <= {self.size**2}, the places that its size allows, got {self.n_neurons}",
        )
        require(
            self.tuned_weight < 2 + self.inhibition,
            f"tuned_weight must be < inhibition + 2 or rates run away, got {self.tuned_weight} and {self.inhibition}",
        )

    def network(self, noisy: bool = False) -> RateNetwork:
        """Its rate equations [Hz], without the tuned input."""
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import threshold_linear

        along = cell_phases(self.size)[:, 0]
        cosine = np.cos(2 * np.pi * (along[:, None] - along))
        return RateNetwork(
            (self.tuned_weight * cosine - self.inhibition) / self.size**2,
            self.time_constant,
            threshold_linear,
            bias=self.drive,
            shot_noise=self.pooled_fano if noisy else 0.0,
            rheobase=self.drive,
        )

    def tuned_input(self, phase: np.ndarray) -> np.ndarray:
        """The input (..., neuron) [Hz] at phases (..., 2) of the place; none where these are NaN."""
        near = hexagon(cell_phases(self.size) - np.asarray(phase)[..., None, :]) - 1 / 3
        return np.asarray(np.nan_to_num(self.drive * self.input_depth * near))

    def states(self, phase: np.ndarray, shown: bool) -> np.ndarray:
        """Noise-free rates (state, neuron) [Hz] under the input of phases (state, 2), or some time after it."""
        from simlab.simulators.rates import settle

        given = self.tuned_input(phase)
        start = settle(self.network(), np.maximum(given, 0.0), duration=SETTLING, dt=DT, current=given)
        return start if shown else settle(self.network(), start, duration=2 * SETTLING, dt=DT)

    def subject(self, rng: np.random.Generator) -> RingAlignedGridSubject:
        """One individual: a grid of any orientation and phase, and recorded cells of any phases."""
        recorded = rng.permutation(self.size**2)[: self.n_neurons]
        place = rng.uniform(0, TISSUE, (self.n_neurons, 3))
        known = anatomy(place, ["E"] * self.n_neurons, "entorhinal cortex")
        return RingAlignedGridSubject(self, float(rng.uniform(0, np.pi / 3)), rng.uniform(0, 1, 2), recorded, known)


@dataclass(frozen=True, eq=False)
class RingAlignedGridSubject:
    """One individual: orientation [rad] and phase (2,) at the box's corner of its grid; indices of recorded cells."""

    circuit: RingAlignedGrid
    orientation: float
    origin: np.ndarray
    recorded: np.ndarray
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Foraging in a box, and sleep after it where the circuit has any."""
        return foraging_session(self.circuit.walk, self.circuit.asleep, trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of recorded neurons."""
        from simlab.simulators.given_rates import renewal

        spikes = renewal(np.maximum(self.rates(session, rng), 0.0), STEP, session.duration, rng)
        result = activity(session, len(self.recorded), spikes=spikes)
        return result.assign_attrs(engine="numpy (renewal processes at the rates of a network in jax)")

    def rates(self, session: Session, rng: np.random.Generator) -> np.ndarray:
        """Noisy rates (trial, step, neuron) [Hz] of recorded neurons, every `STEP`."""
        from simlab.simulators.rates import simulate

        place = places(session)
        phase = phase_of(place, self.circuit.spacing, self.orientation) + self.origin
        first = np.where(awake(place)[:, None], phase[:, 0], rng.uniform(0, 1, (session.trials, 2)))
        length, stride = whole_steps(session), round(INPUT_STEP / STEP)
        whole = padded(session, self.recorded, self.circuit.size**2)
        _, rate = simulate(
            self.circuit.network(noisy=True), Session(session.trials, length, perturbations=whole.perturbations), rng,
            dt=DT, sample_interval=STEP, input_interval=INPUT_STEP,
            inputs=self.circuit.tuned_input(phase[:, ::stride]), initial=self.circuit.states(first, shown=True),
        )  # fmt: skip
        return rate[:, :, self.recorded]

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`topology` of the noise-free states awake; `dynamics`, what holds them up without the input."""
        answers = {
            "topology": lambda: truths.shape(_shape_awake(self.circuit)),
            "dynamics": lambda: truths.one(label=REGIMES[_shape_asleep(self.circuit)]),
        }
        return truths.among(self.circuit.name, question, answers)


def cell_phases(size: int) -> np.ndarray:
    """(neuron, 2): rows of v, each moved along u against the last, so that no two cells have one u.

    A bump on a ring of few places would be caught between them (Noorman et al. 2024, Nat Neurosci 27:2207).
    """
    regular = phases(size)
    return np.stack([regular[:, 0] + (regular[:, 1] - 0.5) / size, regular[:, 1]], axis=1)


@lru_cache(maxsize=32)
def _shape_awake(circuit: RingAlignedGrid) -> tuple[int, int, int]:
    """A torus, of which states under the input are an image, if that is not folded; else what is left of it."""
    states = circuit.states(phases(circuit.size), shown=True)
    if not folded(states, grid_steps(circuit.size, closed=True)):
        return (1, 2, 1)
    across = states.reshape(circuit.size, circuit.size, -1)
    if np.ptp(across, axis=1).max() < 1e-3 * states.max():
        return betti_numbers(across[:, 0])
    raise SimlabError(f"ring_aligned_grid's states are a folded torus with input_depth={circuit.input_depth}: raise it")


@lru_cache(maxsize=32)
def _shape_asleep(circuit: RingAlignedGrid) -> tuple[int, int, int]:
    """Of the states that the inputs of all phases leave behind."""
    return betti_numbers(circuit.states(phases(circuit.size)[:: circuit.size], shown=False))
