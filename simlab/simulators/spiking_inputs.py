"""What a batched spiking network is given at each step: noise, a task's drives, and the effects of perturbations.

Each is an `Input`: `update(step)` writes into an array of Brian2's state, laid out (trial * neuron,) unless it says so.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from simlab.contracts import SimlabError
from simlab.session import Effect
from simlab.simulators.effects import changes, drive_at, gain_at, hold_at


class Input(Protocol):
    """Something that is written into the state before a step."""

    def update(self, step: int) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, eq=False)
class Drive:
    """A signal that varies in time, across trials and across neurons: a tuned input, a shared fluctuation.

    name, unit: of a variable that the equations use and the engine declares (SI). signal: (trial, step, factor), each
    step lasting `interval` [s]. loading: (factor, neuron), so that a neuron gets signal @ loading; None where factor
    is neuron. start: [s] of the first step from trial onset, negative to reach into the burn-in. Before its first
    step a drive holds its first value, and after its last step its last one.
    """

    name: str
    signal: np.ndarray
    interval: float
    loading: np.ndarray | None = None
    unit: str = "1"
    start: float = 0.0

    def __post_init__(self) -> None:
        if np.ndim(self.signal) != 3 or np.shape(self.signal)[1] < 1:
            raise SimlabError(f"a drive's signal must be (trial, step, factor), got shape {np.shape(self.signal)}")
        if not self.interval > 0:
            raise SimlabError(f"a drive's interval must be > 0 s, got {self.interval}")
        if not np.isfinite(self.signal).all():
            raise SimlabError("a drive's signal must be finite: fill in or mask its gaps first")

    def values(self, trials: np.ndarray, index: int) -> np.ndarray:
        """(trial, neuron) at one of its steps."""
        now = self.signal[trials, index]
        return now if self.loading is None else now @ self.loading


class Noise:
    """Standard normal numbers for every neuron and step, drawn ahead by a second thread where there is a core for it.

    Drawn in single precision (the fastest generator that numpy has, and far finer than the noise's own effect), in
    blocks that fit a core's cache; numpy lets go of the interpreter while it draws. With one thread (see `one_thread`)
    a block is drawn when it is needed: the same numbers.
    """

    BLOCK = 2**18  # numbers

    def __init__(self, store: np.ndarray, rng: np.random.Generator, steps: int):
        self.store, self.rng = store, rng
        self.rows = max(1, min(steps, self.BLOCK // len(store)))
        self.row = self.rows
        self.blocks = [np.empty((self.rows, len(store)), np.float32) for _ in range(2)]
        self.pool = None if one_thread() else ThreadPoolExecutor(1, thread_name_prefix="simlab-noise")
        self.ahead = None if self.pool is None else self._draw_ahead(self.pool)

    def _draw_ahead(self, pool: ThreadPoolExecutor) -> Future[np.ndarray]:
        self.blocks.reverse()
        return pool.submit(self.rng.standard_normal, dtype=np.float32, out=self.blocks[1])

    def _next(self) -> np.ndarray:
        if self.pool is None or self.ahead is None:
            return self.rng.standard_normal(dtype=np.float32, out=self.blocks[0])
        block, self.ahead = self.ahead.result(), self._draw_ahead(self.pool)
        return block

    def update(self, step: int) -> None:
        """Writes what holds at this step."""
        if self.row == self.rows:
            self.block, self.row = self._next(), 0
        self.store[:] = self.block[self.row]
        self.row += 1

    def close(self) -> None:
        """Lets go of what was held for it."""
        if self.pool is not None:
            self.pool.shutdown()


def one_thread() -> bool:
    """Whether an engine is to keep to one thread: where workers are the parallelism, or there is but one core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return os.environ.get("SIMLAB_ENGINE_THREADS") == "1" or cores == 1


class CommonNoise:
    """Gives neurons noise in common with others; runs just after `Noise`.

    source (neuron,): with whom each neuron shares, itself if with nobody. share: of the noise's variance.
    """

    def __init__(self, store: np.ndarray, source: np.ndarray, share: float):
        self.view = store.reshape(-1, len(source))
        self.sharing = np.flatnonzero(source != np.arange(len(source)))
        self.source, self.own, self.common = source[self.sharing], np.sqrt(1 - share), np.sqrt(share)

    def update(self, step: int) -> None:
        """Writes what holds at this step."""
        self.view[:, self.sharing] = self.own * self.view[:, self.sharing] + self.common * self.view[:, self.source]

    def close(self) -> None:
        """Lets go of what was held for it."""


class Drives:
    """Writes each drive's value for the chunk's trials whenever it changes."""

    def __init__(
        self,
        drives: Sequence[Drive],
        stores: Sequence[np.ndarray],
        trials: np.ndarray,
        n_neurons: int,
        offset: int,
        dt: float,
    ):
        for drive in drives:
            width = np.shape(drive.signal)[2] if drive.loading is None else np.shape(drive.loading)[-1]
            if width != n_neurons:
                raise SimlabError(f"drive {drive.name!r} must reach the {n_neurons} neurons, got {width}")
            if trials.max() >= len(drive.signal):
                raise SimlabError(f"drive {drive.name!r} must cover every trial, got {len(drive.signal)} of them")
        self.drives, self.stores, self.trials, self.offset, self.dt = drives, stores, trials, offset, dt
        self.index = [-1] * len(drives)

    def update(self, step: int) -> None:
        """Writes what holds at this step."""
        time = (step - self.offset) * self.dt
        for i, drive in enumerate(self.drives):
            index = int(max(time - drive.start, 0.0) / drive.interval + 1e-6)
            index = min(index, np.shape(drive.signal)[1] - 1)
            if index != self.index[i]:
                self.index[i] = index
                self.stores[i][:] = drive.values(self.trials, index).ravel()

    def close(self) -> None:
        """Lets go of what was held for it."""


class Commands:
    """Effects of one kind on a chunk's trials, and the steps at which they change.

    A step is in a window if its middle is.
    """

    def __init__(self, effects: Sequence[Effect], trials: np.ndarray, n_neurons: int, steps: range, dt: float):
        self.effects, self.trials, self.n_neurons, self.offset, self.dt = effects, trials, n_neurons, steps.start, dt
        edges = changes(effects, len(steps) * dt)
        self.edges = np.unique(np.ceil(edges / dt - 0.5 - 1e-6).astype(int)) + self.offset
        self._edges = set(self.edges.tolist())
        self.last = steps.stop

    def changed(self, step: int) -> bool:
        """Whether anything changes at this step."""
        return step in self._edges

    def time(self, step: int) -> float:
        """The middle of a step [s] from trial onset."""
        return (step - self.offset + 0.5) * self.dt


class Currents:
    """The sum of all drives, in rheobases, set anew whenever one changes."""

    def __init__(self, commands: Commands, store: np.ndarray):
        self.commands, self.store = commands, store

    def update(self, step: int) -> None:
        """Writes what holds at this step."""
        c = self.commands
        if c.changed(step):
            self.store[:] = drive_at(c.effects, c.time(step), c.trials, c.n_neurons).ravel()

    def close(self) -> None:
        """Lets go of what was held for it."""


class Gains:
    """The factor on each synapse of one set, laid out (trial * synapse,), set anew whenever a gain changes."""

    def __init__(self, commands: Commands, store: np.ndarray, pre: np.ndarray, post: np.ndarray):
        self.commands, self.store, self.pre, self.post = commands, store, pre, post

    def update(self, step: int) -> None:
        """Writes what holds at this step."""
        c = self.commands
        if c.changed(step):
            self.store[:] = gain_at(c.effects, c.time(step), c.trials, self.pre, self.post).ravel()

    def close(self) -> None:
        """Lets go of what was held for it."""


class Holds:
    """Neurons held at a firing rate: deaf to their own threshold, made to fire at regular times of random phase.

    Writes 0 (free), 1 (held) or 2 (made to fire at this step). Where the rate changes, the phase goes on.
    """

    def __init__(self, commands: Commands, store: np.ndarray, rng: np.random.Generator):
        self.store = store
        self.held: dict[int, np.ndarray] = {}
        self.spikes = self._schedule(commands, rng.random(len(store)))
        self.forced = _by_step(*self.spikes)
        self.fired: np.ndarray | None = None

    def _schedule(self, commands: Commands, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(step, cell) at which a cell is made to fire: when its phase, from `offset` (cell,) on, passes a whole."""
        steps, cells = [np.empty(0, int)], [np.empty(0, int)]
        phase = np.zeros(len(offset))
        for first, last in pairwise([*commands.edges.tolist(), commands.last]):
            rate = hold_at(commands.effects, commands.time(first), commands.trials, commands.n_neurons).ravel()
            self.held[first] = ~np.isnan(rate)
            each = np.nan_to_num(rate) * commands.dt  # per step
            before, phase = phase, phase + each * (last - first)
            start = np.ceil(before - offset).astype(int)
            count = np.ceil(phase - offset).astype(int) - start
            cell = np.repeat(np.arange(len(count)), count)
            nth = start[cell] + np.arange(len(cell)) - np.repeat(np.cumsum(count) - count, count)
            when = first + np.floor((nth + offset[cell] - before[cell]) / each[cell]).astype(int)
            steps.append(np.minimum(when, last - 1))
            cells.append(cell)
        return np.concatenate(steps), np.concatenate(cells)

    def update(self, step: int) -> None:
        """Writes what holds at this step."""
        if self.fired is not None:
            self.store[self.fired] = 1.0
            self.fired = None
        if step in self.held:
            self.store[:] = self.held[step]
        if step in self.forced:
            self.fired = self.forced[step]
            self.store[self.fired] = 2.0

    def close(self) -> None:
        """Lets go of what was held for it."""


def _by_step(step: np.ndarray, cell: np.ndarray) -> dict[int, np.ndarray]:
    order = np.argsort(step, kind="stable")
    unique, start = np.unique(step[order], return_index=True)
    return dict(zip(unique.tolist(), np.split(cell[order], start)[1:], strict=True))
