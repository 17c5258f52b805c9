"""A network of strong random couplings, whose noise-free activity is chaos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.states import rate_run
from circuits.states.branching import tissue
from circuits.states.rate_run import STEPS
from circuits.states.resting_states import regime, resting_states
from simlab import truths
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Pause
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

TRANSIENT, FOLLOWED = 100, 1000
"""Time constants that a trajectory is left to itself, and then followed, for its Lyapunov exponent."""

POSITIVE = 0.005
"""Lyapunov exponent [1 / time constant] from which on dynamics are chaos: what is left of zero along a limit cycle
after so long a time is less."""


@dataclass(frozen=True)
class ChaoticRates:
    """Rate units with random couplings of mean zero: the network of Sompolinsky, Crisanti & Sommers 1988.

        T dx_i/dt = -x_i + tanh(sum_j J_ij x_j),   J_ij ~ N(0, gain^2 / N),   no self-coupling

    (Phys Rev Lett 61:259; there h = J x is the state, T dh/dt = -h + J tanh(h): the same dynamics.) For large N all
    activity dies away if gain < 1, and is chaos if gain > 1. A finite network has its transition somewhat above 1,
    with fixed points or limit cycles in between, so that the truth about a subject comes from its own Jacobian and its
    own Lyapunov exponent. Activity is dimensionless, -1 to 1: a departure from a background rate.

    There is no noise; trials start from random states. The unit of a stimulation is an input of 1, where tanh bends.
    """

    name: ClassVar[str] = "chaotic_rates"
    mechanism: ClassVar[str] = "random recurrent network"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    n_neurons: Annotated[int, Within(10, 5_000)] = 200  # large N in the theory
    gain: Annotated[float, Within(0, 20)] = 3.0
    """g. In the limit chaos begins at 1; of networks of 200, all of eight are chaotic at 2.5 and half at 2."""
    time_constant: Annotated[float, Within(1e-3, 1, "s")] = 0.05  # s, T: a slow synapse
    noise: Annotated[float, Within(0, 10)] = 0.0  # standard deviation of the input in each step of T / 10
    burn_in: Pause = 2.0  # s before each trial

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> ChaoticRatesSubject:
        """One network: its couplings and places."""
        weights = rng.normal(0, self.gain / np.sqrt(self.n_neurons), (self.n_neurons, self.n_neurons))
        np.fill_diagonal(weights, 0.0)
        return ChaoticRatesSubject(self, weights, tissue(self.n_neurons, rng))


@dataclass(frozen=True, eq=False)
class ChaoticRatesSubject:
    """One individual: `weights` (pre, post) and anatomy."""

    circuit: ChaoticRates
    weights: np.ndarray
    anatomy: xr.Dataset

    @property
    def network(self) -> RateNetwork:
        """Its equations, for simulation, Jacobian and fixed points."""
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import saturating

        return RateNetwork(self.weights, self.circuit.time_constant, saturating, input_noise=self.circuit.noise)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with `rate` (trial, time, neuron), dimensionless."""
        c, start = self.circuit, rng.uniform(-1, 1, (session.trials, len(self.weights)))
        return rate_run.run(self.network, session, rng, time_constant=c.time_constant, burn_in=c.burn_in, initial=start)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: the couplings. `dynamics`: by Lyapunov exponent [1/s] and fixed points, without noise."""
        answers = {
            "connectivity": lambda: truths.wiring(self.weights, "1"),
            "dynamics": lambda: self._dynamics(rng),
        }
        return truths.among(self.circuit.name, question, answers)

    def _dynamics(self, rng: np.random.Generator) -> xr.Dataset:
        exponent = self.lyapunov_exponent(rng)
        label = "chaos" if exponent * self.circuit.time_constant > POSITIVE else regime(len(self.rests(rng)))
        return truths.one(label=label, lyapunov_exponent=exponent)

    def rests(self, rng: np.random.Generator) -> np.ndarray:
        """The stable fixed points (state, neuron) that random starts lead to."""
        tau = self.circuit.time_constant
        starts = np.vstack([np.zeros(len(self.weights)), rng.uniform(-1, 1, (4, len(self.weights)))])
        return resting_states(self.network, starts, duration=FOLLOWED * tau, dt=tau / STEPS)

    def lyapunov_exponent(self, rng: np.random.Generator) -> float:
        """The largest one [1/s], of the simulated map: mean growth of a push along a noise-free trajectory.

        The push is carried on by the Jacobian, v' = (1 - a) v + a phi'(J x) J v with a = dt / T, and made a unit
        vector again at each step (Benettin et al. 1980, Meccanica 15:9).
        """
        a, couplings = 1 / STEPS, self.weights.T
        state = rng.uniform(-1, 1, len(couplings))
        push, growth = rng.standard_normal(len(couplings)), 0.0
        for step in range((TRANSIENT + FOLLOWED) * STEPS):
            after = np.tanh(couplings @ state)
            push = (1 - a) * push + a * (1 - after**2) * (couplings @ push)
            size = np.linalg.norm(push)
            growth += np.log(size) if step >= TRANSIENT * STEPS else 0.0
            state, push = (1 - a) * state + a * after, push / size
        return float(growth / (FOLLOWED * self.circuit.time_constant))
