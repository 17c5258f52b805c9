"""The machine as a netlist: which gates make up the clock, the counter, the memories, the adder and the rest.

One instruction takes one turn of the clock's ring of T units. The program counter switches as a turn begins; its number
goes through the program memory, the decoder, the data memory and the adder to the result bus; a pulse at T - 4 lets the
accumulator, the memory or the output port take over what stands there, and one at T - 2 the counter its next number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from circuits.causal.gates import Netlist
from circuits.causal.instructions import CODE, FIELD, LENGTH, OPERATIONS, Program, bits_of

WRITING, COUNTING = -4, -2
"""Phases of the clock, from its end, at which results and the next address are taken over."""

SETTLED = 2
"""Ticks from the end of a turn by which the result bus must stand still: a pulse needs one more to reach a bit."""

PORTS = 2
FROM_MEMORY = ("ADD", "SUB", "XOR", "AND")


@dataclass(eq=False)
class Processor:
    """The netlist, and the signals that its parts hand to one another or to the world."""

    width: int
    memory_words: int
    period: int
    net: Netlist = field(default_factory=Netlist)
    clock: list[int] = field(default_factory=list)
    counter: list[int] = field(default_factory=list)  # bits of the address of the instruction
    cells: list[list[int]] = field(default_factory=list)  # (word, bit) of the program: driven from outside
    operand: list[int] = field(default_factory=list)
    does: dict[str, int] = field(default_factory=dict)  # operation -> the line that is on for it
    accumulator: list[int] = field(default_factory=list)
    memory: list[list[int]] = field(default_factory=list)  # (word, bit)
    pins: list[list[int]] = field(default_factory=list)  # (port, bit): driven from outside
    read: list[int] = field(default_factory=list)  # the word of the data memory that the operand names
    results: list[list[int]] = field(default_factory=list)  # (bit, source) of the result bus
    output: list[int] = field(default_factory=list)
    strobe: int = 0
    carry: int = 0

    @property
    def lines(self) -> list[int]:
        """The output port's bits, least first, and its strobe."""
        return [*self.output, self.strobe]

    def outside(self, number: int, program: Program, operands: Sequence[int]) -> np.ndarray:
        """(unit,) input from outside: the program in the cells of its memory, the operands at the pins."""
        values = np.zeros(self.net.n_units)
        values[np.array(self.cells)] = program.bits()
        values[np.array(self.pins)] = bits_of(np.array(operands), self.width)
        return values

    def start(self, memory: np.ndarray, accumulator: np.ndarray) -> np.ndarray:
        """States (trial, unit) before the first tick: words (trial, word) and (trial,) are stored, all else is off."""
        state = np.zeros((len(accumulator), self.net.n_units), np.uint8)
        state[:, np.array(self.memory)] = bits_of(memory, self.width)
        state[:, np.array(self.accumulator)] = bits_of(accumulator, self.width)
        return state

    def settling(self) -> int:
        """Ticks that the deepest path needs from a switch of the counter up to the latches."""
        return self.net.depth(self.counter, self.clock)


def build(width: int, memory_words: int, period: int) -> Processor:
    """The machine: words of `width` bits, so many of them in its data memory, `period` ticks per instruction."""
    machine = Processor(width, memory_words, period, results=[[] for _ in range(width)])
    net = machine.net
    machine.clock = net.ring("clock", period)
    machine.counter = [net.unit("program counter", f"bit{k}", 0.5) for k in range(FIELD)]  # wired by _count
    instruction = _program_memory(machine)
    machine.operand = instruction[:FIELD]
    machine.does = {
        name: net.line("decoder", name, instruction[FIELD:], CODE[name]) for name in OPERATIONS if name != "NOP"
    }
    machine.accumulator = [net.unit("accumulator", f"bit{k}", 0.5) for k in range(width)]  # wired by _accumulate
    pulse = _control(machine)
    _data_memory(machine, pulse["STORE"])
    _immediate(machine)
    _input_port(machine)
    _adder(machine)
    _logic(machine)
    _shifter(machine)
    _accumulate(machine, pulse["A"])
    _count(machine, pulse["jump"])
    _output_port(machine, pulse["OUT"])
    _status(machine, pulse["A"])
    return machine


def _program_memory(machine: Processor) -> list[int]:
    net, module = machine.net, "program memory"
    lines = [net.line(module, f"address{k}", machine.counter, k) for k in range(LENGTH)]
    for word, line in enumerate(lines):
        cells = [net.unit(module, f"cell{word}.{bit}", 1.5) for bit in range(2 * FIELD)]  # its address and a program
        for cell in cells:
            net.wire(line, cell)
        machine.cells.append(cells)
    return [net.any_of(module, f"bit{bit}", [word[bit] for word in machine.cells]) for bit in range(2 * FIELD)]


def _control(machine: Processor) -> dict[str, int]:
    net, does, module = machine.net, machine.does, "control"
    now = machine.clock[WRITING]
    changing = ("LOADI", "IN", "LOAD", *FROM_MEMORY, "SHIFT")
    changes = net.any_of(module, "changes A", [does[name] for name in changing])
    zero = net.all_of(module, "zero", [], machine.accumulator)
    return {
        "A": net.all_of(module, "write A", [now, changes]),
        "STORE": net.all_of(module, "write memory", [now, does["STORE"]]),
        "OUT": net.all_of(module, "write output", [now, does["OUT"]]),
        "jump": net.weighted(module, "jump", {does["JUMP"]: 2.0, does["JZ"]: 1.0, zero: 1.0}, 1.5),
    }


