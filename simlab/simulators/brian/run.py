"""A network run by Brian2 itself: all trials of a chunk as one network of independent replicates."""

from __future__ import annotations

import gc
from itertools import pairwise

import numpy as np

from simlab.contracts import SimlabError
from simlab.progress import report
from simlab.simulators.brian.module import brian, generating
from simlab.simulators.brian.objects import Objects
from simlab.simulators.brian.words import in_brians_words
from simlab.simulators.brian.writers import Currents, Drives, Gains, Holds, Input, Noise
from simlab.simulators.effects import of_kind
from simlab.simulators.spiking_inputs import Commands, Schedule
from simlab.simulators.spiking_plan import Plan, sharing
from simlab.simulators.spiking_values import Done, TrialStreams, check_names, number_or_row, starts

NEURONS_PER_CHUNK = 20_000
"""Beyond this many neurons at once the state no longer fits a core's cache, and a step costs no less per neuron."""

_BYTES_PER_SYNAPSE = 72  # indices, weight, delay, and Brian2's bookkeeping of pre and post
_BYTES_PER_NEURON = 400


def brian_name(target: str) -> str:
    """For provenance: `brian2 2.9.0 numpy`."""
    return f"brian2 {brian().__version__} {target}"


def run_brian(plan: Plan, streams: list[TrialStreams], target: str, memory: int) -> list[Done]:
    """All trials, each from its own streams. memory [bytes] bounds the state held at once."""
    result: list[Done] = []
    chunks = _chunks(plan, memory)
    for index, trials in enumerate(chunks):
        share = (index / len(chunks), 1 / len(chunks))
        result += _Chunk(plan, trials, [streams[t] for t in trials], share).run(target)
        gc.collect()  # Brian2's objects hold one another, and large arrays
    return result


