"""A network run by its kernel, trial by trial."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from simlab.progress import report
from simlab.simulators.kernel.compiled import Kernel
from simlab.simulators.kernel.effect_tables import EffectTables
from simlab.simulators.kernel.shared import Shared
from simlab.simulators.kernel.stability import explained, lost
from simlab.simulators.kernel.trial import Trial
from simlab.simulators.spiking_inputs import cores, one_thread
from simlab.simulators.spiking_plan import Plan
from simlab.simulators.spiking_values import Done, TrialStreams

TABLES = 2**22
"""Numbers that the tables of effects of a batch of trials may hold at once."""


class _Stopped(Exception):
    """The call was interrupted while a thread was at work."""


def run_kernel(plan: Plan, kernel: Kernel, streams: list[TrialStreams]) -> list[Done]:
    """All trials, each from its own streams: by as many threads as there are cores, or by one in a worker."""
    runner = _Runner(plan, kernel)
    result: list[Done] = []
    for trials in _batches(plan, runner.shared):
        effects = EffectTables(runner.shared, trials, [streams[t] for t in trials])
        result += runner.batch(trials, streams, effects, len(result))
    return result


def _batches(plan: Plan, shared: Shared) -> list[np.ndarray]:
    """Trials whose tables of effects fit the bound."""
    edges = sum(len(commands.edges) + 1 for commands in shared.commands.values() if commands is not None)
    trials = np.arange(plan.session.trials)
    at_once = max(1, TABLES // max(1, edges * plan.network.n_neurons)) if edges else len(trials)
    return np.array_split(trials, -(-len(trials) // at_once))


class _Runner:
    def __init__(self, plan: Plan, kernel: Kernel):
        self.plan, self.kernel, self.shared = plan, kernel, Shared(plan, kernel)
        self.threads = 1 if one_thread() else cores()
        self.stopped = False

    def batch(self, trials: np.ndarray, streams: list[TrialStreams], effects: EffectTables, before: int) -> list[Done]:
        """Some trials; before: how many are done already."""
        if min(self.threads, len(trials)) == 1:
            return [self._trial(t, streams[t], effects, before + i) for i, t in enumerate(trials.tolist())]
        done: dict[int, Done] = {}
        with ThreadPoolExecutor(self.threads, thread_name_prefix="simlab-trials") as pool:
            work = {pool.submit(self._trial, t, streams[t], effects): t for t in trials.tolist()}
            try:
                for future in work:  # in order, so that of several errors it is always the same one that is told
                    done[work[future]] = future.result()
                    self._tell(before + len(done))
            finally:
                self.stopped = len(done) < len(work)
                pool.shutdown(cancel_futures=True)
        return [done[trial] for trial in trials.tolist()]

    def _tell(self, trials: float) -> None:
        report(min(trials / self.plan.session.trials, 1.0), "simulating")

    def _trial(self, number: int, streams: TrialStreams, effects: EffectTables, place: int | None = None) -> Done:
        trial = Trial(self.shared, number, streams, effects)
        steps, neurons = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
        for first, stop in self._blocks():
            if self.stopped:
                raise _Stopped
            step, neuron = trial.advance(first, stop)
            if lost(trial) is not None:
                raise explained(self.shared, number, streams)
            steps.append(step - self.plan.burn_in_steps)
            neurons.append(neuron)
            if place is not None:
                self._tell(place + stop / self.plan.steps)
        return Done(np.concatenate(steps), np.concatenate(neurons), self._samples(trial))

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """(first, stop) steps of each call: no longer than a block, and none across a change of gains."""
        gain = self.shared.commands["gain"]
        edges = set(range(0, self.plan.steps, self.shared.block)) | {self.plan.steps}
        return pairwise(sorted(edges | (set(gain.edges.tolist()) if gain else set())))

    def _samples(self, trial: Trial) -> dict[str, np.ndarray]:
        record = self.plan.record
        if record is None:
            return {}
        seen = record.seen(self.plan.network.n_neurons)
        samples = -(-self.plan.trial_steps // record.steps(self.plan.dt))
        result = {name: np.full((samples, len(seen)), np.nan, np.float32) for name in record.variables}
        first = self.plan.network.first
        for argument, kept in trial.of_kind("kept"):
            mine = (seen >= first[argument.owner]) & (seen < first[argument.owner + 1])
            result[argument.name][:, mine] = kept
        return result
