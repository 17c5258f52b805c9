"""Threshold units that all switch together, tick by tick: logic machines, and areas that are either on or off.

    h_i(k) = sum_j g_ji w_ji x_j(k) + u_i(k) + rheobase_i drive_i(k)
    x_i(k+1) = 1 with probability 1 / (1 + exp(-(h_i(k) - threshold_i) / temperature)), else 0

A temperature of 0 makes this [h > threshold] (McCulloch & Pitts 1943), one above Glauber's (1963). Every synapse
takes one tick. A held unit is on with probability rate / on_rate in each tick. All trials run at once; what each
of them draws depends on the seed, its number and the tick alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.rules import require
from simlab.session import Effect, Session
from simlab.simulators.effects import changes, drive_at, engine_effects, gain_at, hold_at, of_kind
from simlab.simulators.spiking_inputs import cores, one_thread

MOST_STATES = 2**31
"""Trials x ticks x watched units of one call: two gigabytes of states."""

TRIALS_AT_ONCE = 64
"""Trials of one compiled call: bounds how long nobody can interrupt it."""


@dataclass(frozen=True, eq=False)
class ClockedNetwork:
    """Units and the synapses among them; pre, post and weight are (synapse,), the rest (unit,) or one for all."""

    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    threshold: np.ndarray
    tick: float  # s
    temperature: float = 0.0  # in the units of weights
    rheobase: float = 1.0  # what one rheobase of drive adds to a unit's input, in the units of weights
    on_rate: float = 0.0  # Hz: the rate at which a unit that is on counts as firing; 0: once per tick

    def __post_init__(self) -> None:
        shapes = {np.shape(self.pre), np.shape(self.post), np.shape(self.weight)}
        require(len(shapes) == 1, f"pre, post and weight must have one entry per synapse, got shapes {sorted(shapes)}")
        ends = np.concatenate([self.pre, self.post])
        odd = ends[(ends < 0) | (ends >= self.n_units)]
        require(not odd.size, f"a synapse's ends must be units 0..{self.n_units - 1}, got {odd[:5].tolist()}")
        require(self.tick > 0, f"a tick must be > 0 s, got {self.tick}")
        require(self.temperature >= 0, f"a temperature must be >= 0, got {self.temperature}")

    @classmethod
    def of(cls, weights: np.ndarray, threshold: np.ndarray, tick: float, **more: float) -> ClockedNetwork:
        """A network from its matrix of weights (pre, post); 0 is no synapse."""
        pre, post = np.nonzero(weights)
        return cls(pre, post, weights[pre, post], np.asarray(threshold, dtype=float), tick, **more)

    @property
    def n_units(self) -> int:
        """How many units there are."""
        return len(self.threshold)

    @property
    def full_rate(self) -> float:
        """The rate [Hz] at which a held unit is on all the time."""
        return self.on_rate or 1 / self.tick

    @cached_property
    def by_pre(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where each unit's synapses begin (unit + 1,), their posts and their places in `weight` (synapse,)."""
        order = np.argsort(self.pre, kind="stable")
        first = np.searchsorted(np.asarray(self.pre)[order], np.arange(self.n_units + 1))
        return first.astype(np.int64), np.asarray(self.post)[order].astype(np.int64), order.astype(np.int64)

    def matrix(self) -> np.ndarray:
        """The weights (pre, post)."""
        dense = np.zeros((self.n_units, self.n_units))
        np.add.at(dense, (self.pre, self.post), self.weight)
        return dense


@dataclass(frozen=True, eq=False)
class ClockedInput:
    """What comes from outside: `values` (pattern, step, unit), each step for `ticks` ticks, the last one for ever.

    pattern: (trial,) which of the patterns each trial gets.
    """

    values: np.ndarray
    pattern: np.ndarray
    ticks: int = 1


