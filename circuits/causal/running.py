"""Machines at work: programs, operands and lesions in, words out, and how many of them are right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from circuits.causal.gates import Netlist
from circuits.causal.instructions import Program, emulate
from circuits.causal.lesions import in_batches
from simlab.session import Session
from simlab.simulators.clocked import ClockedInput, ClockedNetwork, run

NO_WORD = -1
"""Stands where no further word was shown."""

TRIALS_AT_ONCE = 2048
"""Of a screen of lesions: their states take some tens of megabytes."""


class Machine(Protocol):
    """A netlist that shows words on the lines of its output port, the strobe the last of them."""

    net: Netlist
    width: int
    memory_words: int
    period: int

    @property
    def lines(self) -> list[int]: ...
    def outside(self, number: int, program: Program, operands: Sequence[int]) -> np.ndarray: ...
    def start(self, memory: np.ndarray, accumulator: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Task:
    """What the machine does in each trial: `program` (trial,) of `programs`, on `operands` (trial, port).

    memory (trial, word) and accumulator (trial,): what they hold at the start, as after earlier work.
    """

    programs: tuple[Program, ...]
    program: np.ndarray
    operands: np.ndarray
    memory: np.ndarray
    accumulator: np.ndarray

    @classmethod
    def of(cls, machine: Machine, programs: Sequence[Program], operands: np.ndarray) -> Task:
        """Every program on every pair of operands (pair, port), program by program, from an empty memory."""
        program = np.repeat(np.arange(len(programs)), len(operands))
        trials = len(program)
        empty = np.zeros((trials, machine.memory_words), int)
        return cls(tuple(programs), program, np.tile(operands, (len(programs), 1)), empty, np.zeros(trials, int))

    def repeated(self, times: int) -> Task:
        """All trials over and over."""
        return Task(
            self.programs, np.tile(self.program, times), np.tile(self.operands, (times, 1)),
            np.tile(self.memory, (times, 1)), np.tile(self.accumulator, times),
        )  # fmt: skip

    @property
    def trials(self) -> int:
        """How many there are."""
        return len(self.program)


def given_to(machine: Machine, task: Task) -> ClockedInput:
    """The input from outside: each trial's program and operands."""
    kinds, pattern = np.unique(np.column_stack([task.program, task.operands]), axis=0, return_inverse=True)
    values = [machine.outside(program, task.programs[program], operands) for program, *operands in kinds.tolist()]
    return ClockedInput(np.stack(values)[:, None], pattern.reshape(-1))


def expected(machine: Machine, task: Task, n_ticks: int) -> np.ndarray:
    """(trial, word) that the emulator shows in so many ticks, NO_WORD after the last one.

    An instruction's word stands at the output port as the last tick of its turn begins.
    """
    cycles = n_ticks // machine.period
    columns = (task.program, task.operands, task.memory, task.accumulator)
    rows = [
        _emulated(task.programs[program], tuple(operands), cycles, machine.width, tuple(memory), accumulator)
        for program, operands, memory, accumulator in zip(*(c.tolist() for c in columns), strict=True)
    ]
    return _table(rows)


@lru_cache(maxsize=100_000)
def _emulated(
    program: Program, inputs: tuple[int, ...], cycles: int, width: int, memory: tuple[int, ...], accumulator: int
) -> tuple[int, ...]:
    return tuple(emulate(program, inputs, cycles, width=width, memory=memory, accumulator=accumulator))


def _table(rows: Sequence[Sequence[int]]) -> np.ndarray:
    table = np.full((len(rows), max((len(row) for row in rows), default=0)), NO_WORD)
    for trial, row in enumerate(rows):
        table[trial, : len(row)] = row
    return table


def shown(lines: np.ndarray) -> np.ndarray:
    """(trial, word) at an output port, one for each rise of its strobe, the last of the lines (trial, tick, line)."""
    strobe = lines[:, :, -1].astype(bool)
    rises = strobe & ~np.pad(strobe, ((0, 0), (1, 0)))[:, :-1]
    trial, tick = np.nonzero(rises)
    words = lines[trial, tick, :-1].astype(int) @ (1 << np.arange(lines.shape[2] - 1))
    count = rises.sum(axis=1)
    table = np.full((len(lines), int(count.max(initial=0))), NO_WORD)
    table[trial, np.arange(len(trial)) - np.repeat(np.cumsum(count) - count, count)] = words
    return table


def share_right(given: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(trial,): of the words that a trial showed or should have shown, whichever are more, those right at their place.

    1 where nothing was to be shown, and nothing was.
    """
    length = max(given.shape[1], wanted.shape[1])
    given, wanted = (
        np.pad(table, ((0, 0), (0, length - table.shape[1])), constant_values=NO_WORD) for table in (given, wanted)
    )
    words = np.maximum((given != NO_WORD).sum(axis=1), (wanted != NO_WORD).sum(axis=1))
    right = ((given == wanted) & (wanted != NO_WORD)).sum(axis=1)
    return np.where(words > 0, right / np.maximum(words, 1), 1.0)


def words_of(
    machine: Machine, network: ClockedNetwork, task: Task, n_ticks: int, silenced: np.ndarray | None = None
) -> np.ndarray:
    """(trial, word) shown with units (trial, unit) silenced: the machine runs, and nothing but its output is kept."""
    session = Session(task.trials, n_ticks * network.tick)
    lines = run(
        network, given_to(machine, task), session, 0,
        watched=machine.lines, silenced=silenced, start=machine.start(task.memory, task.accumulator),
    )  # fmt: skip
    return shown(lines)


def lesion_outcomes(
    machine: Machine, network: ClockedNetwork, programs: Sequence[Program], operands: np.ndarray, n_ticks: int
) -> Callable[[np.ndarray], np.ndarray]:
    """What `circuits.causal.lesions` asks: the mean outcome (part, program) over operands without each part."""
    task = Task.of(machine, programs, operands)
    wanted = expected(machine, task, n_ticks)

    def without(parts: np.ndarray) -> np.ndarray:
        silenced = np.repeat(parts, task.trials, axis=0)
        given = words_of(machine, network, task.repeated(len(parts)), n_ticks, silenced)
        right = share_right(given, np.tile(wanted, (len(parts), 1)))
        return right.reshape(len(parts), len(programs), len(operands)).mean(axis=2)

    at_once = max(1, TRIALS_AT_ONCE // task.trials)
    return lambda parts: in_batches(without, parts, at_once)
