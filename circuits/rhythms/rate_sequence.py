"""A sequence by a chain: each stage is driven by the one before it, and activity leaves at the end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab import truths
from simlab.contracts import SimlabError
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Step
from simlab.session import Session, Stimulus

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

TISSUE = 200e-6
"""Edge [m] of the cube in which the neurons lie at random: places tell nothing of the order."""


@dataclass(frozen=True)
class RateSequence:
    """A feedforward chain of leaky stages (Goldman 2009, Neuron 61:621), started by a brief input to the first.

        tau dx_k/dt = -x_k + [w mean of stage k-1 + go(t) (k = 0) + baseline + noise xi]_+

    A pulse of unit area into stage 0 makes stage k follow the gamma density t^k exp(-t/tau) / (k! tau^(k+1)), so that
    peaks come one time constant after another and widen with the square root of their number. All of the matrix's
    eigenvalues are those of isolated leaky stages: nothing holds activity up, nothing brings it back. Sequences of
    this kind: songbird premotor activity, time cells (Long, Jin & Fee 2010, Nature 468:394; Pastalkova et al. 2008,
    Science 321:1322). Rates are in Hz where `go_strength` is; strength 1 of a stimulation is an input of 10.
    """

    name: ClassVar[str] = "rate_sequence"
    mechanism: ClassVar[str] = "feedforward chain"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    n_stages: Annotated[int, Within(2, 1000)] = 20
    neurons_per_stage: Annotated[int, Within(1, 100)] = 2
    weight: Annotated[float, Within(0, 2, excluding=(0,))] = 1.0
    time_constant: Annotated[float, Within(1e-3, 10, "s")] = 0.06  # s: the chain lasts its stages times this
    go_strength: Annotated[float, Within(0, 1000, "Hz")] = 60.0  # of the input to the first stage
    go_duration: Annotated[float, Within(1e-3, 10, "s")] = 0.1  # s from the trial's onset
    baseline: Annotated[float, Within(0, 100, "Hz")] = 1.0
    noise: Annotated[float, Within(0, 1000, "Hz")] = 5.0  # sd of the input noise of each step
    dt: Step = 5e-3  # s
    sample_interval: Annotated[float, Within(1e-4, 0.1, "s")] = 10e-3  # s

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.dt <= self.time_constant / 10,
            f"dt must be at most a tenth of the time constant, {self.time_constant} s, got {self.dt}",
        )

    @property
    def n_neurons(self) -> int:
        """Of all stages."""
        return self.n_stages * self.neurons_per_stage

    def subject(self, rng: np.random.Generator) -> RateSequenceSubject:
        """One chain, whose neurons are numbered and placed at random."""
        stage = rng.permutation(np.repeat(np.arange(self.n_stages), self.neurons_per_stage))
        place = rng.uniform(0, TISSUE, (self.n_neurons, 3))
        return RateSequenceSubject(self, stage, anatomy(place, ["E"] * self.n_neurons))


@dataclass(frozen=True, eq=False)
class RateSequenceSubject:
    """One chain: the stage (neuron,) of each neuron, and anatomy."""

    circuit: RateSequence
    stage: np.ndarray
    anatomy: xr.Dataset

    @property
    def weights(self) -> np.ndarray:
        """(pre, post)."""
        follows = self.stage[None, :] == self.stage[:, None] + 1
        return np.where(follows, self.circuit.weight / self.circuit.neurons_per_stage, 0.0)

    @cached_property
    def network(self) -> RateNetwork:
        """Its equations."""
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import threshold_linear

        c = self.circuit
        bias = np.where(self.stage == 0, c.baseline, (1 - c.weight) * c.baseline)
        return RateNetwork(
            self.weights, c.time_constant, threshold_linear, bias=bias, input_noise=c.noise, rheobase=10.0
        )

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Each trial begins with a go: 1 for `go_duration`, then nothing is shown (NaN)."""
        c = self.circuit
        values = np.full((trials, max(1, int(np.ceil(duration / c.go_duration - 1e-9))), 1), np.nan)
        values[:, 0, 0] = 1.0
        return Session(trials, duration, Stimulus(("go",), values, c.go_duration))

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with `rate` (trial, time, neuron) [Hz]."""
        from simlab.simulators.rates import simulate

        c = self.circuit
        rest = np.full((session.trials, c.n_neurons), c.baseline)
        shown, interval = self._shown(session)
        time, rate = simulate(
            self.network, session, rng, dt=c.dt, sample_interval=c.sample_interval,
            inputs=shown, input_interval=interval, initial=rest,
        )  # fmt: skip
        return activity(session, c.n_neurons, rate=rate, time=time)

    def _shown(self, session: Session) -> tuple[np.ndarray, float]:
        """The input (trial, step, neuron) [Hz] and how long its steps last [s]."""
        if session.stimulus is None:
            return np.zeros((session.trials, 1, self.circuit.n_neurons)), session.duration
        if session.stimulus.features != ("go",):
            raise SimlabError(f"a chain is shown one feature, 'go', got {session.stimulus.features}: name it so")
        go = np.nan_to_num(session.stimulus.values[:, :, 0])
        go = np.concatenate([go, np.zeros_like(go[:, :1])], axis=1)
        return go[:, :, None] * self.circuit.go_strength * (self.stage == 0), session.stimulus.interval

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dynamics`: activity is handed on and ends; `connectivity`: the weights that ran."""
        answers = {
            "dynamics": lambda: truths.one(label="feedforward sequence"),
            "connectivity": lambda: truths.wiring(self.weights, "1"),
        }
        return truths.among(self.circuit.name, question, answers)
