"""The instruction set of the machines: words, programs, and an emulator that knows instructions and no gates.

A program is sixteen words of an operation and an operand of four bits each. The accumulator A, the data memory M and
the two input ports a, b hold words of some bits; sums and differences wrap around.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

OPERATIONS = (
    "NOP",  # nothing
    "LOADI",  # A = operand
    "IN",  # A = input port a or b (an even or odd operand)
    "LOAD",  # A = M[operand]
    "STORE",  # M[operand] = A
    "ADD",  # A = A + M[operand]
    "SUB",  # A = A - M[operand]
    "XOR",  # A = A ^ M[operand]
    "AND",  # A = A & M[operand]
    "SHIFT",  # A = 2 A
    "JUMP",  # go on at operand
    "JZ",  # go on at operand if A = 0
    "OUT",  # the output port shows A
)
"""Operations by their number."""

CODE = {name: number for number, name in enumerate(OPERATIONS)}
LENGTH, FIELD = 16, 4
"""Words of a program, and bits of an operation or an operand."""

Instruction = tuple[str, int]


def bits_of(words: int | np.ndarray, width: int) -> np.ndarray:
    """(..., bit) of whole numbers, least first."""
    return (np.asarray(words)[..., None] >> np.arange(width) & 1).astype(np.uint8)


@dataclass(frozen=True)
class Program:
    """Up to sixteen instructions; the rest does nothing."""

    name: str
    instructions: tuple[Instruction, ...]

    def bits(self) -> np.ndarray:
        """(word, bit): four bits of the operand, least first, then four of the operation."""
        words = np.zeros(LENGTH, int)
        for place, (operation, operand) in enumerate(self.instructions):
            words[place] = operand | CODE[operation] << FIELD
        return bits_of(words, 2 * FIELD)


ACCUMULATE = Program(
    "accumulate",  # a + b, a + 2b, a + 3b ...
    (("IN", 1), ("STORE", 1), ("IN", 0), ("ADD", 1), ("OUT", 0), ("JUMP", 3)),
)
COUNT_DOWN = Program(
    "count down",  # from a to 0, over and over
    (
        ("LOADI", 1), ("STORE", 3), ("IN", 0), ("OUT", 0), ("JZ", 7), ("SUB", 3), ("JUMP", 3),
        ("IN", 0), ("JUMP", 3),
    ),
)  # fmt: skip
BLINK = Program(
    "blink",  # a and a ^ b in turn
    (("IN", 1), ("STORE", 2), ("IN", 0), ("OUT", 0), ("XOR", 2), ("JUMP", 3)),
)
BEHAVIOURS = (ACCUMULATE, COUNT_DOWN, BLINK)
"""The three programs that are studied."""


def emulate(
    program: Program, inputs: Sequence[int], cycles: int, *, width: int, memory: Sequence[int], accumulator: int = 0
) -> list[int]:
    """The words that a program shows in so many instructions, from a state of memory and accumulator."""
    top, held, a, counter, shown = 2**width, list(memory), accumulator, 0, []
    for _ in range(cycles):
        operation, n = program.instructions[counter] if counter < len(program.instructions) else ("NOP", 0)
        counter = (counter + 1) % LENGTH
        word = held[n] if n < len(held) else 0
        match operation:
            case "LOADI":
                a = n % top
            case "IN":
                a = inputs[n % 2] % top
            case "LOAD":
                a = word
            case "STORE" if n < len(held):
                held[n] = a
            case "ADD":
                a = (a + word) % top
            case "SUB":
                a = (a - word) % top
            case "XOR":
                a ^= word
            case "AND":
                a &= word
            case "SHIFT":
                a = 2 * a % top
            case "JUMP":
                counter = n
            case "JZ" if a == 0:
                counter = n
            case "OUT":
                shown.append(a)
    return shown


BODY = ("LOADI", "IN", "LOAD", "STORE", "ADD", "SUB", "XOR", "AND", "SHIFT", "JZ")
LEAST_WORDS, LEAST_DIFFERENT, TRIED_CYCLES = 8, 4, 64


def random_program(name: str, rng: np.random.Generator, *, width: int, memory_words: int) -> Program:
    """A program that shows something: eight words or more in 64 instructions, at least four different ones.

    It reads both inputs, then runs a loop of six to ten random instructions of which two show the accumulator.
    """
    while True:
        program = Program(name, _drawn(rng, memory_words))
        inputs = (1, 2**width - 2)  # two that differ in every bit that they have
        words = emulate(program, inputs, TRIED_CYCLES, width=width, memory=[0] * memory_words)
        if len(words) >= LEAST_WORDS and len(set(words)) >= LEAST_DIFFERENT:
            return program


def _drawn(rng: np.random.Generator, memory_words: int) -> tuple[Instruction, ...]:
    cells = rng.permutation(memory_words)[:2].tolist()
    start: list[Instruction] = [("IN", 1), ("STORE", cells[0]), ("IN", 0), ("STORE", cells[1])]
    first, size = len(start), int(rng.integers(6, 11))
    body = [_instruction(str(rng.choice(BODY)), rng, cells, first, size) for _ in range(size)]
    for place in rng.choice(size, 2, replace=False):
        body[place] = ("OUT", 0)
    return (*start, *body, ("JUMP", first))


def _instruction(operation: str, rng: np.random.Generator, cells: list[int], first: int, size: int) -> Instruction:
    if operation == "JZ":
        return operation, first + int(rng.integers(size + 1))
    if operation in ("LOAD", "STORE", "ADD", "SUB", "XOR", "AND"):
        return operation, int(rng.choice(cells))
    return operation, int(rng.integers(2 if operation == "IN" else LENGTH)) if operation != "SHIFT" else 0
