"""The arrays of one trial, and how a kernel takes it from step to step."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy

import numpy as np

from simlab.simulators.kernel.arguments import Argument
from simlab.simulators.kernel.effect_tables import EffectTables
from simlab.simulators.kernel.shared import Shared, typed
from simlab.simulators.normals import words_of
from simlab.simulators.spiking_network import Coupling
from simlab.simulators.spiking_plan import places
from simlab.simulators.spiking_values import TrialStreams, number_or_row, starts

NEVER = -(2**40)
"""The step at which a neuron that has not fired yet last did."""


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

    def copy(self) -> Trial:
        """The same, from where it is; its arrays its own."""
        twin = copy(self)
        own = self.values.keys() - self.shared.values.keys()
        twin.values = {a: np.array(v) if a in own and isinstance(v, np.ndarray) else v for a, v in self.values.items()}
        return twin

    def advance(self, first: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Takes the trial from one step to another; (spike,) steps and neurons, those of the burn-in left out."""
        self._set_gains(first)
        given = {"first": first, "stop": stop}
        kernel = self.shared.kernel
        count = kernel.advance(*(given[a.kind] if a.kind in given else self.values[a] for a in kernel.arguments))
        spikes = {a.kind: value[:count].copy() for a, value in self.values.items() if a.kind.startswith("spike_")}
        none = np.empty(0, np.int32)
        return spikes.get("spike_step", none), spikes.get("spike_neuron", none)

    def _set_gains(self, step: int) -> None:
        gain = self.shared.commands["gain"]
        if gain is not None and gain.changed(step):
            for argument, value in self.of_kind("synapse"):
                if argument.name == "gain_":
                    value[:] = self.effects.gains(self.trial, step, argument.owner)

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
        """Steps for which the spikes of a population are kept: a power of two beyond its longest delay."""
        links = enumerate(self.network.links)
        longest = max(int(self.shared.wires[i].delay[0]) for i, link in links  # type: ignore[union-attr]
                       if link.source == p and not isinstance(link.of, Coupling))  # fmt: skip
        return 2 ** int(longest).bit_length()

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
