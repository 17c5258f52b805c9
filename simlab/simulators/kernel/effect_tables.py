"""What a session's perturbations amount to, stretch by stretch between their changes, as a kernel reads it."""

from __future__ import annotations

import numpy as np

from simlab.simulators.effects import drive_at, gain_at
from simlab.simulators.kernel.shared import Shared
from simlab.simulators.spiking_inputs import Commands, Schedule
from simlab.simulators.spiking_values import TrialStreams


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
            trial, neuron = np.divmod(self.schedule.cell, n)
            order = np.lexsort((self.schedule.step, trial))
            self.made = self.schedule.step[order], neuron[order]  # in order of trial and step
            self.bounds = np.searchsorted(trial[order], np.arange(len(trials) + 1))

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
        place, mine = self.place[trial], self._mine(p)
        step, neuron = (column[self.bounds[place] : self.bounds[place + 1]] for column in self.made)
        chosen = (neuron >= mine.start) & (neuron < mine.stop)
        return step[chosen], neuron[chosen] - mine.start

    def gains(self, trial: int, step: int, link: int) -> np.ndarray:
        """(synapse,) factors on a link's weights from a step on, in the order of compiled code."""
        gain, of = self.shared.commands["gain"], self.shared.network.links[link]
        assert gain is not None
        order = self.shared.wires[link].order
        pre, post = of.of.pre[of.rows][order], of.of.post[of.rows][order]
        return gain_at(gain.effects, gain.time(step), np.array([trial]), pre, post)[0]
