"""A linear-nonlinear rate network with sparse known weights: the textbook case of lagged correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Pause
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

TANGENT_SATURATION = 2.0
"""The logistic's tangent at its midpoint (slope 1/4, height 1/2) reaches 1 at this drive."""

TISSUE = 200e-6
"""Edge [m] of the cube in which the neurons lie at random: a local circuit, within reach of any instrument."""


@dataclass(frozen=True)
class CoupledRates:
    """Neurons that excite one another through a sparse random matrix, each with its own noise.

        x_j(t + T) = logistic( sum_i A_ij x_i(t) + xi_j(t) ),   A = mask / (1.01 s1),   s1 = norm of mask

    with xi standard normal, drawn afresh every T: the Neuromatch Academy network (computational neuroscience
    course, day W3D5 "Network causality", tutorials 1 to 3; SCIENCE.md 2.4). There the step is 1 without a unit; here it
    is `time_constant`. A neuron does not contact itself (in the tutorial it may). Rates are dimensionless, 0 to 1.

    The logistic has no threshold: strength 1 of a stimulation is the drive that takes a neuron from its midpoint
    to where its tangent there saturates, 2.
    """

    name: ClassVar[str] = "coupled_rates"
    mechanism: ClassVar[str] = "recurrent network"
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "effect")
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    n_neurons: Annotated[int, Within(2, 10_000)] = 25  # the tutorial's networks have 6 and 100
    density: Annotated[float, Within(0, 1, excluding=(0,))] = 0.1  # chance of a connection (tutorial: sparsity 0.9)
    stability: Annotated[float, Within(1, 100, excluding=(1,))] = 1.01
    """Weights are divided by this times their norm (tutorial: 1.01)."""
    noise: Annotated[float, Within(0, 100)] = 1.0
    """Standard deviation of the input noise in each step (tutorial: identity covariance)."""
    time_constant: Annotated[float, Within(1e-4, 1, "s")] = 0.01
    """s, the length of one step T; a cortical membrane's order of magnitude."""
    burn_in: Pause = 1.0  # s before each trial; the tutorial's "timescale of about 100 steps"

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> CoupledRatesSubject:
        """One network, its wiring and the places of its neurons drawn from `rng`."""
        mask = np.zeros((self.n_neurons, self.n_neurons))
        while not mask.any():  # a small sparse draw may come out empty, and an empty matrix cannot be scaled
            mask = (rng.random(mask.shape) < self.density).astype(float)
            np.fill_diagonal(mask, 0.0)
        weights = mask / (self.stability * np.linalg.norm(mask, 2))
        place = rng.uniform(0, TISSUE, (self.n_neurons, 3))
        return CoupledRatesSubject(self, weights, anatomy(place, ["E"] * self.n_neurons))


@dataclass(frozen=True, eq=False)
class CoupledRatesSubject:
    """One individual: `weights` (pre, post) and anatomy."""

    circuit: CoupledRates
    weights: np.ndarray
    anatomy: xr.Dataset

    @property
    def network(self) -> RateNetwork:
        """Its equations, for simulation, Jacobian and fixed points."""
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import logistic

        circuit = self.circuit
        return RateNetwork(
            self.weights, circuit.time_constant, logistic, input_noise=circuit.noise, rheobase=TANGENT_SATURATION
        )

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with `rate` (trial, time, neuron), dimensionless, one sample per step."""
        from simlab.simulators.rates import simulate

        # With dt = time_constant an Euler step is the tutorial's map, exactly.
        step, burn_in = self.circuit.time_constant, self.circuit.burn_in
        burn_in = round(burn_in / step) * step
        time, rate = simulate(self.network, session, rng, dt=step, sample_interval=step, burn_in=burn_in)
        return activity(session, self.circuit.n_neurons, rate=rate, time=time)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: the weights that ran. `effect`: what pulses did in simulation."""
        answers = {
            "connectivity": lambda: truths.wiring(self.weights, "1"),
            "effect": lambda: truths.pulse_responses(self, rng, trials=50),
        }
        return truths.among(self.circuit.name, question, answers)
