"""Batched spiking networks in Brian2: all trials of a session run as one network of independent replicates.

A circuit describes its network once, as data, and simulates any session of it:

    network = SpikingNetwork(
        n_neurons=100,
        equations='''
            dv/dt = (rest - v + bias + 15*mV*perturbation)/tau + sigma*sqrt(2/(tau*dt))*eta : volt (unless refractory)
            tau : second (shared, constant)
            rest : volt (shared, constant)
            sigma : volt (shared, constant)
            bias : volt (constant)
        ''',
        threshold="v > -50*mV", reset="v = -60*mV", refractory=2e-3,
        parameters={"tau": 20e-3, "rest": -65e-3, "sigma": 5e-3, "bias": bias},        # SI; scalars or (neuron,)
        initial={"v": (-65e-3, -50e-3)},                                              # uniform, or (neuron,)
        synapses=(SynapseSet(pre, post, weight, delay, target="v"),),                 # v of post += weight
    )
    spikes = simulate(network, session, rng, burn_in=0.2)
    activity(session, 100, spikes=spikes.columns)

Three names in the equations belong to the engine, which declares and fills them:
`eta`, a fresh standard normal number for each neuron and step (so white noise of density s is `s*eta/sqrt(dt)`),
`perturbation`, the sum of the session's drives in rheobases, and the `name` of each `Drive`.
Everything else is a declared variable of the equations with its unit, given in SI floats: weights, sizes and inputs
are data, so one compilation serves every subject and every number of trials.

The numbers drawn are the same on the numpy and Cython targets, and in practice so are the spikes (tested), whichever
`auto` takes; C++ standalone draws its own. The target is kept in `Spikes.engine`, since compilers may round otherwise.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simlab.contracts import SimlabError
from simlab.data.clock import within_step
from simlab.progress import report
from simlab.session import Session
from simlab.simulators.spiking_inputs import Drive, Input
from simlab.simulators.spiking_network import Plan, SpikingNetwork, SynapseSet, build, inputs
from simlab.simulators.spiking_standalone import run_standalone
from simlab.simulators.spiking_targets import TARGETS, brian, choose_target, compiling, engine_name

__all__ = ["Drive", "Spikes", "SpikingNetwork", "SynapseSet", "simulate"]

MEMORY = 512 * 2**20
"""Default bound on the state of one chunk of trials [bytes]."""

NEURONS_PER_CHUNK = 20_000
"""Beyond this many neurons at once the state no longer fits a core's cache, and a step costs no less per neuron."""

_BYTES_PER_SYNAPSE = 72  # indices, weight, delay, and Brian2's bookkeeping of pre and post
_BYTES_PER_NEURON = 400


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spike columns sorted by trial and time: trial (spike,), time (spike,) [s from trial onset], neuron (spike,).

    time: the start of the step in which a neuron fired; later (spike,) [s]: how much later in that step it did.
    engine: what ran them, for provenance ("brian2 2.9.0 numpy").
    """

    trial: np.ndarray
    time: np.ndarray
    neuron: np.ndarray
    later: np.ndarray
    engine: str

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(trial, time, neuron), as `simlab.data.activity` takes them: not tied to the engine's steps."""
        return self.trial, self.time + self.later, self.neuron


def simulate(
    network: SpikingNetwork,
    session: Session,
    rng: np.random.Generator,
    *,
    drives: Sequence[Drive] = (),
    burn_in: float = 0.2,
    dt: float = 1e-4,
    target: str = "auto",
    memory: int = MEMORY,
) -> Spikes:
    """Runs all trials of a session, each after its own burn-in [s], and returns their spikes.

    Trials are independent replicates of the network with their own noise and initial state. dt [s]. target: one of
    `numpy`, `cython`, `cpp_standalone` or `auto` (whichever should end sooner, compilation included). memory [bytes]
    bounds the state held at once; more trials than fit run in chunks. Raises SimlabError on what cannot be run.
    """
    if not (dt > 0 and burn_in >= 0 and session.duration >= dt):
        raise SimlabError(
            f"need dt > 0, burn_in >= 0 and trials of at least one step, got dt={dt}, burn_in={burn_in}, "
            f"duration={session.duration}"
        )
    if target not in TARGETS:
        raise SimlabError(f"target must be one of {', '.join(TARGETS)}, got {target!r}")
    plan = Plan(network, session, tuple(drives), round(burn_in / dt), round(session.duration / dt), dt)
    plan.effects()  # what cannot be honoured is refused before anything is built
    chunks = _chunks(network, session.trials, memory)
    if target == "auto":
        width = max(len(chunk) for chunk in chunks) * network.n_neurons
        target = choose_target(plan.signature(), width, len(chunks) * plan.steps, standalone=plan.spontaneous)
    if target == "cpp_standalone" and not plan.spontaneous:
        raise SimlabError("cpp_standalone runs no drives or perturbations: use cython, numpy or auto")
    parts = []
    for index, (trials, child) in enumerate(zip(chunks, rng.spawn(len(chunks)), strict=True)):
        parts.append(_run_chunk(plan, trials, child, target, progress=(index / len(chunks), 1 / len(chunks))))
        gc.collect()  # Brian2's objects hold one another, and large arrays
    report(1.0, "simulating")
    trial, time, neuron, later = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Spikes(trial, time, neuron, later, engine_name(target))


