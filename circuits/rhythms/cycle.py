"""The noise-free orbit of a rate network: whether it is a cycle, its period, and the states along it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

STATES = 60
"""Along one period, which trace a cycle for its topology."""

LIVELY = 0.05
"""A cycle's unit that swings most does so by at least this share of its highest rate; less is a state at rest."""

SAME = 0.02
"""Periods of one cycle differ by less than this share of them."""


@dataclass(frozen=True, eq=False)
class Orbit:
    """times (sample,) [s] and noise-free rates (sample, unit) once transients are over."""

    times: np.ndarray
    rates: np.ndarray

    @classmethod
    def of(cls, network: RateNetwork, start: np.ndarray, *, dt: float, settling: float, length: float) -> Orbit:
        """`length` [s] of the orbit that begins at a state (unit,), after `settling` [s]."""
        from simlab.simulators.rates import simulate

        quiet = replace(network, input_noise=0.0, state_noise=0.0, shot_noise=0.0)
        times, rates = simulate(
            quiet, Session(1, length), np.random.default_rng(0), dt=dt, sample_interval=dt, initial=start[None],
            burn_in=settling,
        )  # fmt: skip
        return cls(times, rates[0].astype(float))

    def onsets(self, unit: int) -> np.ndarray:
        """Times [s] at which a unit rises through the middle of its range, between samples by a straight line."""
        rate = self.rates[:, unit]
        middle = (rate.max() + rate.min()) / 2
        k = np.flatnonzero((rate[:-1] < middle) & (rate[1:] >= middle))
        return np.asarray(
            self.times[k] + (middle - rate[k]) / (rate[k + 1] - rate[k]) * (self.times[1] - self.times[0])
        )

    @property
    def liveliest(self) -> int:
        """The unit that swings most."""
        return int(np.argmax(np.ptp(self.rates, axis=0)))

    @property
    def period(self) -> float | None:
        """Of the cycle [s], None where the orbit comes to rest, or does not repeat itself in the time that was seen."""
        unit = self.liveliest
        if np.ptp(self.rates[:, unit]) < LIVELY * max(float(self.rates.max()), 1e-12):
            return None
        between = np.diff(self.onsets(unit))
        if len(between) < 2 or np.ptp(between) > SAME * between.mean():
            return None
        return float(between.mean())

    def states(self) -> np.ndarray:
        """(state, unit) along one period, in order and equally far apart. Raises ValueError where there is none."""
        period = self.period
        if period is None:
            raise ValueError("an orbit that is no cycle has no states along it: look at `period` first")
        first = self.onsets(self.liveliest)[0]
        at = first + period * np.linspace(0, 1, 50 * STATES + 1)
        states = np.stack([np.interp(at, self.times, unit) for unit in self.rates.T], axis=1)
        walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(states, axis=0), axis=1))])
        places = walked[-1] * np.arange(STATES) / STATES
        return np.stack([np.interp(places, walked, unit) for unit in states.T], axis=1)
