"""A network whose couplings have rank one or two: activity that lives in as many dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.states import rate_run
from circuits.states.branching import tissue
from circuits.states.rate_run import SAMPLE_STEPS, STEPS
from circuits.states.resting_states import regime, resting_states
from simlab import truths
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Pause
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

SETTLING = 500
"""Time constants after which a state that still moves is taken for one that always will."""

MOST_FACTORS = 3


@dataclass(frozen=True)
class LowRank:
    """Rate units with couplings of low rank: the networks of Mastrogiuseppe & Ostojic 2018 (Neuron 99:609).

        T dx_i/dt = -x_i + tanh(sum_j J_ij x_j + sum_k u_k(t) m_ik + noise),   J_ij = sum_k m_ik n_jk / N
        m_ik ~ N(0, 1),   n_jk = overlap_k m_jk + xi_jk,   xi_jk ~ N(0, 1)

    There the state is h = J x. Everything that neurons tell one another is K = n' x / N, one number for each rank:

        T dK_k/dt = -K_k + <n_k tanh(sum_l (K_l + u_l) m_l)>     (mean over neurons)

    so that activity is a function of as many latent factors as there are overlaps (two: rank two). For one factor and
    large N, an overlap above 1 makes two stable states K = +-K*, with overlap <tanh'(K* m)> = 1; below 1 activity
    rests at zero. In a finite network random overlaps of m and n shift this a little; what is true of a subject comes
    from its own fixed points. Inputs u_k wander (Ornstein-Uhlenbeck) and carry the state about the whole of its
    factors' space: where they are slow beside T, the manifold of states has that dimension. Rates are no affine
    function of the factors, as tanh bends, so that no linear dimension is stated.
    """

    name: ClassVar[str] = "low_rank"
    mechanism: ClassVar[str] = "low-rank recurrent network"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity", "dimensionality")
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    n_neurons: Annotated[int, Within(10, 5_000)] = 200
    overlaps: tuple[Annotated[float, Within(-5, 5)], ...] = (2.0,)  # of n with m, one for each rank
    time_constant: Annotated[float, Within(1e-3, 1, "s")] = 0.05  # s, T: a slow synapse
    input_size: Annotated[float, Within(0, 10)] = 0.5  # standard deviation of each u
    input_time_constant: Annotated[float, Within(1e-2, 10, "s")] = 0.5  # s, of u
    noise: Annotated[float, Within(0, 10)] = 0.1  # standard deviation of each unit's own input, in steps of T / 10
    burn_in: Pause = 1.0  # s before each trial, which starts in a random state

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            1 <= len(self.overlaps) <= MOST_FACTORS,
            f"low_rank: overlaps must be 1 to {MOST_FACTORS} numbers, one for each rank, got {self.overlaps}",
        )

    def subject(self, rng: np.random.Generator) -> LowRankSubject:
        """One network: its two sets of vectors, and places."""
        n, rank = self.n_neurons, len(self.overlaps)
        given, taken = rng.standard_normal((2, n, rank))
        return LowRankSubject(self, given, np.asarray(self.overlaps) * given + taken, tissue(n, rng))


@dataclass(frozen=True, eq=False)
class LowRankSubject:
    """One individual: `given` m and `taken` n (neuron, factor), and anatomy."""

    circuit: LowRank
    given: np.ndarray
    taken: np.ndarray
    anatomy: xr.Dataset

    @property
    def weights(self) -> np.ndarray:
        """J (pre, post); a unit has a coupling with itself, of the order of any other."""
        return self.taken @ self.given.T / len(self.given)

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
        c = self.circuit
        start = rng.standard_normal((session.trials, self.given.shape[1])) @ self.given.T
        return rate_run.run(
            self.network, session, rng, time_constant=c.time_constant, burn_in=c.burn_in, initial=np.tanh(start),
            inputs=self._inputs(session, SAMPLE_STEPS * (c.time_constant / STEPS), rng),
        )  # fmt: skip

    def _inputs(self, session: Session, interval: float, rng: np.random.Generator) -> np.ndarray:
        """(trial, step, neuron): what the wandering inputs u give each unit."""
        steps, rank = int(np.ceil(session.duration / interval - 1e-9)), self.given.shape[1]
        u = rng.standard_normal((steps, session.trials, rank))
        decay = np.exp(-interval / self.circuit.input_time_constant)
        for k in range(1, steps):
            u[k] = decay * u[k - 1] + np.sqrt(1 - decay**2) * u[k]
        return np.swapaxes(self.circuit.input_size * u @ self.given.T, 0, 1)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`; `dynamics` by its fixed points; `dimensionality`: the rank, intrinsic."""
        rank = self.given.shape[1]
        answers = {
            "connectivity": lambda: truths.wiring(self.weights * (1 - np.eye(len(self.given))), "1"),
            "dynamics": lambda: truths.one(label=regime(len(self.rests(rng)))),
            "dimensionality": lambda: truths.one(intrinsic=rank),
        }
        return truths.among(self.circuit.name, question, answers)

    def rests(self, rng: np.random.Generator) -> np.ndarray:
        """The stable fixed points (state, neuron), without input or noise, from starts all over the factors' space."""
        tau, rank = self.circuit.time_constant, self.given.shape[1]
        corners = np.vstack([np.eye(rank), -np.eye(rank), rng.standard_normal((4, rank))])
        starts = np.tanh(2 * corners @ self.given.T)
        return resting_states(self.network, starts, duration=SETTLING * tau, dt=tau / STEPS)
