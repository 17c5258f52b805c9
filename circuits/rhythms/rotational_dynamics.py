"""Rotations: a linear network whose state turns through a few planes, from a start that each condition sets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.rhythms.conditions import N_CONDITIONS, repeated
from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Step
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

TISSUE = 300e-6
"""Edge [m] of the cube in which the neurons lie at random: a patch of motor cortex."""

Speed = Annotated[float, Within(0.01, 100, "Hz")]


@dataclass(frozen=True)
class RotationalDynamics:
    """Motor cortex as an autonomous linear system (Churchland et al. 2012, Nature 487:51).

        tau dr/dt = -r + W r + (1 - W) b + noise,   W = U (1 + tau M) U',   so that for r = b + U x:   dx/dt = M x
        M: a block [[-1/decay, -w], [w, -1/decay]] for each plane, w = 2 pi frequency;   x(0) = x_c

    U (neuron, dimension) is a random orthonormal frame, b the neurons' resting rates, and x_c the state that
    preparation has left for condition c, drawn at random: conditions differ in where they start, and follow one law
    from there. Whatever lies outside the planes decays with tau. Neurons fire irregularly at the rates r. Frequencies
    are those of arm reaches, 1.5 to 2.5 Hz (Churchland et al. 2012, figure 3; from memory).

    Truth of `dynamics`: from the eigenvalues of the Jacobian. With a decay all are negative, and what is there at rest
    is a fixed point into which states spiral.
    """

    name: ClassVar[str] = "rotational_dynamics"
    mechanism: ClassVar[str] = "rotational dynamics"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_neurons: Annotated[int, Within(6, 10_000)] = 60
    frequencies: tuple[Speed, ...] = (1.5, 2.5)  # Hz, one for each plane
    decay: Annotated[float, Within(0.01, 1000, "s")] = 0.6  # s, of the turning states
    n_conditions: Annotated[int, Within(2, 1000)] = N_CONDITIONS
    resting_rate: Annotated[float, Within(0, 200, "Hz")] = 20.0  # b, mean of a gamma distribution over neurons
    modulation: Annotated[float, Within(0, 200, "Hz")] = 8.0  # sd over conditions and neurons of what they start with
    time_constant: Annotated[float, Within(1e-3, 1, "s")] = 0.02  # s, of single neurons
    noise: Annotated[float, Within(0, 1000, "Hz")] = 2.0  # sd of sqrt(tau) times the white noise of a rate
    dt: Step = 1e-3  # s

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            0 < 2 * len(self.frequencies) <= self.n_neurons,
            f"frequencies must be of 1 to n_neurons / 2 = {self.n_neurons // 2} planes, got {self.frequencies}",
        )
        require(
            self.dt <= self.time_constant / 10,
            f"dt must be at most a tenth of the time constant, {self.time_constant} s, got {self.dt}",
        )

    @property
    def generator(self) -> np.ndarray:
        """M (dimension, dimension) [1/s]."""
        n = 2 * len(self.frequencies)
        matrix = -np.eye(n) / self.decay
        for k, frequency in enumerate(self.frequencies):
            turn = 2 * np.pi * frequency
            matrix[2 * k, 2 * k + 1], matrix[2 * k + 1, 2 * k] = -turn, turn
        return matrix

    def subject(self, rng: np.random.Generator) -> RotationalDynamicsSubject:
        """One network: its planes, its neurons' resting rates, and where each condition starts."""
        n = 2 * len(self.frequencies)
        frame = np.linalg.qr(rng.standard_normal((self.n_neurons, n)))[0]
        starts = rng.standard_normal((self.n_conditions, n))
        starts = (starts - starts.mean(axis=0)) * self.modulation * np.sqrt(self.n_neurons / n)
        resting = rng.gamma(4.0, self.resting_rate / 4.0, self.n_neurons)
        place = rng.uniform(0, TISSUE, (self.n_neurons, 3))
        return RotationalDynamicsSubject(
            self, frame, starts, resting, anatomy(place, ["E"] * self.n_neurons, "motor cortex")
        )


@dataclass(frozen=True, eq=False)
class RotationalDynamicsSubject:
    """One network: frame (neuron, dimension), starts (condition, dimension) [Hz], resting (neuron,) [Hz], anatomy."""

    circuit: RotationalDynamics
    frame: np.ndarray
    starts: np.ndarray
    resting: np.ndarray
    anatomy: xr.Dataset

    @property
    def weights(self) -> np.ndarray:
        """(pre, post)."""
        c = self.circuit
        within = np.eye(self.frame.shape[1]) + c.time_constant * c.generator
        return (self.frame @ within @ self.frame.T).T

    @cached_property
    def network(self) -> RateNetwork:
        """Its equations."""
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import linear

        c = self.circuit
        bias = self.resting - self.resting @ self.weights
        return RateNetwork(
            self.weights, c.time_constant, linear, bias=bias, state_noise=c.noise, rheobase=max(c.resting_rate, 1.0)
        )

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Trials of all conditions, as often as each other, in random order; each begins with movement onset."""
        return Session(trials, duration, conditions=repeated(self.circuit.n_conditions, trials, rng))

    def expected(self, times: np.ndarray) -> np.ndarray:
        """(condition, time, neuron) [Hz]: rates without noise, r = b + U exp(M t) x_c; negative where none can fire."""
        from scipy.linalg import expm

        turned = np.stack([self.starts @ expm(self.circuit.generator * t).T for t in times], axis=1)
        return self.resting + turned @ self.frame.T

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.given_rates import renewal
        from simlab.simulators.rates import simulate

        c, width = self.circuit, 5 * self.circuit.dt
        conditions = np.zeros(session.trials, int) if session.conditions is None else np.array(session.conditions)
        start = self.resting + self.starts[conditions % c.n_conditions] @ self.frame.T
        longer = Session(session.trials, np.ceil(session.duration / width - 1e-9) * width, None, None,
                         session.perturbations)  # fmt: skip
        _, rate = simulate(self.network, longer, rng, dt=c.dt, sample_interval=width, initial=start)
        columns = renewal(np.maximum(rate.astype(float), 0.0), width, session.duration, rng)
        result = activity(session, c.n_neurons, spikes=columns)
        return result.assign_attrs(engine=f"numpy {np.__version__}")

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dynamics`: from the Jacobian's eigenvalues; `connectivity`: the weights that ran."""
        answers = {"dynamics": self._regime, "connectivity": self._wiring}
        return truths.among(self.circuit.name, question, answers)

    def _wiring(self) -> xr.Dataset:
        return truths.wiring(self.weights * ~np.eye(self.circuit.n_neurons, dtype=bool), "1")

    def _regime(self) -> xr.Dataset:
        """One stable state, since all modes of the Jacobian, (W - 1) / tau at any state, decay."""
        eigenvalues = np.linalg.eigvals((self.weights - np.eye(len(self.weights))) / self.circuit.time_constant)
        if eigenvalues.real.max() >= 0:
            raise LookupError(f"{self.circuit.name} decays with every parameter, got {eigenvalues.real.max()} 1/s")
        return truths.one(label="fixed point")
