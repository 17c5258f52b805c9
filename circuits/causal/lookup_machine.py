"""What a processor computes, looked up: three behaviours, each in areas of its own that nothing else needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.gates import Netlist
from circuits.causal.instructions import BEHAVIOURS, Program, bits_of
from circuits.causal.machines import MachineSubject, drawn
from simlab.rules import Within, check_fields

Following = Callable[[int, int, int], int]
"""The word that follows a word x, given the operand y, among words below top."""

SHOWING = 7
"""Ticks from an area's step to its word at the output port."""

STROBE = 15
"""Ticks that the strobe stays on."""


@dataclass(frozen=True)
class Routine:
    """A behaviour as a table: its first word is one operand, the next one stands in the table beside x and y.

    first, every: turns of the clock after which the processor shows its first word, and each further one.
    """

    following: Following
    y: int  # the input port that the table reads
    first: int
    every: int
    shows_operand: bool  # whether the first word is shown, or only the one that follows


ROUTINES = (
    Routine(lambda x, y, top: (x + y) % top, 1, 5, 3, False),  # accumulate
    Routine(lambda x, y, top: x - 1 if x else y, 0, 4, 4, True),  # count down
    Routine(lambda x, y, top: x ^ y, 1, 4, 3, True),  # blink
)


@dataclass(eq=False)
class Lookup:
    """The netlist, and the signals that reach it from outside or leave it."""

    width: int
    period: int
    net: Netlist = field(default_factory=Netlist)
    enabled: list[int] = field(default_factory=list)  # one per routine: driven from outside
    pins: list[list[int]] = field(default_factory=list)  # (port, bit): driven from outside
    words: list[list[int]] = field(default_factory=list)  # (routine, bit)
    lines: list[int] = field(default_factory=list)
    memory_words: int = 4  # of the processor whose words it shows; none of its own

    def outside(self, number: int, program: Program, operands: Sequence[int]) -> np.ndarray:
        """(unit,) input from outside: which routine runs, and its operands."""
        values = np.zeros(self.net.n_units)
        values[self.enabled[number]] = 1.0
        values[np.array(self.pins)] = bits_of(np.array(operands), self.width)
        return values

    def start(self, memory: np.ndarray, accumulator: np.ndarray) -> np.ndarray:
        """States (trial, unit) before the first tick: each area holds a word that is left over."""
        state = np.zeros((len(accumulator), self.net.n_units), np.uint8)
        state[:, np.array(self.words)] = bits_of(accumulator, self.width)[:, None]
        return state


