"""Spiking networks: stated once in Brian2's equation language, run by a compiled kernel, or by Brian2 itself.

A circuit describes its network once, as data, and simulates any session of it:

    neurons = Population(
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
    )
    synapses = SynapseSet(pre, post, weight, delay, target="v")                       # v of post += weight
    spikes = simulate(SpikingNetwork((neurons,), (synapses,)), session, rng, burn_in=0.2)
    spikes.activity(session, 100)

Some names in the equations belong to the engine, which declares and fills them: `eta` (and `eta_...`), a fresh
standard normal number for each neuron and step (so white noise of density s is `s*eta/sqrt(dt)`), `perturbation`, the
sum of the session's drives in rheobases, and the `name` of each `Drive`. Everything else is a declared variable of the
equations with its unit, given in SI floats: weights, sizes and inputs are data, so one compilation serves every
subject and every number of trials.

Engines. `kernel`: Brian2 checks the equations and derives the steps of a simulation; they become one function,
compiled without a C compiler and kept on disk, that takes one trial from beginning to end. `brian2`: Brian2 runs all
trials as one network of independent replicates; it is the reference. Both draw the same numbers for each trial, from
a stream that depends on the trial's place alone. `auto` takes the kernel, and Brian2 for what no kernel can express;
`Spikes.engine` then says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import activity
from simlab.data.clock import within_step
from simlab.progress import report
from simlab.session import Session
from simlab.simulators.engines import checked, chosen_engine
from simlab.simulators.spiking_inputs import Drive
from simlab.simulators.spiking_network import Coupling, Population, SpikingNetwork, SynapseSet
from simlab.simulators.spiking_plan import Plan, Record
from simlab.simulators.spiking_values import Done, TrialStreams

__all__ = ["Coupling", "Drive", "Population", "Record", "Spikes", "SpikingNetwork", "SynapseSet", "simulate"]

MEMORY = 512 * 2**20
"""Default bound on what the reference engine holds of one chunk of trials [bytes]."""


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spike columns sorted by trial and time: trial (spike,), time (spike,) [s from trial onset], neuron (spike,).

    time: the start of the step in which a neuron fired; later (spike,) [s]: how much later in that step it did.
    engine: what ran them, for provenance ("kernel (numba 0.68.1, brian2 2.9.0)").
    samples: name -> (trial, sample, neuron) of what was recorded, NaN where a population lacks the variable.
    """

    trial: np.ndarray
    time: np.ndarray
    neuron: np.ndarray
    later: np.ndarray
    engine: str
    samples: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(trial, time, neuron), as `simlab.data.activity` takes them: not tied to the engine's steps."""
        return self.trial, self.time + self.later, self.neuron

    def activity(self, session: Session, n_neurons: int) -> xr.Dataset:
        """An Activity that holds them and names the engine."""
        return activity(session, n_neurons, spikes=self.columns).assign_attrs(engine=self.engine)


def simulate(
    network: SpikingNetwork,
    session: Session,
    rng: np.random.Generator,
    *,
    drives: Sequence[Drive] = (),
    burn_in: float = 0.2,
    dt: float = 1e-4,
    record: Record | None = None,
    engine: str = "",
    memory: int = MEMORY,
) -> Spikes:
    """Runs all trials of a session, each after its own burn-in [s], and returns their spikes.

    Trials are independent replicates of the network with their own noise and initial state. dt [s]. engine: one of
    `auto`, `kernel`, `brian2` or `brian2-cython`; by default that of the run (`simlab run --engine`), or `auto`.
    memory [bytes] bounds what the reference engine holds at once. Raises SimlabError on what cannot be run.
    """
    if not (dt > 0 and burn_in >= 0 and session.duration >= dt):
        raise SimlabError(
            f"need dt > 0, burn_in >= 0 and trials of at least one step, got dt={dt}, burn_in={burn_in}, "
            f"duration={session.duration}"
        )
    engine = checked(engine or chosen_engine())
    for drive in drives:
        drive.check(network.n_neurons, session.trials)
    plan = Plan(network, session, tuple(drives), round(burn_in / dt), round(session.duration / dt), dt, record)
    _ = plan.effects  # what cannot be honoured is refused before anything is built
    streams = TrialStreams.of(rng, session.trials)
    done, name = _run(plan, streams, engine, memory)
    report(1.0, "simulating")
    return _spikes(plan, done, streams, name)


def _run(plan: Plan, streams: list[TrialStreams], engine: str, memory: int) -> tuple[list[Done], str]:
    """All trials, and what ran them."""
    from simlab.simulators.brian.run import brian_name, run_brian
    from simlab.simulators.kernel.compiled import kernel_for, kernel_name
    from simlab.simulators.kernel.run import run_kernel

    if engine.startswith("brian2"):
        target = "cython" if engine.endswith("cython") else "numpy"
        return run_brian(plan, streams, target, memory), brian_name(target)
    kernel = kernel_for(plan)
    if not kernel.reason:
        return run_kernel(plan, kernel, streams), kernel_name()
    if engine == "kernel":
        raise SimlabError(f"no kernel can express {kernel.reason}: leave the engine to `auto`, or ask for `brian2`")
    return run_brian(plan, streams, "numpy", memory), f"{brian_name('numpy')}, as no kernel expresses {kernel.reason}"


def _spikes(plan: Plan, done: list[Done], streams: list[TrialStreams], engine: str) -> Spikes:
    trial = np.repeat(np.arange(len(done), dtype=np.int32), [len(each.step) for each in done])
    later = [within_step(len(each.step), plan.dt, mine.clock) for each, mine in zip(done, streams, strict=True)]
    step, neuron = (np.concatenate([getattr(each, name) for each in done]) for name in ("step", "neuron"))
    samples = {name: np.stack([each.samples[name] for each in done]) for name in done[0].samples}
    return Spikes(trial, step * plan.dt, neuron.astype(np.int32), np.concatenate(later), engine, samples)
