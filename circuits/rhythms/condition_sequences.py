"""Bumps in sequence, whose sizes depend on the condition: looks like rotations to jPCA, and nothing rotates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.rhythms.conditions import repeated
from circuits.rhythms.rotational_dynamics import RotationalDynamics
from simlab import truths
from simlab.data import activity
from simlab.rules import Within, check_fields
from simlab.session import Session

WIDTH = 5e-3  # s, of the bins in which rates are given
LEAST = 1.0  # Hz, of a resting rate


@dataclass(frozen=True)
class ConditionSequences:
    """Neurons driven one after another, each by its own amount in each condition (Lebedev et al. 2019, Sci Rep
    9:18978).

        r_i,c(t) = b_i + a_i,c exp(-(t - t_i)^2 / (2 s^2))

    Peak times t_i are spread evenly over the first `span` seconds of a trial, and are the same in every condition. A
    bump's size is `common` to all conditions, and besides a cosine of the condition's place on a circle (as of the
    direction of a reach) with neurons' preferred places drawn at random, or, with `smooth` False, a normal deviate. An
    input gives the rates: no neuron changes another, and no state determines the next one. Lags between neurons make
    the projections of jPCA turn, as any travelling wave does. Mean rates are those of a rotational twin, and sizes
    give each neuron the variance over conditions and times that its twin has.
    """

    name: ClassVar[str] = "condition_sequences"
    mechanism: ClassVar[str] = "condition-dependent sequence"
    twin_of: ClassVar[tuple[str, ...]] = ("rotational_dynamics",)
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: RotationalDynamics = field(default_factory=RotationalDynamics)  # whose rates, conditions and variance it has
    span: Annotated[float, Within(0.01, 100, "s")] = 0.8  # s
    bump: Annotated[float, Within(0.001, 100, "s")] = 0.1  # s, standard deviation in time
    smooth: bool = True
    common: Annotated[float, Within(-100, 100)] = 1.0  # of a bump's size, in all conditions; the rest is their own

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: RotationalDynamics) -> ConditionSequences:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> ConditionSequencesSubject:
        """One population: the resting rates and variances of a twin, peak times, and sizes in each condition."""
        twin = self.like.subject(rng)
        n, conditions = self.like.n_neurons, self.like.n_conditions
        peak = rng.permutation((np.arange(n) + 0.5) / n * self.span)
        if self.smooth:
            place, preferred = 2 * np.pi * np.arange(conditions) / conditions, rng.uniform(0, 2 * np.pi, n)
            sizes = self.common + np.cos(place[:, None] - preferred)
        else:
            sizes = self.common + rng.standard_normal((conditions, n))
        times = (np.arange(max(1, round(self.span / WIDTH))) + 0.5) * WIDTH
        course = _course(times, peak, self.bump)
        wanted = np.maximum(twin.expected(times), 0).std(axis=(0, 1))
        made = (sizes[:, None] * course).std(axis=(0, 1))
        sizes = sizes * wanted / made
        resting = np.maximum(twin.resting - (sizes[:, None] * course).mean(axis=(0, 1)), LEAST)
        return ConditionSequencesSubject(self, resting, sizes, peak, twin.anatomy)


def _course(times: np.ndarray, peak: np.ndarray, bump: float) -> np.ndarray:
    """(time, neuron)."""
    return np.asarray(np.exp(-((times[:, None] - peak) ** 2) / (2 * bump**2)))


@dataclass(frozen=True, eq=False)
class ConditionSequencesSubject:
    """One population: resting (neuron,) and sizes (condition, neuron) [Hz], peak (neuron,) [s], anatomy."""

    circuit: ConditionSequences
    resting: np.ndarray
    sizes: np.ndarray
    peak: np.ndarray
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Trials of all conditions, as often as each other, in random order."""
        return Session(trials, duration, conditions=repeated(len(self.sizes), trials, rng))

    def expected(self, times: np.ndarray) -> np.ndarray:
        """(condition, time, neuron) [Hz]; negative where none can fire."""
        return self.resting + self.sizes[:, None] * _course(times, self.peak, self.circuit.bump)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.given_rates import spikes

        times = (np.arange(int(np.ceil(session.duration / WIDTH - 1e-9))) + 0.5) * WIDTH
        conditions = np.zeros(session.trials, int) if session.conditions is None else np.array(session.conditions)
        rates = np.maximum(self.expected(times), 0.0)[conditions % len(self.sizes)]
        columns = spikes(session, rates, WIDTH, rng)
        result = activity(session, len(self.peak), spikes=columns)
        return result.assign_attrs(engine=f"numpy {np.__version__}")

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dynamics`: driven; `connectivity`: no synapse."""
        answers = {
            "dynamics": lambda: truths.one(label="driven"),
            "connectivity": lambda: truths.no_wiring(len(self.peak)),
        }
        return truths.among(self.circuit.name, question, answers)
