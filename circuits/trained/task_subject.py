"""The individual that does a task with a trained network: its rates, its report, and what its equations say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from circuits.memory.regimes import PERSISTENT, distinct, linear_regime
from circuits.memory.remembered import DRIVE_RATE, scattered, wiring
from circuits.trained.training import STEP, Parameters, followed
from simlab import truths
from simlab.data import activity
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork


def network_of(found: Parameters, base: float, time_constant: float | np.ndarray, noise: float = 0.0) -> RateNetwork:
    """The trained equations as rates [Hz] between 0 and twice `base`: x = base (1 + y).

    noise [Hz]: standard deviation of each neuron's own. As 1 + tanh u = 2 logistic(2 u), its drive is 2 u.
    """
    from simlab.simulators.rates import RateNetwork
    from simlab.simulators.transfers import logistic_between

    return RateNetwork(
        2 * found.weights / base, time_constant, logistic_between, (0.0, 2 * base),
        bias=2 * (found.bias - found.weights.sum(axis=0)), rheobase=2 * DRIVE_RATE / base,  # where it is steepest
        state_noise=noise * 2**0.5,  # tau dx = -x dt + s sqrt(tau) dW has a variance of s^2 / 2
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class TaskSubject:
    """One individual.

    name: of its circuit. cells: whose `base`, `time_constant`, `private_noise`, `model` and `interval_cv` it has. task:
    see `circuits.trained.tasks`. found: what it was trained to. replayed: its neurons only hear of the network, which
    does the task unrecorded, so that what is done to them reaches neither it nor its report nor each other.
    """

    name: str
    cells: Any
    task: Any
    found: Parameters
    anatomy: xr.Dataset
    replayed: bool = False

    @classmethod
    def drawn(cls, name: str, circuit: Any, found: Parameters, rng: np.random.Generator) -> TaskSubject:
        """With the cells and the task of this circuit, and neurons anywhere in the tissue."""
        return cls(name, circuit.cells, circuit.task, found, scattered(len(found.bias), rng))

    @property
    def network(self) -> RateNetwork:
        """Its equations, in Hz."""
        return network_of(self.found, self.cells.base, self.cells.time_constant, self.cells.private_noise)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """The task that it was trained on."""
        return self.task.session(trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """Spikes, or `rate` [Hz] every 20 ms; the report as behaviour, and whether each trial's was right."""
        from simlab.simulators.given_rates import renewal, under_effects

        time, rates = self.rates(session, rng)
        output = self.report(rates)
        more = {"time": time, "behaviour": output[:, :, None], "outcome": self.task.outcome(session, output)}
        if self.replayed:
            rates = under_effects(session, rates, STEP, DRIVE_RATE)
        n = rates.shape[2]
        if self.cells.model == "rate":
            return activity(session, n, rate=rates, **more).assign_attrs(engine=_engine())
        spikes = renewal(rates, STEP, session.duration, rng, interval_cv=self.cells.interval_cv)
        return activity(session, n, spikes=spikes, **more).assign_attrs(engine=_engine())

    def rates(self, session: Session, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Sample times (time,) [s] and rates (trial, time, neuron) [Hz] of the network, without a spike's noise."""
        from simlab.simulators.rates import simulate

        network, inputs = self.network, 2 * self.task.inputs(session) @ self.found.entry
        padded = Session(
            session.trials, inputs.shape[1] * STEP, perturbations=() if self.replayed else session.perturbations
        )
        time, rates = simulate(
            network, padded, rng, dt=STEP, sample_interval=STEP, inputs=inputs, input_interval=STEP,
            initial=np.full((session.trials, network.size), float(self.cells.base)),
        )  # fmt: skip
        return time, np.clip(rates.astype(float), 0.0, None)

    def report(self, rates: np.ndarray) -> np.ndarray:
        """z (trial, time) from rates (trial, time, neuron) [Hz]."""
        return np.asarray((rates / self.cells.base - 1) @ self.found.readout)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dynamics` by the Jacobian in the states that the task leaves; `connectivity` [1/Hz]."""
        n = len(self.found.bias)
        answers: dict[str, Callable[[], xr.Dataset]] = {
            "dynamics": lambda: truths.one(label="driven" if self.replayed else self.regime()),
            "connectivity": lambda: truths.no_wiring(n) if self.replayed else wiring(self.network.weights, "1/Hz"),
        }
        return truths.among(self.name, question, answers)

    def left_in(self) -> np.ndarray:
        """States (probe, neuron) [Hz] in which the task, without noise, leaves it half a delay after the cue."""
        leak = np.full(len(self.found.bias), STEP / self.cells.time_constant)
        return np.asarray(self.cells.base * (1 + followed(self.found, leak, self.task.probes())[:, -1]))

    def regime(self) -> str:
        """What holds it: a line where most states have one neutral mode, and all others decay; see `regime_of`."""
        return regime_of(self.network, self.left_in(), self.cells.time_constant)


def regime_of(network: RateNetwork, states: np.ndarray, time_constant: float) -> str:
    """The regime of noise-free dynamics around states (state, neuron), on the scale of `PERSISTENT` time constants.

    `line attractor` if in most states one mode neither grows nor decays within that time, and the others decay: a
    trained network's line is one of slow states, seldom of exact fixed points (Sussillo & Barak 2013, Neural Comput
    25:626). `bistable` if the states go to several stable fixed points. Else what a linear network with the Jacobian of
    the middle state is, `non-normal integrator` or `fixed point` (`circuits.memory.regimes`).
    """
    from simlab.simulators.rates import settle

    long = PERSISTENT * time_constant
    modes = np.array([np.linalg.eigvals(network.jacobian(state)).real for state in states])
    neutral, growing = (np.abs(modes) < 1 / long).sum(axis=1), (modes >= 1 / long).sum(axis=1)
    if ((neutral == 1) & (growing == 0)).mean() > 0.5:
        return "line attractor"
    ends = settle(network, states, duration=100 * time_constant, dt=STEP)
    stable = [end for end in ends if np.linalg.eigvals(network.jacobian(end)).real.max() < 0]
    if len(distinct(np.array(stable), 0.05)) > 1:
        return "bistable"
    return linear_regime(network.jacobian(states[len(states) // 2]), time_constant)


def _engine() -> str:
    from jax import __version__ as jax_version

    return f"numpy {np.__version__}, jax {jax_version}"