def _data_memory(machine: Processor, pulse: int) -> None:
    net, module, bits = machine.net, "data memory", range(machine.width)
    gates: list[list[int]] = []
    for word in range(machine.memory_words):
        line = net.line(module, f"address{word}", machine.operand, word)
        write = net.all_of(module, f"write{word}", [line, pulse])
        held = [net.stored(module, f"word{word}.{k}", machine.accumulator[k], write) for k in bits]
        machine.memory.append(held)
        gates.append([net.all_of(module, f"read{word}.{k}", [line, held[k]]) for k in bits])
    machine.read = [net.any_of(module, f"read.{k}", [gate[k] for gate in gates]) for k in bits]
    for k in bits:
        machine.results[k].append(net.all_of(module, f"out{k}", [machine.does["LOAD"], machine.read[k]]))


def _immediate(machine: Processor) -> None:
    for k in range(min(machine.width, FIELD)):
        gate = machine.net.all_of("decoder", f"immediate{k}", [machine.does["LOADI"], machine.operand[k]])
        machine.results[k].append(gate)


def _input_port(machine: Processor) -> None:
    net, module, which = machine.net, "input port", machine.operand[0]
    for port in range(PORTS):
        machine.pins.append([net.unit(module, f"pin{port}.{k}", 0.5) for k in range(machine.width)])
        yes, no = ([which], []) if port else ([], [which])
        for k, pin in enumerate(machine.pins[port]):
            machine.results[k].append(net.all_of(module, f"read{port}.{k}", [machine.does["IN"], pin, *yes], no))


def _adder(machine: Processor) -> None:
    """A + M, or A + not M + 1: majority gates carry, and a sum is odd where its carry does not say that it is two."""
    net, module, does = machine.net, "adder", machine.does
    carry = does["SUB"]
    for k, a in enumerate(machine.accumulator):
        b, _ = net.exclusive(module, f"term{k}", machine.read[k], does["SUB"])
        carried = net.weighted(module, f"carry{k}", {a: 1.0, b: 1.0, carry: 1.0}, 1.5)
        total = net.weighted(module, f"sum{k}", {a: 1.0, b: 1.0, carry: 1.0, carried: -2.0}, 0.5)
        gate = net.weighted(module, f"out{k}", {total: 2.0, does["ADD"]: 1.0, does["SUB"]: 1.0}, 2.5)
        machine.results[k].append(gate)
        carry = carried
    machine.carry = carry


def _logic(machine: Processor) -> None:
    net, module = machine.net, "logic"
    for k, a in enumerate(machine.accumulator):
        differ, both = net.exclusive(module, f"xor{k}", a, machine.read[k])
        machine.results[k].append(net.all_of(module, f"out xor{k}", [machine.does["XOR"], differ]))
        machine.results[k].append(net.all_of(module, f"out and{k}", [machine.does["AND"], both]))


def _shifter(machine: Processor) -> None:
    for k in range(1, machine.width):
        gate = machine.net.all_of("shifter", f"out{k}", [machine.does["SHIFT"], machine.accumulator[k - 1]])
        machine.results[k].append(gate)


def _accumulate(machine: Processor, pulse: int) -> None:
    net = machine.net
    for k, bit in enumerate(machine.accumulator):
        result = net.any_of("result bus", f"bit{k}", machine.results[k])
        net.stored("accumulator", f"bit{k}", result, pulse, into=bit)


def _count(machine: Processor, jump: int) -> None:
    """One more than now, or the operand where the machine jumps."""
    net, module, now = machine.net, "program counter", machine.counter
    for k, bit in enumerate(now):
        if k == 0:
            one_more = net.all_of(module, "plus0", [], [bit])
        else:
            turn = net.all_of(module, f"turn{k}", now[:k])
            one_more, _ = net.exclusive(module, f"plus{k}", bit, turn)
        onward = net.all_of(module, f"onward{k}", [one_more], [jump])
        away = net.all_of(module, f"away{k}", [jump, machine.operand[k]])
        following = net.any_of(module, f"next{k}", [onward, away])
        net.stored(module, f"bit{k}", following, machine.clock[COUNTING], into=bit)


def _output_port(machine: Processor, pulse: int) -> None:
    net, module = machine.net, "output port"
    machine.output = [net.stored(module, f"bit{k}", bit, pulse) for k, bit in enumerate(machine.accumulator)]
    shown = net.all_of(module, "strobe.set", [pulse])
    over = net.all_of(module, "strobe.reset", [machine.clock[2 * WRITING]])
    machine.strobe = net.latch(module, "strobe", shown, over)


def _status(machine: Processor, pulse: int) -> None:
    """What a processor keeps on its last result and no instruction of this one asks for: active, and of no effect."""
    net, module = machine.net, "status"
    net.stored(module, "carry", machine.carry, pulse)
    net.stored(module, "negative", machine.accumulator[-1], pulse)
    odd = machine.accumulator[0]
    for k, bit in enumerate(machine.accumulator[1:], start=1):
        odd, _ = net.exclusive(module, f"parity{k}", odd, bit)