def run(
    network: ClockedNetwork,
    given: ClockedInput,
    session: Session,
    seed: int,
    *,
    watched: Sequence[int] | np.ndarray | None = None,
    silenced: np.ndarray | None = None,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """States (trial, tick, watched) bool of a session, tick k being from k to k+1 ticks after the trial's onset.

    watched: the units whose states are returned, all by default. silenced: (trial, unit) bool, units that are off
    throughout a trial, whatever else is done to them: for lesions by the thousand. start: states (unit,) or
    (trial, unit) before the first tick; off by default. The session's effects act as everywhere, at the resolution of a
    tick: drives are in `rheobase`, holds in Hz, gains multiply weights.
    Raises SimlabError where an effect does not fit, and for more states than memory should hold.
    """
    from simlab.simulators.clocked_kernel import advance

    effects = engine_effects(session, network.n_units, network.tick)
    trials, n_ticks = session.trials, max(1, round(session.duration / network.tick))
    seen = np.arange(network.n_units) if watched is None else np.asarray(watched, dtype=np.int64)
    if trials * n_ticks * len(seen) > MOST_STATES:
        raise SimlabError(f"{trials} trials of {n_ticks} ticks are too many for {len(seen)} watched units: watch fewer")
    _check_given(given, trials, network.n_units)
    state = np.zeros((trials, network.n_units), np.uint8)
    if start is not None:
        state[:] = start
    off = np.zeros((trials, network.n_units), bool) if silenced is None else np.asarray(silenced, dtype=bool)
    require(off.shape == state.shape, f"silenced must be (trial, unit), {state.shape}, got {off.shape}")
    states = np.empty((trials, n_ticks, len(seen)), np.uint8)
    first, post, place = network.by_pre
    cuts = of_kind(effects, "gain")
    for begin, end, now in segments(effects, n_ticks, network.tick):
        gained = cuts and any(e.at(now) is not None for e in cuts)
        weights = network.weight * (_gains(effects, now, trials, network) if gained else np.ones((1, 1)))
        drive = drive_at(effects, now, np.arange(trials), network.n_units) * network.rheobase
        hold = hold_at(effects, now, np.arange(trials), network.n_units) / network.full_rate
        _in_threads(
            advance, state, states, begin, end, first, post, np.ascontiguousarray(weights[:, place], dtype=np.float64),
            np.broadcast_to(np.asarray(network.threshold, dtype=float), (network.n_units,)).copy(),
            float(network.temperature), np.ascontiguousarray(given.values, dtype=np.float64),
            np.asarray(given.pattern, dtype=np.int64), int(given.ticks),
            drive, np.where(off, 0.0, hold), seen, np.uint64(seed),
        )  # fmt: skip
    return states.astype(bool)


def _check_given(given: ClockedInput, trials: int, n_units: int) -> None:
    patterns, _, units = given.values.shape
    pattern = np.asarray(given.pattern)
    fits = units == n_units and pattern.shape == (trials,) and ((pattern >= 0) & (pattern < patterns)).all()
    require(
        bool(fits),
        f"an input must say the pattern of each trial, one of its {patterns}, for all {n_units} units, "
        f"got {pattern.shape} trials with {np.unique(pattern).tolist()[:5]} and {units} units",
    )
    require(given.ticks >= 1, f"a step of the input must last at least one tick, got {given.ticks}")


def _in_threads(advance: Callable[..., None], state: np.ndarray, *arguments: Any) -> None:
    """The trials part by part, on as many threads as there are cores, or on one in a worker."""
    n_threads = 1 if one_thread() else cores()
    edges = np.arange(0, len(state) + TRIALS_AT_ONCE, TRIALS_AT_ONCE).clip(max=len(state))
    parts = list(pairwise(edges.tolist()))
    if min(n_threads, len(parts)) == 1:
        for part in parts:
            advance(part, state, *arguments)
        return
    with ThreadPoolExecutor(n_threads, thread_name_prefix="simlab-trials") as pool:
        for done in [pool.submit(advance, part, state, *arguments) for part in parts]:
            done.result()


def _gains(effects: Sequence[Effect], now: float, trials: int, network: ClockedNetwork) -> np.ndarray:
    return gain_at(effects, now, np.arange(trials), np.asarray(network.pre), np.asarray(network.post))


def segments(effects: Sequence[Effect], n_ticks: int, tick: float) -> list[tuple[int, int, float]]:
    """Ticks from, to, and a time [s] at which what is done to the subject in between can be read off."""
    edges = np.round(changes(effects, n_ticks * tick) / tick).astype(int)
    cuts = np.unique(np.concatenate([[0], edges[(edges > 0) & (edges < n_ticks)], [n_ticks]]))
    return [(int(a), int(b), (a + 0.5) * tick) for a, b in pairwise(cuts)]


def onsets(states: np.ndarray, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trial, tick and unit of every switch from off to on; start: states (unit,) before the first tick."""
    before = np.zeros_like(states[:, :1]) if start is None else np.broadcast_to(start, states[:, :1].shape)
    earlier = np.concatenate([before, states[:, :-1]], axis=1)
    trial, tick, unit = np.nonzero(states & ~earlier.astype(bool))
    return trial, tick, unit
