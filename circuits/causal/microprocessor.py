"""A small processor of threshold gates, of which every module is known: could a neuroscientist understand it?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.causal import floor_plan
from circuits.causal.instructions import BEHAVIOURS, FIELD, Program, random_program
from circuits.causal.lesions import Lesions, Outcomes, functions, region_lesions, unit_lesions
from circuits.causal.operands import drawn_session, operands_of, programs_of
from circuits.causal.processor import SETTLED, Processor, build
from circuits.causal.running import Task, expected, given_to, lesion_outcomes, share_right, shown, start_of
from simlab import truths
from simlab.data import activity
from simlab.rules import Within, check_fields, require
from simlab.session import Session
from simlab.simulators.clocked import ClockedNetwork, onsets, run

OTHERS_SEED = 1
"""Of the other programs, which belong to the instruction set rather than to a subject."""

SCREENED, SCREENED_OTHERS, TURNS = 8, 4, 75
"""Pairs of operands that a lesion is tried on, under the behaviours and the other programs; instructions of each run."""


@dataclass(frozen=True)
class Microprocessor:
    """A clocked machine of some 480 threshold units that runs a program of sixteen instructions from a cartridge.

        x_i(k+1) = [sum_j w_ji x_j(k) + u_i(k) > threshold_i],   one tick per gate

    Modules: clock (a ring of units, one on at a time), program counter, program memory, decoder, control, accumulator,
    data memory, adder, logic, shifter, result bus, input and output port, and a status register that no instruction
    reads: active, correlated with everything and of no effect. The cells of the program memory and the pins of the
    input port are driven from outside (u) by the trial's program and operands. Each turn of the clock does one
    instruction (`circuits.causal.instructions` has the set, and an emulator without gates by which outputs are judged).

    Three programs are its behaviours, by number of the trial's condition: accumulate (a + b, a + 2b ...), count down
    (from a to 0, over and over) and blink (a and a ^ b in turn); from 3 on, the conditions are other programs of the
    same instruction set, drawn at random once for all. The stimulus holds the operands, one word per input port.
    `behaviour` is the output port: its lines and the strobe that says that a new word stands there, once per turn.
    `outcome` is the share of words, in their order, that are right. A unit spikes where it switches on: up to once per
    turn and now and then more, while signals race; 50 Hz with a tick of 1 ms, about that of a synapse. What is in the
    memory and the accumulator at a trial's start is left over from earlier work, and differs from trial to trial. The
    example is Jonas & Kording (2017, PLoS Comput Biol 13:e1005268), where the processor is an MOS 6502.
    """

    name: ClassVar[str] = "microprocessor"
    mechanism: ClassVar[str] = "clocked logic machine"
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    word_width: Annotated[int, Within(2, 6)] = 4  # bits
    memory_words: Annotated[int, Within(4, 2**FIELD)] = 8  # an operand addresses 16
    clock_period: Annotated[int, Within(18, 200)] = 20  # ticks: the deepest path takes 14 and one per bit
    tick: Annotated[float, Within(1e-4, 1e-2, "s")] = 1e-3  # about the delay of one synapse
    temperature: Annotated[float, Within(0, 10)] = 0.0  # in weights of one: 0 is a machine without errors
    other_programs: Annotated[int, Within(1, 1000)] = 32

    def __post_init__(self) -> None:
        check_fields(self)
        needed = built(self.word_width, self.memory_words, self.clock_period).settling() + SETTLED
        require(
            self.clock_period >= needed,
            f"clock_period must let the deepest path settle, {needed} ticks for a word_width of {self.word_width}, "
            f"got {self.clock_period}: slow the clock down",
        )

    @property
    def machine(self) -> Processor:
        """The netlist and its signals."""
        return built(self.word_width, self.memory_words, self.clock_period)

    @property
    def programs(self) -> tuple[Program, ...]:
        """Programs by number of the condition: the three behaviours, then the others."""
        return (*BEHAVIOURS, *_others(self.other_programs, self.word_width, self.memory_words))

    def subject(self, rng: np.random.Generator) -> MicroprocessorSubject:
        """One machine. All have the same gates; modules lie in other places."""
        modules = self.machine.net.modules
        network = self.machine.net.network(self.tick, self.temperature)
        return MicroprocessorSubject(self, network, floor_plan.placed(modules, rng))


@lru_cache(maxsize=32)
def built(width: int, memory_words: int, period: int) -> Processor:
    """The machine of these sizes."""
    return build(width, memory_words, period)


@lru_cache(maxsize=32)
def _others(count: int, width: int, memory_words: int) -> tuple[Program, ...]:
    rng = np.random.default_rng(OTHERS_SEED)
    return tuple(random_program(f"other {k}", rng, width=width, memory_words=memory_words) for k in range(count))


@dataclass(frozen=True, eq=False)
class MicroprocessorSubject:
    """One individual: its network, and an anatomy in which each module is a region."""

    circuit: Microprocessor
    network: ClockedNetwork
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """The three behaviours equally often, in random order, each trial with random operands."""
        return drawn_session(trials, duration, len(BEHAVIOURS), self.circuit.word_width, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with spikes, `behaviour` and `outcome`."""
        circuit, machine = self.circuit, self.circuit.machine
        turn = circuit.clock_period * circuit.tick
        require(
            session.duration >= turn, f"a trial must last a turn of the clock, {turn:g} s, got {session.duration} s"
        )
        task = self._task(session, rng)
        start = start_of(machine, task)
        states = run(self.network, given_to(machine, task), session, int(rng.integers(2**63)), start=start)
        trial, when, unit = onsets(states, start[:, None])
        lines = states[:, :, machine.lines]
        sampled = np.arange(circuit.clock_period - 1, states.shape[1], circuit.clock_period)
        right = share_right(shown(lines), expected(machine, task, states.shape[1]))
        return activity(
            session, machine.net.n_units, spikes=(trial, when * circuit.tick, unit), time=sampled * circuit.tick,
            behaviour=lines[:, sampled].astype(float), outcome=right,
        ).assign_attrs(engine=f"clocked (numpy {np.__version__})")  # fmt: skip

    def _task(self, session: Session, rng: np.random.Generator) -> Task:
        circuit = self.circuit
        trials, top = session.trials, 2**circuit.word_width
        left_over = rng.integers(top, size=(trials, circuit.memory_words + 1))
        return Task(
            circuit.programs, programs_of(session, len(circuit.programs)), operands_of(session, top),
            left_over[:, 1:], left_over[:, 0],
        )  # fmt: skip

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: the weights between different gates; `localisation`: which module is for what."""
        return truths.among(
            self.circuit.name,
            question,
            {"connectivity": self._wiring, "localisation": lambda: localisation(self.circuit).copy(deep=True)},
        )

    def _wiring(self) -> xr.Dataset:
        weights = self.network.matrix()
        np.fill_diagonal(weights, 0.0)  # latches excite themselves, which nobody is asked about
        return truths.wiring(weights, "1")


def lesions(circuit: Microprocessor, programs: tuple[Program, ...] = BEHAVIOURS, *, pairs: int = SCREENED) -> Lesions:
    """Every single unit, silenced under every program: mean outcomes (unit, program) over so many pairs of operands."""
    return unit_lesions(circuit.machine.net.names, _screen(circuit, programs, pairs))


def module_lesions(
    circuit: Microprocessor, programs: tuple[Program, ...] = BEHAVIOURS, *, pairs: int = SCREENED
) -> Lesions:
    """Every module as a whole, likewise."""
    return region_lesions(circuit.machine.net.modules, _screen(circuit, programs, pairs))


def _screen(circuit: Microprocessor, programs: tuple[Program, ...], pairs: int) -> Outcomes:
    operands = np.random.default_rng(OTHERS_SEED).integers(2**circuit.word_width, size=(pairs, 2))
    network = circuit.machine.net.network(circuit.tick)
    return lesion_outcomes(circuit.machine, network, programs, operands, TURNS * circuit.clock_period)


@lru_cache(maxsize=32)
def localisation(circuit: Microprocessor) -> xr.Dataset:
    """Which module is for what: by lesions of modules under the three behaviours and under all other programs."""
    others = circuit.programs[len(BEHAVIOURS) :]
    return functions(module_lesions(circuit), module_lesions(circuit, others, pairs=SCREENED_OTHERS))
