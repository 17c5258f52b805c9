"""Planted populations for the dynamics methods: units that see a state which stays, decays or is nobody's but theirs.

A rig on such units whose pushes do what a regime would: in the units that are hit, or in the state of all.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr
from ring_worlds import CUE, STEP, poisson_recording

from simlab.contracts import Budget, BudgetExceeded
from simlab.session import Session, Stimulus, pulsed_trials

CANDIDATES = ("external memory", "line attractor", "none of these")


def value_stimulus(values: np.ndarray, n_steps: int) -> Stimulus:
    shown = np.full((len(values), n_steps, 1), np.nan)
    shown[:, : int(CUE / STEP), 0] = values[:, None]
    return Stimulus(("value",), shown, STEP)


def see(state: np.ndarray, slopes: np.ndarray, rng: np.random.Generator, values: np.ndarray) -> xr.Dataset:
    """A recording of Poisson units at 30 Hz + slope x state (trial, time), of which `values` (trial,) were shown."""
    rates = np.maximum(30.0 + state[..., None] * slopes, 0.0)
    found = poisson_recording(rates, rng, values).assign_coords(feature=["value"])
    found.attrs["brief"] = {"candidates": CANDIDATES}
    return found


def slopes_of(n_units: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(np.where(np.arange(n_units) % 2, 15.0, -15.0))


def states(
    values: np.ndarray, n_steps: int, rng: np.random.Generator, *, decay: float = np.inf, drift: float = 0.0,
    levels: int = 0,
) -> np.ndarray:  # fmt: skip
    """(trial, time): the value shown, decaying with a time constant [s] after the cue, diffusing [1/s], in levels."""
    dark = np.maximum(np.arange(n_steps) * STEP - CUE, 0.0)
    start = np.sign(values) if levels == 2 else values
    walk = np.cumsum(rng.normal(0, np.sqrt(drift * STEP), (len(values), n_steps)) * (dark > 0), axis=1)
    return start[:, None] * np.exp(-dark / decay) + walk


def value_recording(
    seed: int, *, n_units: int = 30, n_trials: int = 40, duration: float = 2.0, **state: float
) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, n_trials)
    path = states(values, round(duration / STEP), rng, **state)  # type: ignore[arg-type]
    return see(path, slopes_of(n_units, rng), rng, values)


@dataclass
class RegimeRig:
    """A rig of units that see one value. What a push does: `stays` moves the state of all for good; `returns` adds
    spikes while it lasts; `cells` moves the units that are hit, each for good; `sways` moves the state of all from
    after the push on, up or down by which units were hit."""

    regime: str = "stays"
    n_units: int = 30
    remaining: Budget = field(default_factory=lambda: Budget(80, 160.0, 80))
    seed: int = 0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.slopes = slopes_of(self.n_units, self.rng)
        self.chain = self.rng.choice([-1.0, 1.0], self.n_units)
        self.units = xr.Dataset(coords={"unit": np.arange(self.n_units)})
        self.brief = {"candidates": ()}

    def session(self, *, trials: int, duration: float) -> Session:
        values = self.rng.uniform(-1, 1, trials)
        return Session(trials, duration, value_stimulus(values, round(duration / STEP)))

    def record(self, session: Session) -> xr.Dataset:
        self._spend(session)
        assert session.stimulus is not None
        values, n_steps = session.stimulus.values[:, 0, 0], round(session.duration / STEP)
        state = states(values, n_steps, self.rng, drift=0.01)
        rates = 30.0 + state[..., None] * self.slopes
        for pulse in session.perturbations:
            on, off, hit = round(pulse.start / STEP), round(pulse.stop / STEP), list(pulse.targets)
            for trial in pulsed_trials(pulse, session.trials):
                rates[trial, on:off, hit] += 20.0 * pulse.strength
                if self.regime == "stays":
                    rates[trial, on:] += 0.8 * np.sign(self.slopes[hit].sum()) * self.slopes
                elif self.regime == "cells":
                    rates[trial, off:, hit] += 20.0
                elif self.regime == "sways":
                    rates[trial, off:] += 1.5 * np.sign(self.chain[hit].sum() + 0.1) * self.slopes
        return (
            see(np.zeros((session.trials, n_steps)), np.zeros(self.n_units), self.rng, values)
            if (self.regime == "silent")
            else self._seen(rates, values)
        )

    def _seen(self, rates: np.ndarray, values: np.ndarray) -> xr.Dataset:
        found = poisson_recording(np.maximum(rates, 0.0), self.rng, values)
        return found.assign_coords(feature=["value"])

    def _spend(self, session: Session) -> None:
        left = self.remaining
        self.remaining = replace(
            left,
            trials=left.trials - session.trials,
            seconds=left.seconds - session.trials * session.duration,
            perturbations=left.perturbations - session.n_perturbed_trials(),
        )
        if min(self.remaining.trials, self.remaining.seconds + 1e-9, self.remaining.perturbations) < 0:
            raise BudgetExceeded(f"asked for more than is left: {left}")
