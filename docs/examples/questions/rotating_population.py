"""Poisson neurons that a rotating state and a flickering stimulus drive; every one of the six truths is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab import truths
from simlab.data import activity, anatomy
from simlab.session import Session, Stimulus
from simlab.simulators.effects import drive_at, engine_effects, hold_at

STEP = 0.05  # s, of stimulus, state and rates
N_CONDITIONS = 8


@dataclass(frozen=True)
class RotatingPopulation:
    """Each trial begins at one of eight phases phi, and the state z turns from there.

        z(t) = (cos(2 pi f t + phi), sin(2 pi f t + phi))
        rate_i(t) = base_i exp(gain w_i . z(t) + sum_l h_i(l) s(t - l) + current_i(t)),   spikes are Poisson
        behaviour b(t) = sum_i c_i n_i(t)

    s is Gaussian noise, h_i a filter of `n_lags` steps, w_i a random direction, n_i the spike counts. c_i > 0 for
    `n_readers` of the neurons; the readout being linear, neuron i's Shapley value is its own term: c_i times its rate.
    """

    name: ClassVar[str] = "rotating_population"
    mechanism: ClassVar[str] = "rotation"
    questions: ClassVar[tuple[str, ...]] = (
        "latents", "receptive_field", "cell_type", "dynamics", "dimensionality", "necessity",
    )  # fmt: skip
    kind: ClassVar[str] = "limit cycle"

    n_neurons: int = 20
    frequency: float = 1.0  # Hz
    gain: float = 0.9  # of the state on the log rate
    filter_size: float = 0.3  # norm of h_i
    n_lags: int = 4
    n_readers: int = 3

    def subject(self, rng: np.random.Generator) -> RotatingSubject:
        """One population: its rates, directions, filters and readers."""
        n = self.n_neurons
        angle = rng.uniform(0, 2 * np.pi, n)
        filters = rng.standard_normal((n, self.n_lags))
        weight = np.zeros(n)
        weight[rng.choice(n, self.n_readers, replace=False)] = rng.uniform(1.0, 2.0, self.n_readers)
        inhibitory = rng.permutation(n) < n // 4
        return RotatingSubject(
            self,
            base=np.where(inhibitory, 25.0, 6.0) * np.exp(0.15 * rng.standard_normal(n)),  # Hz
            direction=np.column_stack([np.cos(angle), np.sin(angle)]),
            filters=self.filter_size * filters / np.linalg.norm(filters, axis=1, keepdims=True),
            weight=weight,
            anatomy=anatomy(rng.uniform(0, 2e-4, (n, 3)), np.where(inhibitory, "I", "E").tolist()),
        )


@dataclass(frozen=True)
class StillPopulation(RotatingPopulation):
    """The rival: the same neurons, whose state stays where the trial began."""

    name: ClassVar[str] = "still_population"
    mechanism: ClassVar[str] = "held state"
    twin_of: ClassVar[tuple[str, ...]] = ("rotating_population",)
    kind: ClassVar[str] = "fixed point"

    frequency: float = 0.0

    def imitating(self, circuit: RotatingPopulation) -> StillPopulation:
        """A copy with as many neurons, as strongly driven."""
        return replace(self, n_neurons=circuit.n_neurons, gain=circuit.gain, filter_size=circuit.filter_size)


@dataclass(frozen=True, eq=False)
class RotatingSubject:
    """One population: base rates [Hz], directions (neuron, 2), filters (neuron, lag), readout weights (neuron,)."""

    circuit: RotatingPopulation
    base: np.ndarray
    direction: np.ndarray
    filters: np.ndarray
    weight: np.ndarray
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Trials of every condition in turn, under noise that changes every 50 ms."""
        steps = max(1, round(duration / STEP))
        conditions = tuple(int(c) for c in np.arange(trials) % N_CONDITIONS)
        return Session(
            trials, duration, Stimulus(("flicker",), rng.standard_normal((trials, steps, 1)), STEP), conditions
        )

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with spikes and behaviour."""
        n, trials = self.circuit.n_neurons, np.arange(session.trials)
        time = np.arange(max(1, round(session.duration / STEP))) * STEP
        effects = engine_effects(session, n, 1e-3)
        log_rate = np.log(self.base) + self.circuit.gain * self.state(session.conditions, time) @ self.direction.T
        log_rate = log_rate + self._seen(session, len(time))
        for step, when in enumerate(time):
            log_rate[:, step] += np.clip(drive_at(effects, when + STEP / 2, trials, n), -20, 2)
            held = hold_at(effects, when + STEP / 2, trials, n)
            log_rate[:, step] = np.where(np.isnan(held), log_rate[:, step], np.log(np.maximum(held, 1e-9)))
        counts = rng.poisson(np.exp(log_rate) * STEP)
        trial, step, neuron = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
        when = np.minimum((step + rng.random(len(step))) * STEP, session.duration)
        behaviour = (counts @ self.weight)[..., None]
        spikes = (trial, when, neuron)
        return activity(session, n, spikes=spikes, time=time, behaviour=behaviour).assign_attrs(engine="numpy")

    def state(self, conditions: tuple[int, ...] | np.ndarray | None, time: np.ndarray) -> np.ndarray:
        """z (trial, time, 2)."""
        phase = 2 * np.pi * np.asarray(conditions if conditions is not None else (0,)) / N_CONDITIONS
        angle = phase[:, None] + 2 * np.pi * self.circuit.frequency * time
        return np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    def _seen(self, session: Session, n_steps: int) -> np.ndarray:
        """The stimulus through each neuron's filter (trial, time, neuron)."""
        if session.stimulus is None:
            return np.zeros((1, 1, 1))
        shown = session.stimulus.values[:, :n_steps, 0]
        lagged = [np.pad(shown, ((0, 0), (lag, 0)))[:, :n_steps] for lag in range(self.circuit.n_lags)]
        return np.stack(lagged, axis=-1) @ self.filters.T

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """All six, of the equations above; the latents are those of the activity's conditions and times."""
        answers = {
            "latents": lambda: truths.latents(
                self.state(activity["condition"].values, activity["time"].values), activity["time"].values
            ),
            "receptive_field": lambda: xr.Dataset({"filter": (("neuron", "lag"), self.filters)}),
            "cell_type": lambda: truths.per_neuron(label=self.anatomy["cell_type"].values),
            "dynamics": lambda: truths.one(label=self.circuit.kind),
            "dimensionality": lambda: truths.one(dimension=2),
            "necessity": lambda: truths.per_neuron(importance=self.weight * self.base),
        }
        return truths.among(self.circuit.name, question, answers)
