"""Cells without synapses among them whose rates are told by where the animal is and how it moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from circuits.space.foraging import awake, foraging_session, places
from circuits.space.trajectory import STEP, Walk, positions
from simlab import truths
from simlab.data import activity
from simlab.session import Session

VARIABLES = ("head_direction", "position", "speed")
"""What cells of an animal that forages may be tuned to; none of them stands alone in a recording: all follow from x, y.
The head points where the animal goes."""

WALKED = 300.0
"""s of walking from which the spread of rates is taken; the random numbers of that walk are the circuit's too."""


@dataclass(frozen=True, eq=False)
class DrivenSubject:
    """One individual of a circuit whose neurons fire independently at rates that follow the place.

    tuned: rates (..., neuron) [Hz] at places (..., 2) [m], or along paths (..., step, 2). gain: factor (trial, step,
    neuron or 1) on rates, of the session's trials and times (step,) [s]. replay: whether a place that nobody sees
    drives the neurons in sleep; else they fire at `resting` (neuron,) [Hz], their mean rates awake.
    """

    circuit: Any
    walk: Walk
    asleep: float
    tuned: Callable[[np.ndarray], np.ndarray]
    resting: np.ndarray
    replay: bool
    anatomy: xr.Dataset
    answers: Mapping[str, Callable[[], xr.Dataset]]
    gain: Callable[[int, np.ndarray, np.random.Generator], np.ndarray] | None = None

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Foraging in a box, and sleep after it where the circuit has any."""
        return foraging_session(self.walk, self.asleep, trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.given_rates import spikes

        fired = spikes(session, self.rates(session, rng), STEP, rng)
        result = activity(session, len(self.resting), spikes=fired)
        return result.assign_attrs(engine="numpy (renewal processes at given rates)")

    def rates(self, session: Session, rng: np.random.Generator) -> np.ndarray:
        """Rates (trial, step, neuron) [Hz], every `STEP`."""
        place = places(session)
        seen = awake(place)
        if self.replay:
            place[~seen] = positions(self.walk, int((~seen).sum()), place.shape[1], rng)
            seen = np.ones_like(seen)
        rates = np.empty((*place.shape[:2], len(self.resting)))
        rates[seen], rates[~seen] = self.tuned(place[seen]), self.resting
        if self.gain is not None:
            rates *= self.gain(session.trials, np.arange(place.shape[1]) * STEP, rng)
        return rates

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """What the circuit's `questions` list."""
        return truths.among(self.circuit.name, question, self.answers)


def codes(named: str | np.ndarray, n_neurons: int) -> xr.Dataset:
    """Truth of `tuning`: which of `VARIABLES` each neuron's rate is a function of, one name or (neuron,) names."""
    return truths.tuning(np.array(np.broadcast_to(named, n_neurons), dtype=object), VARIABLES)


def spread(subject: DrivenSubject) -> tuple[np.ndarray, np.ndarray]:
    """(neuron,) means [Hz] and coefficients of variation of the rates that a walking animal gives its cells."""
    path = positions(subject.walk, 1, round(WALKED / STEP), np.random.default_rng(0))[0]
    rates = subject.tuned(path)
    mean = rates.mean(axis=0)
    return mean, rates.std(axis=0) / np.maximum(mean, 1e-12)
