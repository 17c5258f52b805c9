"""The compiled loop of clocked networks: event-driven, one trial after another."""

from __future__ import annotations

import numpy as np
from numba import njit, uint64


@njit
def _uniform(seed: int, trial: int, tick: int, unit: int) -> float:
    """A number in [0, 1) that depends on these four alone (the finaliser of splitmix64: Steele et al. 2014)."""
    z = uint64(seed) + uint64(trial) * uint64(0x9E3779B97F4A7C15)
    for part in (uint64(tick), uint64(unit)):
        z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
        z = (z ^ (z >> uint64(31))) + (part + uint64(1)) * uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
    return float((z ^ (z >> uint64(31))) >> uint64(11)) * (1.0 / 9007199254740992.0)


@njit
def _switches(h: float, threshold: float, temperature: float, draw: float) -> bool:
    if temperature == 0.0:
        return h > threshold
    return draw < 1.0 / (1.0 + np.exp(-(h - threshold) / temperature))


@njit(nogil=True, cache=True)
def advance(
    trials: tuple[int, int], state: np.ndarray, states: np.ndarray, begin: int, end: int,
    first: np.ndarray, post: np.ndarray, weight: np.ndarray, threshold: np.ndarray, temperature: float,
    outside: np.ndarray, pattern: np.ndarray, step_ticks: int,
    drive: np.ndarray, hold: np.ndarray, watched: np.ndarray, seed: int,
) -> None:  # fmt: skip
    """Moves `state` (trial, unit) of trials[0]..trials[1] from tick `begin` to `end`; fills `states`.

    weight: (1 or trial, synapse) in the order of `post`, which `first` (unit + 1,) divides by presynaptic unit.
    outside: (pattern, step, unit); drive: (trial, unit); hold: (trial, unit), the probability of being on, NaN if free.
    Without chance a unit can switch only after its input has: the others are not looked at.
    """
    n_units = state.shape[1]
    last = outside.shape[1] - 1
    changed, due, next_due = np.empty(n_units, np.int64), np.empty(n_units, np.int64), np.empty(n_units, np.int64)
    for trial in range(trials[0], trials[1]):
        w = weight[trial if weight.shape[0] > 1 else 0]
        on = state[trial]
        chance = temperature > 0.0
        synaptic = np.zeros(n_units)
        for unit in range(n_units):
            chance = chance or 0.0 < hold[trial, unit] < 1.0
            if on[unit]:
                for s in range(first[unit], first[unit + 1]):
                    synaptic[post[s]] += w[s]
        queued = np.zeros(n_units, np.bool_)
        n_due = 0
        for tick in range(begin, end):
            given = outside[pattern[trial], min(tick // step_ticks, last)]
            if chance or tick == begin or (tick % step_ticks == 0 and tick // step_ticks <= last):
                n_due = n_units
                for unit in range(n_units):
                    due[unit] = unit
            n_changed = 0
            for i in range(n_due):
                unit = due[i]
                queued[unit] = False
                held = hold[trial, unit]
                if held == held:
                    now = held > 0.0 and _uniform(seed, trial, tick, unit) < held
                else:
                    h = synaptic[unit] + given[unit] + drive[trial, unit]
                    draw = _uniform(seed, trial, tick, unit) if temperature > 0.0 else 0.0
                    now = _switches(h, threshold[unit], temperature, draw)
                if now != (on[unit] == 1):
                    changed[n_changed] = unit
                    n_changed += 1
            n_next = 0
            for i in range(n_changed):
                unit = changed[i]
                sign = -1.0 if on[unit] else 1.0
                on[unit] = 1 - on[unit]
                for s in range(first[unit], first[unit + 1]):
                    target = post[s]
                    synaptic[target] += sign * w[s]
                    if not queued[target]:
                        queued[target] = True
                        next_due[n_next] = target
                        n_next += 1
            due, next_due, n_due = next_due, due, n_next
            for i in range(watched.shape[0]):
                states[trial, tick, i] = on[watched[i]]
