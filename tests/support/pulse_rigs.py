"""Rigs on planted units that fire when light reaches them, and pass on what they fire: for the methods of `effect`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from simlab.contracts import Budget
from simlab.data import recording
from simlab.session import Session, pulsed_trials

DELAY, JITTER, REFRACTORY = 2e-3, 2e-3, 4e-3
"""s: from a spike to one that it causes, from light to the spike that it causes, and after a spike without answer."""


@dataclass
class PulseRig:
    """Poisson units of `rate` [Hz]; a pulse makes a unit fire once, unless it has just fired.

    passed: (pre, post), the mean number of spikes that one of pre adds to post. light: (unit, unit), the chance that a
    pulse aimed at one makes another fire, 1 on the diagonal. liveliness: standard deviation of the log rate of all
    units over trials.
    """

    passed: np.ndarray
    light: np.ndarray | None = None
    rate: float = 10.0
    liveliness: float = 0.0
    seed: int = 0
    remaining: Budget = field(default_factory=lambda: Budget(3000, 3000.0, 3000))
    sessions: list[Session] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.n_units = len(self.passed)
        self.units = xr.Dataset(coords={"unit": np.arange(self.n_units)})
        self.brief = {"pulse_strength": 4.0, "pulse_duration": 0.01, "response_window": 0.05}

    def session(self, *, trials: int, duration: float) -> Session:
        return Session(trials, duration)

    def record(self, session: Session) -> xr.Dataset:
        self.sessions.append(session)
        cost = (session.trials, session.trials * session.duration, session.n_perturbed_trials())
        left = (self.remaining.trials, self.remaining.seconds, self.remaining.perturbations)
        assert all(spent <= had * (1 + 1e-9) for spent, had in zip(cost, left, strict=True))
        self.remaining = Budget(*(max(had - spent, 0) for spent, had in zip(cost, left, strict=True)))
        return world(self.passed, session, np.random.default_rng(self.seed), self.rate, self.light, self.liveliness)


def world(
    passed: np.ndarray,
    session: Session,
    rng: np.random.Generator,
    rate: float = 10.0,
    light: np.ndarray | None = None,
    liveliness: float = 0.0,
) -> xr.Dataset:
    """The recording of a session."""
    n = len(passed)
    gain = np.exp(liveliness * rng.standard_normal(session.trials))
    counts = rng.poisson(rate * session.duration * gain[:, None], (session.trials, n))
    trial, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    time = rng.uniform(0, session.duration, len(trial))
    for pulse in session.perturbations:
        chance = (np.eye(n) if light is None else light)[list(pulse.targets)].max(axis=0)
        on = pulsed_trials(pulse, session.trials)
        just = (time >= pulse.start - REFRACTORY) & (time < pulse.start)
        free = np.ones((session.trials, n), dtype=bool)
        free[trial[just], unit[just]] = False
        row, lit = np.nonzero(free[on] & (rng.random((len(on), n)) < chance))
        trial, unit = np.append(trial, on[row]), np.append(unit, lit)
        time = np.append(time, pulse.start + rng.uniform(0, JITTER, len(row)))
    more = rng.poisson(passed[unit])
    source, post = (np.repeat(index, more[more > 0]) for index in np.nonzero(more))
    late = time[source] + DELAY
    trial, unit, time = np.append(trial, trial[source]), np.append(unit, post), np.append(time, late)
    kept = time < session.duration
    spikes = (trial[kept], time[kept], unit[kept])
    return recording(duration=session.duration, n_units=n, n_trials=session.trials, spikes=spikes)


def sparse(n_units: int = 8, size: float = 0.5) -> np.ndarray:
    """Every unit passes on `size` of its spikes to the next but one; the last two to nobody."""
    return np.eye(n_units, k=2) * size


def lit_with(n_units: int, first: int, second: int) -> np.ndarray:
    """Light on either of two units reaches both."""
    light = np.eye(n_units)
    light[first, second] = light[second, first] = 1.0
    return light
