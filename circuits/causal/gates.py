"""Logic of threshold units, by name and module: what machines are wired from.

Every unit is on in the next tick where the sum of its inputs exceeds its threshold, so that each gate takes one tick.
A gate with yes-inputs (weight 1) and no-inputs (weight -1) is on where all of the former are on and none of the latter
(`all_of`), or where any of the former is on or any of the latter off (`any_of`). McCulloch & Pitts (1943).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from simlab.rules import require
from simlab.simulators.clocked import ClockedNetwork


class Netlist:
    """Units under construction; a signal is the number of the unit that carries it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.modules: list[str] = []
        self.thresholds: list[float] = []
        self.latches: list[int] = []
        self._wires: list[tuple[int, int, float]] = []

    @property
    def n_units(self) -> int:
        """How many units there are so far."""
        return len(self.names)

    @property
    def module_names(self) -> tuple[str, ...]:
        """The modules, in the order in which they were begun."""
        return tuple(dict.fromkeys(self.modules))

    def unit(self, module: str, name: str, threshold: float) -> int:
        """A unit without inputs: what drives it comes from outside, or from wires that are laid later."""
        self.names.append(f"{module}.{name}")
        self.modules.append(module)
        self.thresholds.append(threshold)
        return self.n_units - 1

    def wire(self, pre: int, post: int, weight: float = 1.0) -> None:
        """A synapse."""
        self._wires.append((pre, post, weight))

    def weighted(self, module: str, name: str, inputs: Mapping[int, float], threshold: float) -> int:
        """A unit that is on where the weighted sum of its inputs exceeds the threshold."""
        unit = self.unit(module, name, threshold)
        for pre, weight in inputs.items():
            self.wire(pre, unit, weight)
        return unit

    def all_of(self, module: str, name: str, yes: Iterable[int], no: Iterable[int] = ()) -> int:
        """AND of the yes-inputs and of the negated no-inputs; of no-inputs alone, it is their NOR."""
        inputs = dict.fromkeys(yes, 1.0)
        return self.weighted(module, name, inputs | dict.fromkeys(no, -1.0), len(inputs) - 0.5)

    def any_of(self, module: str, name: str, yes: Iterable[int]) -> int:
        """OR of the inputs."""
        return self.weighted(module, name, dict.fromkeys(yes, 1.0), 0.5)

    def exclusive(self, module: str, name: str, one: int, other: int) -> tuple[int, int]:
        """XOR of two signals and, as it needs it, their AND: the sum and the carry of a half adder."""
        both = self.all_of(module, f"{name}.both", [one, other])
        return self.weighted(module, name, {one: 1.0, other: 1.0, both: -2.0}, 0.5), both

    def latch(self, module: str, name: str, turned_on: int, turned_off: int, into: int | None = None) -> int:
        """A unit that keeps itself on from when it is turned on to when it is turned off.

        into: the unit, where it was made before, as one must be whose data depend on itself.
        """
        unit = self.unit(module, name, 0.5) if into is None else into
        for pre, weight in ((turned_on, 1.0), (turned_off, -1.0), (unit, 1.0)):
            self.wire(pre, unit, weight)
        self.latches.append(unit)
        return unit

    def stored(self, module: str, name: str, data: int, pulse: int, into: int | None = None) -> int:
        """A bit that takes over its data where a pulse says so: of one tick, so that what is stored may feed back."""
        turned_on = self.all_of(module, f"{name}.set", [pulse, data])
        turned_off = self.all_of(module, f"{name}.reset", [pulse], [data])
        return self.latch(module, name, turned_on, turned_off, into)

    def line(self, module: str, name: str, bits: Sequence[int], value: int) -> int:
        """On where the bits, least first, spell this number: one line of a decoder."""
        yes = [bit for k, bit in enumerate(bits) if value >> k & 1]
        return self.all_of(module, name, yes, [bit for k, bit in enumerate(bits) if not value >> k & 1])

    def ring(self, module: str, length: int) -> list[int]:
        """A ring of units, one on at a time, each for a tick: it starts by itself, as its first unit is on when the
        others, but for the last, are off."""
        units = [self.unit(module, "phase0", -0.5)]
        for k in range(1, length):
            units.append(self.all_of(module, f"phase{k}", [units[-1]]))
        for unit in units[:-1]:
            self.wire(unit, units[0], -1.0)
        return units

    def network(self, tick: float, temperature: float = 0.0) -> ClockedNetwork:
        """The netlist as the engine runs it; one rheobase brings any unit over its threshold by itself."""
        wires, thresholds = np.array(self._wires), np.array(self.thresholds)
        pre, post = wires[:, :2].T.astype(np.int64)
        rheobase = float(thresholds.max() + 0.5)
        return ClockedNetwork(pre, post, wires[:, 2], thresholds, tick, temperature=temperature, rheobase=rheobase)

    def depth(self, sources: Iterable[int], ignored: Iterable[int] = ()) -> int:
        """Ticks until a change of these units has gone through all gates up to latches; ignored units pass nothing on.

        Raises SimlabError where gates feed back on themselves outside latches, as they would never settle.
        """
        stops = {*self.latches, *ignored}
        ahead: list[list[int]] = [[] for _ in range(self.n_units)]
        for pre, post, _ in self._wires:
            if post not in stops:
                ahead[pre].append(post)
        frontier, ticks = set(sources), 0
        while frontier := {post for pre in frontier for post in ahead[pre]}:
            ticks += 1
            require(
                ticks <= self.n_units, "gates must not feed back on themselves outside latches: lay a latch between"
            )
        return ticks
