"""Small real plug-ins that the tests of the machinery run on: a chain of Poisson neurons, and methods good and bad."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, Needs
from simlab.data import activity, anatomy, bin_spikes
from simlab.session import Effect, Perturbation, Session, effects_on, pulsed_trials


@dataclass(frozen=True)
class ToyChain:
    """Poisson neurons; a spike of neuron i makes neuron i+1 fire 3 ms later with probability `coupling`."""

    name: ClassVar[str] = "toy_chain"
    mechanism: ClassVar[str] = "chain"
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)

    n_neurons: int = 6
    rate: float = 10.0  # Hz
    coupling: float = 0.5

    def subject(self, rng: np.random.Generator) -> ToySubject:
        return ToySubject(self, rng.permutation(self.n_neurons), rng.uniform(0, 1e-4, (self.n_neurons, 3)))


class ToySubject:
    def __init__(self, circuit: ToyChain, order: np.ndarray, position: np.ndarray) -> None:
        self.circuit, self.order = circuit, order
        self.anatomy = anatomy(position, ["E"] * circuit.n_neurons)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        n = self.circuit.n_neurons
        counts = rng.poisson(self.circuit.rate * session.duration, (session.trials, n))
        trial, neuron = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
        when = rng.uniform(0, session.duration, len(trial))
        for pulse in effects_on(session, n):
            t, c = np.meshgrid(pulsed_trials(pulse, session.trials), _struck(pulse), indexing="ij")
            trial, neuron = np.append(trial, t), np.append(neuron, c)
            when = np.append(when, np.full(t.size, pulse.start))
        step = dict(zip(self.order[:-1], self.order[1:], strict=True))
        driven = (rng.random(len(trial)) < self.circuit.coupling) & np.isin(neuron, self.order[:-1])
        late = when[driven] + 0.003
        kept = late < session.duration
        followers = np.array([step[n] for n in neuron[driven][kept]], dtype=int)
        spikes = (
            np.append(trial, trial[driven][kept]),
            np.append(when, late[kept]),
            np.append(neuron, followers),
        )
        return activity(session, n, spikes=spikes).assign_attrs(engine="toy")

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        return truths.among("toy_chain", question, {"connectivity": self._wiring})

    def _wiring(self) -> xr.Dataset:
        weight = np.zeros((self.circuit.n_neurons,) * 2)
        if self.circuit.coupling:
            weight[self.order[:-1], self.order[1:]] = self.circuit.coupling
        return truths.wiring(weight)


def _struck(pulse: Effect) -> np.ndarray:
    """The neurons that fire once when a drive begins; holds and gains are not felt by toys."""
    return np.flatnonzero(pulse.steps[0] > 0) if pulse.kind == "drive" else np.empty(0, dtype=int)


@dataclass(frozen=True)
class ToyRival(ToyChain):
    """The same neurons, uncoupled."""

    name: ClassVar[str] = "toy_rival"
    mechanism: ClassVar[str] = "no chain"
    twin_of: ClassVar[tuple[str, ...]] = ("toy_chain",)
    coupling: float = 0.0

    def imitating(self, circuit: ToyChain) -> ToyRival:
        return replace(self, n_neurons=circuit.n_neurons, rate=circuit.rate)


@dataclass(frozen=True)
class LagCorrelation:
    """Count covariance at a lag of one 3 ms bin, thresholded at 5 standard errors."""

    name: ClassVar[str] = "lag_correlation"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "cross-correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",))
    width: float = 0.003

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        counts = bin_spikes(recording, self.width).values.astype(float)
        counts -= counts.mean((0, 1))
        covariance = np.einsum("abi,abj->ij", counts[:, :-1], counts[:, 1:])
        score = covariance / np.sqrt(np.outer(*[(counts**2).sum((0, 1))] * 2))
        decided = score * np.sqrt(counts[..., 0].size) > 5
        np.fill_diagonal(decided, False)
        return Finding({"score": score, "decided": decided, "sign": decided.astype(int)}, confidence=0.9)


@dataclass(frozen=True)
class PulseAndCount:
    """Active: drives each unit in turn and looks who else fires within 5 ms."""

    name: ClassVar[str] = "pulse_and_count"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",))
    repeats: int = 20
    greed: int = 1

    def investigate(self, rig, rng: np.random.Generator) -> Finding:
        n = rig.units.sizes["unit"]
        session = rig.session(trials=n * self.repeats * self.greed, duration=0.1)
        trials = np.arange(n * self.repeats * self.greed)
        for unit in range(n):
            mine = tuple(int(t) for t in trials[trials % n == unit])
            session = session.perturbed(Perturbation("stimulate", (unit,), 2.0, 0.05, 0.06, mine))
        recording = rig.record(session)
        late = (recording.spike_time.values > 0.0515) & (recording.spike_time.values < 0.055)
        stimulated = recording.spike_trial.values[late] % n
        response = np.zeros((n, n))
        np.add.at(response, (stimulated, recording.spike_unit.values[late]), 1 / self.repeats)
        np.fill_diagonal(response, 0)
        return Finding({"score": response, "decided": response > 0.25, "sign": np.ones((n, n), int)})


@dataclass(frozen=True)
class Misbehaving:
    """A method that goes wrong in the way that it is told to."""

    name: ClassVar[str] = "misbehaving"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "mischief"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs()
    how: str = "raise"

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        n = recording.sizes["unit"]
        square = np.zeros((n, n))
        if self.how == "raise":
            raise ValueError("this method always raises")
        if self.how == "hang":
            time.sleep(3600)
        if self.how == "memory":
            return Finding({"score": np.ones((1 << 20, 1 << 14))})
        if self.how == "shape":
            return Finding({"score": square[:1], "decided": square > 0, "sign": square})
        if self.how == "nan":
            return Finding({"score": square * np.nan, "decided": square > 0, "sign": square})
        if self.how == "none":
            return None  # type: ignore[return-value]
        if self.how == "die":
            os._exit(3)
        if self.how == "abstain":
            return Finding.abstain("it would rather not say")
        raise SystemExit(1)


def single_pulse(subject: ToySubject, neuron: int) -> Effect:
    strength = np.zeros(subject.circuit.n_neurons)
    strength[neuron] = 2.0
    return Effect("drive", strength, 0.05, 0.06)


@dataclass(frozen=True)
class Endless(ToyChain):
    """A circuit one of whose parts never ends: `subject`, `session`, `run` or `truth`."""

    name: ClassVar[str] = "endless"
    part: str = "run"

    def subject(self, rng: np.random.Generator) -> ToySubject:
        _loop(self.part == "subject")
        return EndlessSubject(self, rng.permutation(self.n_neurons), rng.uniform(0, 1e-4, (self.n_neurons, 3)))


class EndlessSubject(ToySubject):
    def session(self, **asked) -> Session:
        _loop(self.circuit.part == "session")
        return super().session(**asked)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        _loop(self.circuit.part == "run")
        return super().run(session, rng)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        _loop(self.circuit.part == "truth")
        return super().truth(question, activity, rng)


def _loop(forever: bool) -> None:
    while forever:
        with suppress(Exception):  # as careless code does
            sum(range(1000))


class Disguised:
    """A subject that is another one but for what a subclass changes of it."""

    def __init__(self, subject: ToySubject) -> None:
        self._subject = subject

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subject, name)