def _chunks(plan: Plan, memory: int) -> list[np.ndarray]:
    """Trial indices in near-equal chunks within the memory bound."""
    network, trials = plan.network, plan.session.trials
    n_synapses = sum(len(s.pre) for s in network.synapses)
    each = n_synapses * _BYTES_PER_SYNAPSE + network.n_neurons * _BYTES_PER_NEURON
    at_once = max(1, min(memory // each, NEURONS_PER_CHUNK // network.n_neurons))
    return np.array_split(np.arange(trials), -(-trials // at_once))


class _Chunk:
    """Some trials as one Brian2 network: what is written before each of its steps, and the spikes that come of it."""

    REPORT_EVERY = 500  # steps

    def __init__(self, plan: Plan, trials: np.ndarray, streams: list[TrialStreams], progress: tuple[float, float]):
        self.plan, self.trials, self.streams, self.progress = plan, trials, streams, progress
        self.step = 0
        self.spikes: list[tuple[int, np.ndarray, np.ndarray]] = []

    def run(self, target: str) -> list[Done]:
        """Every trial's spikes and samples."""
        b, plan = brian(), self.plan
        seed = int(self.streams[0].noise.spawn(1)[0].integers(2**31 - 1))
        with generating(target, seed):
            self.objects = Objects(plan, len(self.trials))
            self._set_values()
            self.objects.connect()
            self.samples, clock = self._empty_samples(), self.objects.clock
            self.inputs = self._inputs()
            self.spaces = [g.variables["_spikespace"].get_value() if p.threshold else np.zeros(1, np.int32)
                           for g, p in zip(self.objects.groups, plan.network.populations, strict=True)]  # fmt: skip
            before = b.NetworkOperation(self._before, clock=clock, when="start", name="simlab_inputs")
            record = b.NetworkOperation(self._record, clock=clock, when="after_start", name="simlab_records")
            after = b.NetworkOperation(self._after, clock=clock, when="end", name="simlab_spikes")
            with in_brians_words("the network"):
                b.Network([*self.objects.all, before, record, after]).run(plan.steps * plan.dt * b.second, namespace={})
        if self.step != plan.steps:
            raise KeyboardInterrupt(f"the simulation stopped after {self.step} of {plan.steps} steps")
        return self._done()

    def _before(self) -> None:
        for each in self.inputs:
            each.update(self.step)

    def _after(self) -> None:
        for population, space in enumerate(self.spaces):
            if space[-1] and self.step >= self.plan.burn_in_steps:
                n = self.plan.network.populations[population].n_neurons
                trial, neuron = np.divmod(space[: space[-1]], n)
                self.spikes.append((self.step, trial, neuron + self.plan.network.first[population]))
        self.step += 1
        if self.step % self.REPORT_EVERY == 0 or self.step == self.plan.steps:
            self._check_finite()
            start, share = self.progress
            report(start + share * self.step / self.plan.steps, "simulating")

    def _check_finite(self) -> None:
        """Raises SimlabError where a variable is no finite number."""
        plan, network = self.plan, self.plan.network
        for index, (group, population) in enumerate(zip(self.objects.groups, network.populations, strict=True)):
            for name in group.equations.diff_eq_names:
                values = group.variables[name].get_value()
                if not np.isfinite(values).all():
                    cell = int(np.flatnonzero(~np.isfinite(values))[0])
                    trial, neuron = divmod(cell, population.n_neurons)
                    raise SimlabError(
                        f"{network.name or 'the network'}: {name} of neuron {neuron + network.first[index]} is "
                        f"{values[cell]} at {(self.step - plan.burn_in_steps) * plan.dt:.6g} s of trial "
                        f"{self.trials[trial]}, with steps of {plan.dt} s; take a shorter step"
                    )

    def _done(self) -> list[Done]:
        step = np.repeat([s for s, _, _ in self.spikes], [len(t) for _, t, _ in self.spikes]).astype(np.int32)
        trial, neuron = (np.concatenate([np.empty(0, np.int32), *column]) for column in
                         ([t for _, t, _ in self.spikes], [n for _, _, n in self.spikes]))  # fmt: skip
        order = np.argsort(trial, kind="stable")
        ends = np.searchsorted(trial[order], np.arange(len(self.trials) + 1))
        step, neuron = step[order] - self.plan.burn_in_steps, neuron[order].astype(np.int32)
        mine = [slice(a, b) for a, b in pairwise(ends)]
        every = np.arange(self.plan.network.n_neurons)
        seen = self.plan.record.seen(len(every)) if self.plan.record else every
        samples = [{name: kept[t][:, seen] for name, kept in self.samples.items()} for t in range(len(mine))]
        return [Done(step[s], neuron[s], kept) for s, kept in zip(mine, samples, strict=True)]

    def _set_values(self) -> None:
        first = [[starts(p, each.start) for p in self.plan.network.populations] for each in self.streams]
        for index, (group, population) in enumerate(
            zip(self.objects.groups, self.plan.network.populations, strict=True)
        ):
            check_names(population, group.variables, {n for n, v in group.variables.items() if v.constant})
            for name, value in self.plan.parameters(population).items():
                shared = group.variables[name].scalar
                values = number_or_row(name, value, population.n_neurons, shared)
                if shared:
                    setattr(group, f"{name}_", values.item())
                else:
                    getattr(group, f"{name}_")[:] = np.tile(values, len(self.trials))
            for name in population.initial:
                getattr(group, f"{name}_")[:] = np.concatenate([trial[index][name] for trial in first])

    def _stores(self, name: str) -> list[tuple[np.ndarray, slice]]:
        """Where a name is written: Brian2's array, and which neurons it holds, for each population that has it."""
        first = self.plan.network.first
        return [
            (group.variables[name].get_value(), slice(first[p], first[p + 1]))
            for p, group in enumerate(self.objects.groups)
            if name in self.plan.given(self.plan.network.populations[p])
        ]

    def _inputs(self) -> list[Input]:
        """What is written before a step, in the order in which it is written."""
        plan = self.plan
        result: list[Input] = []
        steps = range(-plan.burn_in_steps, plan.trial_steps)
        for drive in plan.drives:
            result.append(Drives(drive, self._stores(drive.name), self.trials, drive.rows(steps, plan.dt)))
        names = sorted({name for population in plan.network.populations for name in population.noises})
        if names:
            stores = {name: [store for store, _ in self._stores(name)] for name in names}
            share, streams = plan.network.noise_share, [each.noise for each in self.streams]
            pairs = {name: sharing(plan, name) for name in names}
            result.append(Noise(stores, streams, pairs, float(np.sqrt(1 - share)), float(np.sqrt(share))))
        return [*result, *self._effects()]

    def _effects(self) -> list[Input]:
        """What the session's perturbations write."""
        plan, n = self.plan, self.plan.network.n_neurons
        result: list[Input] = []
        steps = range(plan.burn_in_steps, plan.steps)
        commands = {kind: Commands(of_kind(plan.effects, kind), self.trials, n, steps, plan.dt)
                    for kind in ("drive", "hold", "gain") if plan.has(kind)}  # fmt: skip
        if "drive" in commands:
            result.append(Currents(commands["drive"], self._stores("perturbation")))
        if "hold" in commands:
            phase = np.concatenate([each.phase.random(n) for each in self.streams])
            result.append(Holds(commands["hold"], Schedule.of(commands["hold"], phase), self._stores("hold_")))
        if "gain" in commands:
            for link, connection in zip(self.objects.links, self.objects.connections, strict=True):
                store = connection.variables["gain_"].get_value()
                result.append(Gains(commands["gain"], store, link.of.pre[link.rows], link.of.post[link.rows]))
        return result

    def _record(self) -> None:
        """Keeps what is recorded, at the start of a step that is a sample's."""
        plan = self.plan
        step = self.step - plan.burn_in_steps
        if plan.record is None or step < 0 or step % plan.record.steps(plan.dt):
            return
        first, trials = plan.network.first, len(self.trials)
        for name, kept in self.samples.items():
            for p, group in enumerate(self.objects.groups):
                if name in group.variables:
                    values = np.broadcast_to(np.asarray(getattr(group, f"{name}_")[:]), len(group))
                    kept[:, step // plan.record.steps(plan.dt), first[p] : first[p + 1]] = values.reshape(trials, -1)

    def _empty_samples(self) -> dict[str, np.ndarray]:
        """name -> (trial, sample, neuron) of nothing yet."""
        plan = self.plan
        if plan.record is None:
            return {}
        shape = (len(self.trials), -(-plan.trial_steps // plan.record.steps(plan.dt)), plan.network.n_neurons)
        return {name: np.full(shape, np.nan, np.float32) for name in plan.record.variables}
