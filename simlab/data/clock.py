"""The one clock of all circuits: spikes are told to a tenth of a millisecond, whichever engine made them.

The grid of the spike times would otherwise name the engine, and with it a rival that is simulated by another.
"""

from __future__ import annotations

import numpy as np

TICK = 1e-4
"""Length of a tick [s]: the step of the finest built-in simulation, and the order of a spike sorter's precision."""

NEARLY = 1e-6
"""Ticks by which a time may fall short of a tick that it is meant to lie on: far more than rounding errors make."""


def on_clock(time: np.ndarray, duration: float) -> np.ndarray:
    """Spike times (spike,) [s] of trials of `duration` [s], each put at the start of the tick in which it lies.

    They are whole multiples of `TICK` from 0 on, and before the trial's end. A time outside of the trial by more than
    a tick, or one that is not finite, is left as it is: whoever checks the spikes names it.
    """
    time = np.asarray(time, dtype=float)
    last = max(round(duration / TICK) - 1, 0)
    inside = (time >= 0) & (time <= duration + TICK)
    tick = np.floor(np.where(inside, time, 0.0) / TICK + NEARLY)
    return np.where(inside, np.minimum(tick, last) * TICK, time)


def within_step(n_spikes: int, dt: float, rng: np.random.Generator) -> np.ndarray:
    """How long [s] after the start of a simulation's step of length dt [s] each of its spikes (spike,) was fired.

    A step longer than a tick does not say when in it a neuron fired: every moment of it is as likely.
    """
    return dt * rng.random(n_spikes) if dt > TICK * (1 + NEARLY) else np.zeros(n_spikes)
