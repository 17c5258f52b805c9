"""The arrays that a kernel works on and that all trials share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from simlab.simulators.effects import of_kind
from simlab.simulators.kernel.arguments import TYPES, Argument
from simlab.simulators.kernel.compiled import Kernel
from simlab.simulators.kernel.synapses import Ears, Wires
from simlab.simulators.spiking_inputs import Commands
from simlab.simulators.spiking_network import Coupling
from simlab.simulators.spiking_plan import Plan, places, sharing
from simlab.simulators.spiking_values import check_names, number_or_row

BLOCK = 2**18
"""Neurons x steps of one call of a kernel: bounds its buffer of spikes, and how long nobody hears of its progress."""


def typed(kind: str, value: Any) -> Any:
    """A value as the type that an argument of this kind has in compiled code."""
    of = TYPES[kind].split("[")[0]
    if "[" not in TYPES[kind]:
        return int(value) if of == "int64" else float(value)
    return np.require(value, {"boolean": "bool"}.get(of, of), ["C_CONTIGUOUS", "WRITEABLE"])


class Shared:
    """What all trials of a call share."""

    def __init__(self, plan: Plan, kernel: Kernel):
        self.plan, self.kernel, self.network = plan, kernel, plan.network
        for population, declared in zip(self.network.populations, kernel.declared, strict=True):
            check_names(population, declared, {name for name, kind in declared.items() if kind != "state"})
        self.commands = {kind: self._commands(kind) for kind in ("drive", "hold", "gain")}
        self.wires = {i: self._sorted(i) for i in range(len(self.network.links))}
        self.block = max(1, BLOCK // self.network.n_neurons)
        self.values: dict[Argument, Any] = {}
        for argument in dict.fromkeys((*kernel.arguments, *kernel.prepared)):
            make: Callable[[int, str], Any] | None = getattr(self, f"_{argument.kind}", None)
            value = None if make is None else make(argument.owner, argument.name)
            if value is not None:
                self.values[argument] = typed(argument.kind, value)
        kernel.prepare(*(self.values[argument] for argument in kernel.prepared))

    def _commands(self, kind: str) -> Commands | None:
        if not self.plan.has(kind):
            return None
        steps = range(self.plan.burn_in_steps, self.plan.steps)
        effects = of_kind(self.plan.effects, kind)
        return Commands(effects, np.arange(self.plan.session.trials), self.network.n_neurons, steps, self.plan.dt)

    def _sorted(self, index: int) -> Wires | Ears:
        link = self.network.links[index]
        if isinstance(link.of, Coupling):
            shared = any(a.kind == "ear" and a.owner == index for a in self.kernel.arguments) and not self.plan.has(
                "gain"
            )
            return Ears.of(link, self._size(link.target), shared)
        return Wires.of(link, self._size(link.source), self.plan.dt)

    # What follows are the arguments by kind, each given its owner and name.

    def _dt(self, _: int, __: str) -> float:
        return self.plan.dt

    def _burn_in(self, _: int, __: str) -> int:
        return self.plan.burn_in_steps

    def _size(self, p: int, _: str = "") -> int:
        return self.network.populations[p].n_neurons

    def _first_neuron(self, p: int, _: str) -> int:
        return int(self.network.first[p])

    def _parameter(self, p: int, name: str, shared: bool) -> np.ndarray:
        value = self.plan.parameters(self.network.populations[p]).get(name, 0.0)
        return number_or_row(name, value, self._size(p), shared)

    def _scalar(self, p: int, name: str) -> np.ndarray:
        return self._parameter(p, name, shared=True)

    def _neuron(self, p: int, name: str) -> np.ndarray | None:
        if self.kernel.declared[p].get(name) != "constant":
            return None
        return self._parameter(p, name, shared=False)

    def _invariant(self, p: int, _: str) -> np.ndarray:
        return np.empty(self._size(p))

    def _offset(self, p: int, name: str) -> int:
        return int(places(self.plan, name)[p])

    def _sharing(self, _: int, name: str) -> np.ndarray:
        return sharing(self.plan, name)

    def _noise_own(self, _: int, __: str) -> float:
        return float(np.sqrt(1 - self.network.noise_share))

    def _noise_common(self, _: int, __: str) -> float:
        return float(np.sqrt(self.network.noise_share))

    def _delay(self, index: int, _: str) -> np.ndarray:
        return self.wires[index].delay  # type: ignore[union-attr]

    def _runs(self, index: int, _: str) -> np.ndarray:
        return self.wires[index].runs  # type: ignore[union-attr]

    def _post(self, index: int, _: str) -> np.ndarray:
        return self.wires[index].post  # type: ignore[union-attr]

    def _bounds(self, index: int, _: str) -> np.ndarray:
        return self.wires[index].bounds  # type: ignore[union-attr]

    def _pre(self, index: int, _: str) -> np.ndarray:
        return self.wires[index].pre  # type: ignore[union-attr]

    def _ear(self, index: int, _: str) -> np.ndarray:
        return self.wires[index].ear  # type: ignore[union-attr]

    def _synapse(self, index: int, name: str) -> np.ndarray | None:
        return self.of_synapses(index, "weight") if name == "w" else None

    def of_synapses(self, index: int, name: str) -> np.ndarray:
        """(synapse,) values in the order of compiled code."""
        return self.network.links[index].values(name)[self.wires[index].order]

    def _row(self, _: int, name: str) -> np.ndarray:
        steps = range(-self.plan.burn_in_steps, self.plan.trial_steps)
        kind = {"perturbation": "drive", "hold_": "hold"}.get(name)
        if kind is not None:
            commands = self.commands[kind]
            whole = range(self.plan.steps)
            return commands.rows(whole) if commands else np.zeros(self.plan.steps, np.int32)
        return next(drive for drive in self.plan.drives if drive.name == name).rows(steps, self.plan.dt)

    def _loading(self, p: int, name: str) -> np.ndarray:
        loading = next(drive for drive in self.plan.drives if drive.name == name).loading
        mine = slice(self.network.first[p], self.network.first[p + 1])
        return np.empty((0, 0)) if loading is None else np.asarray(loading, dtype=float)[:, mine]

    def _seen(self, p: int, _: str) -> np.ndarray:
        assert self.plan.record is not None
        seen = self.plan.record.seen(self.network.n_neurons) - self.network.first[p]
        return seen[(seen >= 0) & (seen < self._size(p))]

    def _sample_every(self, _: int, __: str) -> int:
        assert self.plan.record is not None
        return self.plan.record.steps(self.plan.dt)