def _chunks(network: SpikingNetwork, trials: int, memory: int) -> list[np.ndarray]:
    """Trial indices in near-equal chunks within the memory bound; depends on nothing but its arguments."""
    n_synapses = sum(len(s.pre) for s in network.synapses)
    each = n_synapses * _BYTES_PER_SYNAPSE + network.n_neurons * _BYTES_PER_NEURON
    at_once = max(1, min(memory // each, NEURONS_PER_CHUNK // network.n_neurons))
    return np.array_split(np.arange(trials), -(-trials // at_once))


def _run_chunk(
    plan: Plan, trials: np.ndarray, rng: np.random.Generator, target: str, progress: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The columns of `Spikes` of these trials, in order of trial and time."""
    b = brian()
    initial_rng, input_rng, seed_rng, clock_rng = rng.spawn(4)
    seed = int(seed_rng.integers(2**31 - 1))
    if target == "cpp_standalone":
        return _columns(plan, trials, *run_standalone(plan, len(trials), initial_rng, seed), clock_rng)
    with compiling(target, plan.signature(), seed):
        objects = build(plan, len(trials), initial_rng)
        group = objects[0]
        given = inputs(plan, objects, trials, input_rng)
        stepper = _Stepper(plan, group.variables["_spikespace"].get_value(), given, progress)
        before = b.NetworkOperation(stepper.before, clock=group.clock, when="start", name="simlab_inputs")
        after = b.NetworkOperation(stepper.after, clock=group.clock, when="end", name="simlab_spikes")
        try:
            b.Network([*objects, before, after]).run(plan.steps * plan.dt * b.second, namespace={})
        finally:
            for each in given:
                each.close()
    if stepper.step != plan.steps:
        raise KeyboardInterrupt(f"the simulation stopped after {stepper.step} of {plan.steps} steps")
    return _columns(plan, trials, *stepper.table(), clock_rng)


class _Stepper:
    """What happens around each of Brian2's steps: inputs are written, spikes are kept, progress is told.

    Reading the spikes here costs less than a SpikeMonitor, and one compilation fewer.
    """

    REPORT_EVERY = 500  # steps

    def __init__(self, plan: Plan, spikespace: np.ndarray, given: list[Input], progress: tuple[float, float]):
        self.plan, self.spikespace, self.given, self.progress = plan, spikespace, given, progress
        self.spikes: list[tuple[int, np.ndarray]] = []
        self.step = 0

    def before(self) -> None:
        for each in self.given:
            each.update(self.step)

    def after(self) -> None:
        count = self.spikespace[-1]
        if count and self.step >= self.plan.burn_in_steps:
            self.spikes.append((self.step, self.spikespace[:count].copy()))
        self.step += 1
        if self.step % self.REPORT_EVERY == 0:
            start, share = self.progress
            report(start + share * self.step / self.plan.steps, "simulating")

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """(step, cell = trial x neurons + neuron) of every spike kept."""
        cells = np.concatenate([np.empty(0, np.int32), *(cells for _, cells in self.spikes)])
        return np.repeat([step for step, _ in self.spikes], [len(cells) for _, cells in self.spikes]), cells


def _columns(
    plan: Plan, trials: np.ndarray, steps: np.ndarray, cells: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    kept = steps >= plan.burn_in_steps
    steps, cells = steps[kept] - plan.burn_in_steps, cells[kept]
    trial, neuron = np.divmod(cells, plan.network.n_neurons)
    order = np.lexsort((neuron, steps, trial))
    columns = trials[trial[order]].astype(np.int32), steps[order] * plan.dt, neuron[order].astype(np.int32)
    return *columns, within_step(len(steps), plan.dt, rng)
