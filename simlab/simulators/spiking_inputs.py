"""What a batched spiking network is given at each step: noise, drives, perturbations, clamps.

Each is an `Input`: `update(step)` writes into an array of Brian2's state, laid out (trial * neuron,).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simlab.contracts import SimlabError
from simlab.session import SILENCE_CURRENT, NeuronPerturbation


class Input(Protocol):
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
    """Standard normal numbers for every neuron and step, drawn ahead by a second thread.

    Drawn in single precision (the fastest generator that numpy has, and far finer than the noise's own effect), in
    blocks that fit a core's cache; numpy lets go of the interpreter while it draws.
    """

    BLOCK = 2**18  # numbers

    def __init__(self, store: np.ndarray, rng: np.random.Generator, steps: int):
        self.store, self.rng = store, rng
        self.rows = max(1, min(steps, self.BLOCK // len(store)))
        self.row = self.rows
        self.blocks = [np.empty((self.rows, len(store)), np.float32) for _ in range(2)]
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="simlab-noise")
        self.ahead: Future[np.ndarray] = self._draw()

    def _draw(self) -> Future[np.ndarray]:
        block = self.blocks[0]
        self.blocks.reverse()
        return self.pool.submit(self.rng.standard_normal, dtype=np.float32, out=block)

    def update(self, step: int) -> None:
        if self.row == self.rows:
            self.block, self.row = self.ahead.result(), 0
            self.ahead = self._draw()
        self.store[:] = self.block[self.row]
        self.row += 1

    def close(self) -> None:
        self.pool.shutdown()


class CommonNoise:
    """Gives neurons noise in common with others; runs just after `Noise`.

    source (neuron,): with whom each neuron shares, itself if with nobody. share: of the noise's variance.
    """

    def __init__(self, store: np.ndarray, source: np.ndarray, share: float):
        self.view = store.reshape(-1, len(source))
        self.sharing = np.flatnonzero(source != np.arange(len(source)))
        self.source, self.own, self.common = source[self.sharing], np.sqrt(1 - share), np.sqrt(share)

    def update(self, step: int) -> None:
        self.view[:, self.sharing] = self.own * self.view[:, self.sharing] + self.common * self.view[:, self.source]

    def close(self) -> None:
        pass


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
        time = (step - self.offset) * self.dt
        for i, drive in enumerate(self.drives):
            index = int(max(time - drive.start, 0.0) / drive.interval + 1e-6)
            index = min(index, np.shape(drive.signal)[1] - 1)
            if index != self.index[i]:
                self.index[i] = index
                self.stores[i][:] = drive.values(self.trials, index).ravel()

    def close(self) -> None:
        pass


def _windows(pulses: Sequence[NeuronPerturbation], offset: int, dt: float) -> np.ndarray:
    """(pulse, 2): first step of each pulse, and the first after it."""
    return np.array([[round(p.start / dt), round(p.stop / dt)] for p in pulses], dtype=int) + offset


def _reach(pulse: NeuronPerturbation, trials: np.ndarray) -> np.ndarray:
    """(trial,): which of these trials a pulse acts on."""
    return np.ones(len(trials), bool) if pulse.trials is None else np.isin(trials, pulse.trials)


class Perturbations:
    """Currents commanded by `stimulate` and `silence`, in rheobases, set anew at each edge of a pulse."""

    def __init__(
        self,
        pulses: Sequence[NeuronPerturbation],
        store: np.ndarray,
        trials: np.ndarray,
        n_neurons: int,
        offset: int,
        dt: float,
    ):
        self.pulses, self.store, self.shape = pulses, store, (len(trials), n_neurons)
        self.windows = _windows(pulses, offset, dt)
        self.reach = [_reach(pulse, trials) for pulse in pulses]
        self.edges = set(self.windows.ravel().tolist())

    def update(self, step: int) -> None:
        if step not in self.edges:
            return
        current = np.zeros(self.shape)
        for pulse, (first, last), reach in zip(self.pulses, self.windows, self.reach, strict=True):
            if first <= step < last:
                gain = 1.0 if pulse.kind == "stimulate" else -SILENCE_CURRENT
                current[reach] += gain * pulse.strength
        self.store[:] = current.ravel()

    def close(self) -> None:
        pass


class Clamps:
    """Neurons held at a firing rate: deaf to their own threshold, made to fire at regular times of random phase.

    Writes 0 (free), 1 (held) or 2 (made to fire at this step). Zero strength leaves a neuron alone; a neuron cannot
    be held faster than its refractory period allows. Neurons clamped in one session are silenced by strengths
    too small to fire within the window.
    """

    def __init__(
        self,
        pulses: Sequence[NeuronPerturbation],
        store: np.ndarray,
        trials: np.ndarray,
        n_trials: int,
        n_neurons: int,
        offset: int,
        dt: float,
        rng: np.random.Generator,
    ):
        self.store, self.shape = store, (len(trials), n_neurons)
        self.windows = _windows(pulses, offset, dt)
        self.edges = set(self.windows.ravel().tolist())
        self.held = [np.outer(_reach(pulse, trials), pulse.strength > 0) for pulse in pulses]
        self.forced = self._schedule(pulses, dt, rng)
        self.fired: np.ndarray | None = None

    def _schedule(
        self, pulses: Sequence[NeuronPerturbation], dt: float, rng: np.random.Generator
    ) -> dict[int, np.ndarray]:
        """Step -> cells made to fire at it."""
        steps, cells = [], []
        for pulse, (first, last), held in zip(pulses, self.windows, self.held, strict=True):
            trial, neuron = np.nonzero(held)
            period = 1 / (pulse.strength[neuron] * dt)
            count = int((last - first) / period.min()) + 1 if len(period) else 0
            when = first + np.floor((np.arange(count) + rng.random((len(period), 1))) * period[:, None]).astype(int)
            inside = when < last
            steps.append(when[inside])
            cells.append(np.broadcast_to((trial * self.shape[1] + neuron)[:, None], when.shape)[inside])
        step, cell = np.concatenate(steps), np.concatenate(cells)
        order = np.argsort(step, kind="stable")
        unique, start = np.unique(step[order], return_index=True)
        return dict(zip(unique.tolist(), np.split(cell[order], start[1:]), strict=True))

    def update(self, step: int) -> None:
        if self.fired is not None:
            self.store[self.fired] = 1.0
            self.fired = None
        if step in self.edges:
            held = np.zeros(self.shape, bool)
            for (first, last), cells in zip(self.windows, self.held, strict=True):
                if first <= step < last:
                    held |= cells
            self.store[:] = held.ravel()
        if step in self.forced:
            self.fired = self.forced[step]
            self.store[self.fired] = 2.0

    def close(self) -> None:
        pass
