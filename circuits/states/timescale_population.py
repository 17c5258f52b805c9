"""What populations with known time constants have in common: independent neurons at wandering rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from circuits.states.branching import tissue
from circuits.states.square_root_drive import square_root_drive
from simlab import truths
from simlab.data import activity
from simlab.session import Session
from simlab.simulators.given_rates import spikes

STEPS = 10
"""In the shortest time constant: rates stay as they are within a step."""

Component = tuple[float, float]
"""Time constant [s] and relative variance of one part of the rates."""


@dataclass(frozen=True, eq=False)
class TimescalePopulation:
    """One population: the mean rate [Hz] of each neuron (neuron,), and the parts that every rate is the mean of."""

    circuit: Any
    mean_rate: np.ndarray
    components: Sequence[Component]
    anatomy: xr.Dataset

    @classmethod
    def drawn(cls, circuit: Any, components: Sequence[Component], rng: np.random.Generator) -> TimescalePopulation:
        """Lognormal mean rates, and places."""
        spread = circuit.rate_spread
        rates = circuit.mean_rate * np.exp(spread * rng.standard_normal(circuit.n_neurons) - spread**2 / 2)
        return cls(circuit, rates, components, tissue(circuit.n_neurons, rng))

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    @property
    def step(self) -> float:
        """s, in which rates are constant."""
        return min(time_constant for time_constant, _ in self.components) / STEPS

    def rates(self, session: Session, rng: np.random.Generator) -> np.ndarray:
        """(trial, bin, neuron) [Hz] in bins of `step`: each trial a piece of ongoing activity of its own."""
        bins = int(np.ceil(session.duration / self.step - 1e-9))
        paths = (session.trials, len(self.mean_rate))
        parts = [square_root_drive(bins, paths, self.step, *component, rng) for component in self.components]
        return self.mean_rate * np.swapaxes(np.mean(parts, axis=0), 0, 1)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        n = len(self.mean_rate)
        fired = spikes(session, self.rates(session, rng), self.step, rng)
        return activity(session, n, spikes=fired).assign_attrs(engine=f"numpy {np.__version__}")

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`timescale` [s]: the slowest one. `connectivity`: no synapse at all."""
        slowest = max(time_constant for time_constant, _ in self.components)
        answers = {
            "timescale": lambda: truths.one(timescale=slowest),
            "connectivity": lambda: truths.no_wiring(len(self.mean_rate)),
        }
        return truths.among(self.circuit.name, question, answers)
