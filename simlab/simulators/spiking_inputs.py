"""What a spiking network is given as time goes on: a task's drives, and what the session's effects command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from simlab.contracts import SimlabError
from simlab.session import Effect
from simlab.simulators.effects import changes, hold_at


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
        """(trial, neuron) at one of its steps; summed in the order of its factors, so alike on every engine."""
        now = self.signal[trials, index]
        if self.loading is None:
            return now
        total = np.zeros((len(now), np.shape(self.loading)[1]))
        for factor, loading in enumerate(self.loading):
            total += now[:, factor, None] * loading
        return total

    def rows(self, steps: range, dt: float) -> np.ndarray:
        """(step,) which of its own steps holds at each of a simulation's, counted from trial onset."""
        time = np.maximum(np.arange(steps.start, steps.stop) * dt - self.start, 0.0)
        return np.minimum((time / self.interval + 1e-6).astype(np.int32), np.shape(self.signal)[1] - 1)

    def check(self, n_neurons: int, trials: int) -> None:
        """Raises SimlabError unless it reaches these neurons in these trials."""
        width = np.shape(self.signal)[2] if self.loading is None else np.shape(self.loading)[-1]
        if width != n_neurons:
            raise SimlabError(f"drive {self.name!r} must reach the {n_neurons} neurons, got {width}")
        if trials > len(self.signal):
            raise SimlabError(f"drive {self.name!r} must cover every trial, got {len(self.signal)} of them")


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def one_thread() -> bool:
    """Whether an engine is to keep to one thread: where workers are the parallelism, or there is but one core."""
    return os.environ.get("SIMLAB_ENGINE_THREADS") == "1" or cores() == 1


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

    def rows(self, steps: range) -> np.ndarray:
        """(step,) which of the stretches between changes each step lies in, 0 before the first."""
        return np.searchsorted(self.edges, np.arange(steps.start, steps.stop), side="right").astype(np.int32)


@dataclass(frozen=True, eq=False)
class Schedule:
    """Neurons held at a firing rate: deaf to their own threshold, made to fire at regular times of random phase.

    held: (edge, cell) whether each cell is held from each of the commands' edges on. step, cell: (spike,) when which
    cell is made to fire: when its phase passes a whole. Where the rate changes, the phase goes on. cell = trial x
    neurons + neuron.
    """

    held: np.ndarray
    step: np.ndarray
    cell: np.ndarray

    @classmethod
    def of(cls, commands: Commands, offset: np.ndarray) -> Schedule:
        """offset: (cell,) phase at the trial's onset, 0..1."""
        held, steps, cells = [], [np.empty(0, int)], [np.empty(0, int)]
        phase = np.zeros(len(offset))
        for first, last in pairwise([*commands.edges.tolist(), commands.last]):
            rate = hold_at(commands.effects, commands.time(first), commands.trials, commands.n_neurons).ravel()
            held.append(~np.isnan(rate))
            each = np.nan_to_num(rate) * commands.dt  # per step
            before, phase = phase, phase + each * (last - first)
            start = np.ceil(before - offset).astype(int)
            count = np.ceil(phase - offset).astype(int) - start
            cell = np.repeat(np.arange(len(count)), count)
            nth = start[cell] + np.arange(len(cell)) - np.repeat(np.cumsum(count) - count, count)
            when = first + np.floor((nth + offset[cell] - before[cell]) / each[cell]).astype(int)
            steps.append(np.minimum(when, last - 1))
            cells.append(cell)
        return cls(np.array(held).reshape(-1, len(offset)), np.concatenate(steps), np.concatenate(cells))
