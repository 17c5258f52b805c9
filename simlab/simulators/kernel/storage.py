"""The arrays that a kernel works on: those that all trials share, and a trial's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from simlab.simulators.effects import drive_at, gain_at, of_kind
from simlab.simulators.kernel.arguments import TYPES, Argument
from simlab.simulators.kernel.compiled import Kernel
from simlab.simulators.kernel.normals import words_of
from simlab.simulators.kernel.synapses import Ears, Wires
from simlab.simulators.spiking_inputs import Commands, Schedule
from simlab.simulators.spiking_network import Coupling
from simlab.simulators.spiking_plan import Plan, places, sharing
from simlab.simulators.spiking_values import TrialStreams, check_names, number_or_row, starts

NEVER = -(2**40)
"""The step at which a neuron that has not fired yet last did."""

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
            check_names(population, declared)
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
        effects = of_kind(self.plan.effects(), kind)
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


class Trial:
    """The arrays of one trial, and how far it is."""

    def __init__(self, shared: Shared, trial: int, streams: TrialStreams, effects: EffectTables):
        self.shared, self.trial, self.streams, self.effects = shared, trial, streams, effects
        self.plan, self.network = shared.plan, shared.network
        self.start = [starts(population, streams.start) for population in self.network.populations]
        self.values = dict(shared.values)
        for argument in shared.kernel.arguments:
            if argument not in self.values and argument.kind not in ("first", "stop"):
                value = getattr(self, f"_{argument.kind}")(argument.owner, argument.name)
                self.values[argument] = typed(argument.kind, value)

    def of_kind(self, kind: str) -> Iterable[tuple[Argument, np.ndarray]]:
        """Its arguments of a kind."""
        return ((argument, value) for argument, value in self.values.items() if argument.kind == kind)

    def _size(self, p: int) -> int:
        return self.network.populations[p].n_neurons

    def _neuron(self, p: int, name: str) -> np.ndarray:
        given = self.start[p].get(name)
        if given is None:
            given = number_or_row(name, self.network.populations[p].parameters.get(name, 0.0), self._size(p), False)
        return np.array(given, dtype=float)

    def _last(self, p: int, _: str) -> np.ndarray:
        return np.full(self._size(p), NEVER)

    def _ready(self, p: int, _: str) -> np.ndarray:
        return np.ones(self._size(p), bool)

    def _fired(self, p: int, _: str) -> np.ndarray:
        return np.empty(self._size(p), np.int32)

    def _history(self, p: int, _: str) -> np.ndarray:
        return np.zeros((self._memory(p), self._size(p)), np.int32)

    def _history_count(self, p: int, _: str) -> np.ndarray:
        return np.zeros(self._memory(p), np.int64)

    def _memory(self, p: int) -> int:
        """Steps for which the spikes of a population are kept."""
        links = enumerate(self.network.links)
        return 1 + max(int(self.shared.wires[i].delay[0]) for i, link in links  # type: ignore[union-attr]
                       if link.source == p and not isinstance(link.of, Coupling))  # fmt: skip

    def _noise(self, _: int, name: str) -> np.ndarray:
        return np.empty(places(self.plan, name)[-1])

    def _drawn(self, p: int, _: str) -> np.ndarray:
        return np.empty(self._size(p))

    def _stream(self, _: int, __: str) -> np.ndarray:
        return words_of(self.streams.noise)

    def _sent(self, index: int, _: str) -> np.ndarray:
        return np.empty(self._size(self.network.links[index].source))

    def _heard(self, index: int, _: str) -> np.ndarray:
        return np.empty(len(self.shared.wires[index].bounds) - 1)  # type: ignore[union-attr]

    def _synapse(self, index: int, name: str) -> np.ndarray:
        if name == "gain_":
            return np.ones(len(self.shared.wires[index].order))
        if name == "lastupdate":
            return np.zeros(len(self.shared.wires[index].order))
        return self.shared.of_synapses(index, name).copy()

    def _table(self, p: int, name: str) -> np.ndarray:
        if name == "perturbation":
            return self.effects.currents(self.trial, p)
        if name == "hold_":
            return self.effects.held(self.trial, p)
        return next(drive for drive in self.plan.drives if drive.name == name).signal[self.trial]

    def _forced(self, p: int, _: str) -> np.ndarray:
        return self.effects.forced(self.trial, p)[1]

    def _forced_bounds(self, p: int, _: str) -> np.ndarray:
        steps = self.effects.forced(self.trial, p)[0]
        return np.searchsorted(steps, np.arange(self.plan.steps + 1))

    def _spike_step(self, _: int, __: str) -> np.ndarray:
        return np.empty(self.shared.block * self.network.n_neurons, np.int32)

    _spike_neuron = _spike_step

    def _kept(self, p: int, _: str) -> np.ndarray:
        assert self.plan.record is not None
        seen = self.shared._seen(p, "")
        return np.empty((-(-self.plan.trial_steps // self.plan.record.steps(self.plan.dt)), len(seen)), np.float32)


class EffectTables:
    """What the session's perturbations amount to in some trials, stretch by stretch between their changes."""

    def __init__(self, shared: Shared, trials: np.ndarray, streams: list[TrialStreams]):
        self.shared, self.place = shared, {trial: i for i, trial in enumerate(trials.tolist())}
        self.drive, self.hold = (self._of(kind, trials) for kind in ("drive", "hold"))
        n = shared.network.n_neurons
        if self.drive is not None:
            edges = self.drive.edges.tolist()
            now = [drive_at(self.drive.effects, self.drive.time(edge), trials, n) for edge in edges]
            self.current = np.stack([np.zeros((len(trials), n)), *now], axis=1)  # (trial, stretch, neuron)
        if self.hold is not None:
            phase = np.concatenate([each.phase.random(n) for each in streams])
            self.schedule = Schedule.of(self.hold, phase)

    def _of(self, kind: str, trials: np.ndarray) -> Commands | None:
        every = self.shared.commands[kind]
        if every is None:
            return None
        steps = range(every.offset, every.last)
        return Commands(every.effects, trials, every.n_neurons, steps, every.dt)

    def _mine(self, p: int) -> slice:
        return slice(self.shared.network.first[p], self.shared.network.first[p + 1])

    def currents(self, trial: int, p: int) -> np.ndarray:
        """(stretch, neuron) [rheobases] of a population."""
        if self.drive is None:
            return np.zeros((1, self.shared._size(p)))
        return self.current[self.place[trial], :, self._mine(p)]

    def held(self, trial: int, p: int) -> np.ndarray:
        """(stretch, neuron) 1 where a neuron is held, 0 where it is free."""
        n = self.shared.network.n_neurons
        held = self.schedule.held.reshape(len(self.schedule.held), -1, n)[:, self.place[trial], self._mine(p)]
        return np.concatenate([np.zeros((1, held.shape[1])), held])

    def forced(self, trial: int, p: int) -> tuple[np.ndarray, np.ndarray]:
        """(spike,) step and neuron (of the population) of the spikes that held neurons are made to fire."""
        where, neuron = np.divmod(self.schedule.cell, self.shared.network.n_neurons)
        mine = self._mine(p)
        chosen = np.flatnonzero((where == self.place[trial]) & (neuron >= mine.start) & (neuron < mine.stop))
        chosen = chosen[np.argsort(self.schedule.step[chosen], kind="stable")]
        return self.schedule.step[chosen], neuron[chosen] - mine.start

    def gains(self, trial: int, step: int, link: int) -> np.ndarray:
        """(synapse,) factors on a link's weights from a step on, in the order of compiled code."""
        gain, of = self.shared.commands["gain"], self.shared.network.links[link]
        assert gain is not None
        order = self.shared.wires[link].order
        pre, post = of.of.pre[of.rows][order], of.of.post[of.rows][order]
        return gain_at(gain.effects, gain.time(step), np.array([trial]), pre, post)[0]
