"""What Brian2's neurons and synapses are given before each step; alike, number for number, to what a kernel gives.

Each is an `Input`: `update(step)` writes into arrays of Brian2's state, laid out (trial * neuron,) unless it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from simlab.simulators.effects import drive_at, gain_at
from simlab.simulators.normals import fill_normals, words_of
from simlab.simulators.spiking_inputs import Commands, Drive, Schedule


class Input(Protocol):
    """Something that is written into the state before a step."""

    def update(self, step: int) -> None: ...


class Noise:
    """Standard normal numbers for every neuron and step, each trial's from its own stream.

    stores: name -> one array (trial * neuron,) for each population that uses it. shared: name -> (pair, 2) places in a
    trial's row of numbers: who has part of its noise in common, and with whom. own, common: the parts' factors.
    """

    BLOCK = 2**16  # numbers of one trial

    def __init__(
        self,
        stores: dict[str, list[np.ndarray]],
        streams: Sequence[np.random.Generator],
        shared: dict[str, np.ndarray],
        own: float,
        common: float,
    ):
        self.stores, self.shared, self.own, self.common = stores, shared, own, common
        self.words = [words_of(stream) for stream in streams]
        self.widths = {name: sum(map(len, stores[name])) // len(streams) for name in sorted(stores)}
        width = sum(self.widths.values())
        self.rows = max(1, self.BLOCK // width)
        self.block = np.empty((len(streams), self.rows, width))
        self.row = self.rows

    def update(self, step: int) -> None:
        """Writes what holds at this step."""
        if self.row == self.rows:
            for words, block in zip(self.words, self.block, strict=True):
                fill_normals(words, block.reshape(-1))
            self.row = 0
        now, start = self.block[:, self.row], 0
        for name, width in self.widths.items():
            self._write(name, now[:, start : start + width])
            start += width
        self.row += 1

    def _write(self, name: str, row: np.ndarray) -> None:
        mine, other = self.shared[name].T
        row[:, mine] = self.own * row[:, mine] + self.common * row[:, other]
        place = 0
        for store in self.stores[name]:
            n = len(store) // len(row)
            store.reshape(len(row), n)[:] = row[:, place : place + n]
            place += n


class Drives:
    """Writes a drive's value for the chunk's trials whenever it changes."""

    def __init__(self, drive: Drive, stores: list[tuple[np.ndarray, slice]], trials: np.ndarray, rows: np.ndarray):
        self.drive, self.stores, self.trials, self.rows = drive, stores, trials, rows

    def update(self, step: int) -> None:
        """Writes what holds at this step."""
        if step == 0 or self.rows[step] != self.rows[step - 1]:
            values = self.drive.values(self.trials, self.rows[step])
            for store, mine in self.stores:
                store[:] = values[:, mine].ravel()


class Currents:
    """The sum of all drives, in rheobases, set anew whenever one changes."""

    def __init__(self, commands: Commands, stores: list[tuple[np.ndarray, slice]]):
        self.commands, self.stores = commands, stores

    def update(self, step: int) -> None:
        """Writes what holds at this step."""
        c = self.commands
        if c.changed(step):
            values = drive_at(c.effects, c.time(step), c.trials, c.n_neurons)
            for store, mine in self.stores:
                store[:] = values[:, mine].ravel()


class Gains:
    """The factor on each synapse of a link, laid out (trial * synapse,), set anew whenever a gain changes."""

    def __init__(self, commands: Commands, store: np.ndarray, pre: np.ndarray, post: np.ndarray):
        self.commands, self.store, self.pre, self.post = commands, store, pre, post

    def update(self, step: int) -> None:
        """Writes what holds at this step."""
        c = self.commands
        if c.changed(step):
            self.store[:] = gain_at(c.effects, c.time(step), c.trials, self.pre, self.post).ravel()


class Holds:
    """Writes 0 (free), 1 (held) or 2 (made to fire at this step)."""

    def __init__(self, commands: Commands, schedule: Schedule, stores: list[tuple[np.ndarray, slice]]):
        self.edges = dict(zip(commands.edges.tolist(), schedule.held, strict=True))
        self.state = np.zeros((len(commands.trials), commands.n_neurons))
        self.stores, self.forced = stores, _by_step(schedule.step, schedule.cell)
        self.fired = np.empty(0, int)

    def update(self, step: int) -> None:
        """Writes what holds at this step."""
        due = self.forced.get(step)
        if step not in self.edges and due is None and not len(self.fired):
            return
        state = self.state.reshape(-1)
        state[self.fired] = 1.0
        if step in self.edges:
            state[:] = self.edges[step]
        self.fired = np.empty(0, int) if due is None else due
        state[self.fired] = 2.0
        for store, mine in self.stores:
            store[:] = self.state[:, mine].ravel()


def _by_step(step: np.ndarray, cell: np.ndarray) -> dict[int, np.ndarray]:
    order = np.argsort(step, kind="stable")
    unique, start = np.unique(step[order], return_index=True)
    return dict(zip(unique.tolist(), np.split(cell[order], start)[1:], strict=True))