@dataclass(frozen=True)
class LookupMachine:
    """The three behaviours of `microprocessor`, word for word and tick for tick, without a processor.

    Equations are those of `microprocessor`. For each behaviour there is a sequence area, a chain of units that times
    the words and holds the present one, and a table area with one unit for every word and operand, which knows the next
    word. Nothing is added, decoded or stored by address, and no area serves two behaviours: here, a lesion that spares
    two of three behaviours does tell what the third one has for itself. Input and output ports are shared; the status
    area follows the output to no effect. There are no other programs that it could run.
    """

    name: ClassVar[str] = "lookup_machine"
    mechanism: ClassVar[str] = "lookup tables"
    questions: ClassVar[tuple[str, ...]] = ("localisation", "assemblies", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    word_width: Annotated[int, Within(2, 4)] = 4  # bits: a table has 4^width units
    clock_period: Annotated[int, Within(18, 200)] = 20  # ticks: that of the processor whose words it shows
    tick: Annotated[float, Within(1e-4, 1e-2, "s")] = 1e-3  # about the delay of one synapse
    temperature: Annotated[float, Within(0, 10)] = 0.0  # in weights of one: 0 is a machine without errors

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def machine(self) -> Lookup:
        """The netlist and the signals in it."""
        return built(self.word_width, self.clock_period)

    @property
    def programs(self) -> tuple[Program, ...]:
        """By number of the condition: the three behaviours, as the emulator knows them."""
        return BEHAVIOURS

    def subject(self, rng: np.random.Generator) -> MachineSubject:
        """One machine. All have the same units; areas lie in other places."""
        return drawn(self, rng)


@lru_cache(maxsize=32)
def built(width: int, period: int) -> Lookup:
    """The machine of this size."""
    machine = Lookup(width, period)
    machine.pins = [[machine.net.unit("input port", f"pin{port}.{k}", 0.5) for k in range(width)] for port in range(2)]
    areas = [_area(machine, number, routine) for number, routine in enumerate(ROUTINES)]
    shows, words = [area[0] for area in areas], [area[1] for area in areas]
    _output_port(machine, shows, words)
    return machine


def _area(machine: Lookup, number: int, routine: Routine) -> tuple[int, list[int]]:
    """One routine: the pulse that shows a word, and the bits (bit,) of that word while it is enabled."""
    net, module, width = machine.net, f"sequence {number}", machine.width
    enabled = net.unit(module, "enabled", 0.5)
    machine.enabled.append(enabled)
    load, step = _timer(machine, module, enabled, routine)
    held = [net.unit(module, f"word{k}", 0.5) for k in range(width)]
    machine.words.append(held)
    following = _table(machine, f"table {number}", held, routine)
    for k, bit in enumerate(held):
        _take_over(net, module, f"word{k}", bit, [(load, machine.pins[0][k]), (step, following[k])])
    show = net.any_of(module, "show0", [step, load] if routine.shows_operand else [step])
    for k in range(1, SHOWING - 3):
        show = net.all_of(module, f"show{k}", [show])
    return show, [net.all_of(module, f"out{k}", [enabled, bit]) for k, bit in enumerate(held)]


def _timer(machine: Lookup, module: str, enabled: int, routine: Routine) -> tuple[int, int]:
    """The pulses that load the first word and, again and again, step to the next."""
    net, every = machine.net, routine.every * machine.period
    begin = net.all_of(module, "begin", [enabled])
    net.wire(begin, begin, -1.0)
    begun = net.weighted(module, "begun", {begin: 1.0}, 0.5)
    net.wire(begun, begun)
    net.wire(begun, begin, -1.0)
    net.latches.append(begun)
    loaded = routine.first * machine.period - 1 - SHOWING - (0 if routine.shows_operand else every)
    load = begin
    for k in range(loaded - 1):
        load = net.all_of(module, f"wait{k}", [load])
    ring = [net.unit(module, "beat0", 0.5)]
    for k in range(1, every):
        ring.append(net.all_of(module, f"beat{k}", [ring[-1]]))
    for pre in (load, ring[-1]):
        net.wire(pre, ring[0])
    return load, ring[-1]


def _table(machine: Lookup, module: str, held: list[int], routine: Routine) -> list[int]:
    """The bits (bit,) of the word that follows: a line for each word, one for each operand, a unit for each pair."""
    net, top = machine.net, 2**machine.width
    rows = [net.line(module, f"row{x}", held, x) for x in range(top)]
    columns = [net.line(module, f"column{y}", machine.pins[routine.y], y) for y in range(top)]
    entries = {
        (x, y): net.all_of(module, f"entry{x}.{y}", [rows[x], columns[y]]) for x in range(top) for y in range(top)
    }
    return [
        net.any_of(module, f"next{k}", [e for (x, y), e in entries.items() if routine.following(x, y, top) >> k & 1])
        for k in range(machine.width)
    ]


def _take_over(net: Netlist, module: str, name: str, bit: int, sources: list[tuple[int, int]]) -> None:
    """Makes a unit a latch that takes over a source's data at the source's pulse."""
    on = [net.all_of(module, f"{name}.set{i}", [pulse, data]) for i, (pulse, data) in enumerate(sources)]
    off = [net.all_of(module, f"{name}.reset{i}", [pulse], [data]) for i, (pulse, data) in enumerate(sources)]
    turned_on, turned_off = net.any_of(module, f"{name}.set", on), net.any_of(module, f"{name}.reset", off)
    net.latch(module, name, turned_on, turned_off, into=bit)


def _output_port(machine: Lookup, shows: list[int], words: list[list[int]]) -> None:
    net, module = machine.net, "output port"
    write = net.any_of(module, "write", shows)
    data = [net.any_of(module, f"data{k}", [word[k] for word in words]) for k in range(machine.width)]
    bits = [net.stored(module, f"bit{k}", bit, write) for k, bit in enumerate(data)]
    shown = net.all_of(module, "strobe.set", [write])
    over = shown
    for k in range(STROBE):
        over = net.all_of(module, f"strobe.wait{k}", [over])
    machine.lines = [*bits, net.latch(module, "strobe", shown, over)]
    odd = bits[0]
    for k, bit in enumerate(bits[1:], start=1):
        odd, _ = net.exclusive("status", f"parity{k}", odd, bit)
