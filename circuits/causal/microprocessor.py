"""A small processor of threshold gates, of which every module is known: could a neuroscientist understand it?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.instructions import BEHAVIOURS, FIELD, Program, random_program
from circuits.causal.machines import MachineSubject, drawn
from circuits.causal.processor import SETTLED, Processor, build
from simlab.rules import Within, check_fields, require

OTHERS_SEED = 1
"""Of the other programs, which belong to the instruction set rather than to a subject."""


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
    questions: ClassVar[tuple[str, ...]] = ("localisation", "assemblies", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

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
        """The netlist and the signals in it."""
        return built(self.word_width, self.memory_words, self.clock_period)

    @property
    def programs(self) -> tuple[Program, ...]:
        """Programs by number of the condition: the three behaviours, then the others."""
        return (*BEHAVIOURS, *_others(self.other_programs, self.word_width, self.memory_words))

    def subject(self, rng: np.random.Generator) -> MachineSubject:
        """One machine. All have the same gates; modules lie in other places."""
        return drawn(self, rng)


@lru_cache(maxsize=32)
def built(width: int, memory_words: int, period: int) -> Processor:
    """The machine of these sizes."""
    return build(width, memory_words, period)


@lru_cache(maxsize=32)
def _others(count: int, width: int, memory_words: int) -> tuple[Program, ...]:
    rng = np.random.default_rng(OTHERS_SEED)
    return tuple(random_program(f"other {k}", rng, width=width, memory_words=memory_words) for k in range(count))
