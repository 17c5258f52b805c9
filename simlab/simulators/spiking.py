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
`perturbation`, the session's commanded current in rheobases, and the `name` of each `Drive`.
Everything else is a declared variable of the equations with its unit, given in SI floats: weights, sizes and inputs
are data, so one compilation serves every subject and every number of trials.

The numbers drawn do not depend on the code generation target, and neither do the spikes of equations that add and
multiply in the same order; the target is still kept in `Spikes.engine`, since compilers may round otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simlab.contracts import SimlabError
from simlab.progress import report
from simlab.session import Session, neuron_perturbations
from simlab.simulators.spiking_inputs import Clamps, Drive, Drives, Input, Noise, Perturbations
from simlab.simulators.spiking_targets import TARGETS, brian, choose_target, compiling, engine_name, without_compiling

__all__ = ["Drive", "Spikes", "SpikingNetwork", "SynapseSet", "simulate"]

MEMORY = 512 * 2**20
"""Default bound on the state of one chunk of trials [bytes]."""

NEURONS_PER_CHUNK = 20_000
"""Beyond this many neurons at once the state no longer fits a core's cache, and a step costs no less per neuron."""

_BYTES_PER_SYNAPSE = 72  # indices, weight, delay, and Brian2's bookkeeping of pre and post
_BYTES_PER_NEURON = 400


@dataclass(frozen=True, eq=False)
class SynapseSet:
    """Synapses of one kind: a presynaptic spike adds `weight` to `target` of the postsynaptic neuron after `delay`.

    pre, post: (synapse,) neuron indices. weight: (synapse,) in the SI unit of the target variable. delay: (synapse,)
    [s]. factor: an expression that multiplies the weight at arrival, of variables with `_pre` and `_post` appended,
    such as `u_pre*x_pre` (a depressing synapse) or a driving force.
    """

    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    delay: np.ndarray | float
    target: str = "v"
    factor: str = ""

    def __post_init__(self) -> None:
        shape = np.shape(self.pre)
        for name, kind in (("pre", np.int32), ("post", np.int32), ("weight", float), ("delay", float)):
            values = np.array(np.broadcast_to(getattr(self, name), shape), dtype=kind)
            if values.ndim != 1 or not np.isfinite(values).all():
                raise SimlabError(f"a synapse set's {name} must be one finite number per synapse, got shape {shape}")
            object.__setattr__(self, name, values)
        if np.size(self.delay) and np.min(self.delay) < 0:
            raise SimlabError(f"synaptic delays must be >= 0 s, got {np.min(self.delay)}")


@dataclass(frozen=True, eq=False)
class SpikingNetwork:
    """A spiking network as data: one subject's equations, parameters and synapses (see the module's example).

    refractory: [s], or a Brian2 expression of a per-neuron variable. method: Brian2's integration method.
    parameters: name -> value in SI units of a variable declared in the equations, scalar or (neuron,).
    initial: name -> (low, high) of a uniform draw for every neuron and trial, or (neuron,) values.
    """

    n_neurons: int
    equations: str
    threshold: str
    reset: str
    refractory: float | str = 0.0
    method: str = "euler"
    parameters: Mapping[str, float | np.ndarray] = field(default_factory=dict)
    initial: Mapping[str, tuple[float, float] | np.ndarray] = field(default_factory=dict)
    synapses: tuple[SynapseSet, ...] = ()

    def __post_init__(self) -> None:
        if self.n_neurons < 1:
            raise SimlabError(f"a network needs at least one neuron, got {self.n_neurons}")
        for synapses in self.synapses:
            ends = np.concatenate([synapses.pre, synapses.post])
            if ends.size and not (ends.min() >= 0 and ends.max() < self.n_neurons):
                raise SimlabError(
                    f"synapses must join neurons 0..{self.n_neurons - 1}, got indices {ends.min()}..{ends.max()}"
                )


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spike columns sorted by trial and time: trial (spike,), time (spike,) [s from trial onset], neuron (spike,).

    engine: what ran them, for provenance ("brian2 2.9.0 numpy").
    """

    trial: np.ndarray
    time: np.ndarray
    neuron: np.ndarray
    engine: str

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(trial, time, neuron), as `simlab.data.activity` takes them."""
        return self.trial, self.time, self.neuron


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
    `numpy`, `cython` or `auto` (whichever should end sooner, compilation included). memory [bytes] bounds
    the state held at once; more trials than fit run in chunks. Raises SimlabError on what cannot be run.
    """
    if not (dt > 0 and burn_in >= 0 and session.duration >= dt):
        raise SimlabError(
            f"need dt > 0, burn_in >= 0 and trials of at least one step, got dt={dt}, burn_in={burn_in}, "
            f"duration={session.duration}"
        )
    if target not in TARGETS:
        raise SimlabError(f"target must be one of {', '.join(TARGETS)}, got {target!r}")
    plan = _Plan(network, session, tuple(drives), round(burn_in / dt), round(session.duration / dt), dt)
    chunks = _chunks(network, session.trials, memory)
    if target == "auto":
        width = max(len(chunk) for chunk in chunks) * network.n_neurons
        target = choose_target(plan.signature(), width, len(chunks) * plan.steps)
    parts = []
    for index, (trials, child) in enumerate(zip(chunks, rng.spawn(len(chunks)), strict=True)):
        parts.append(_run_chunk(plan, trials, child, target, progress=(index / len(chunks), 1 / len(chunks))))
    report(1.0, "simulating")
    trial, time, neuron = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Spikes(trial, time, neuron, engine_name(target))


@dataclass(frozen=True, eq=False)
class _Plan:
    """One call of `simulate`, in steps."""

    network: SpikingNetwork
    session: Session
    drives: tuple[Drive, ...]
    burn_in_steps: int
    trial_steps: int
    dt: float

    @property
    def steps(self) -> int:
        return self.burn_in_steps + self.trial_steps

    @property
    def clamped(self) -> bool:
        return any(pulse.kind == "clamp" for pulse in self.session.perturbations)

    def uses(self, name: str) -> bool:
        return name in _words(self.network.equations)

    def equations(self) -> str:
        """The circuit's equations and declarations of what the engine fills in."""
        names = [name for name in ("eta", "perturbation") if self.uses(name)]
        names += ["clamp_"] if self.clamped else []
        lines = [f"{name} : 1" for name in names] + [f"{drive.name} : {drive.unit}" for drive in self.drives]
        return self.network.equations + "\n" + "\n".join(lines)

    def threshold(self) -> str:
        """The threshold, which a clamped neuron passes only when it is made to."""
        own = self.network.threshold
        return f"(({own}) and clamp_ < 0.5) or clamp_ > 1.5" if self.clamped else own

    def synapses(self) -> list[SynapseSet]:
        return [s for s in self.network.synapses if len(s.pre)]

    def signature(self) -> tuple[str, ...]:
        """All that the generated code depends on: equal signatures share compiled code."""
        network = self.network
        refractory = network.refractory if isinstance(network.refractory, str) else repr(float(network.refractory))
        code = (self.equations(), self.threshold(), network.reset, refractory, network.method)
        return (*code, *(f"{s.target} {s.factor}" for s in self.synapses()))


def _words(code: str) -> set[str]:
    import re

    return set(re.findall(r"[A-Za-z_]\w*", code))


def _chunks(network: SpikingNetwork, trials: int, memory: int) -> list[np.ndarray]:
    """Trial indices in near-equal chunks within the memory bound; depends on nothing but its arguments."""
    n_synapses = sum(len(s.pre) for s in network.synapses)
    each = n_synapses * _BYTES_PER_SYNAPSE + network.n_neurons * _BYTES_PER_NEURON
    at_once = max(1, min(memory // each, NEURONS_PER_CHUNK // network.n_neurons))
    return np.array_split(np.arange(trials), -(-trials // at_once))


def _run_chunk(
    plan: _Plan, trials: np.ndarray, rng: np.random.Generator, target: str, progress: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spike columns of these trials, in order of trial and time."""
    b = brian()
    initial_rng, noise_rng, clamp_rng, seed_rng = rng.spawn(4)
    with compiling(target, plan.signature(), seed=int(seed_rng.integers(2**31 - 1))):
        group, objects = _build(plan, len(trials), initial_rng)
        inputs = _inputs(plan, group, trials, noise_rng, clamp_rng)
        collected: list[tuple[int, np.ndarray]] = []
        step = _Stepper(plan, group, inputs, collected, progress)
        clock = objects[0].clock
        objects.append(b.NetworkOperation(step.before, clock=clock, when="start", name="simlab_inputs"))
        objects.append(b.NetworkOperation(step.after, clock=clock, when="end", name="simlab_spikes"))
        net = b.Network(objects)
        try:
            net.run(plan.steps * plan.dt * b.second, namespace={})
        finally:
            for each in inputs:
                each.close()
        if step.step != plan.steps:
            raise KeyboardInterrupt(f"the simulation stopped after {step.step} of {plan.steps} steps")
    return _columns(plan, trials, collected)


def _build(plan: _Plan, n_trials: int, rng: np.random.Generator) -> tuple[object, list]:
    """The neurons and block-diagonal synapses of `n_trials` replicates; names are fixed, as they enter the code."""
    b, network = brian(), plan.network
    clock = b.Clock(dt=plan.dt * b.second, name="simlab_clock")
    refractory = network.refractory if isinstance(network.refractory, str) else network.refractory * b.second
    group = b.NeuronGroup(
        n_trials * network.n_neurons,
        plan.equations(),
        threshold=plan.threshold(),
        reset=network.reset,
        refractory=refractory if network.refractory else False,
        method=network.method,
        clock=clock,
        namespace={},
        name="simlab_neurons",
    )
    _set_values(plan, group, n_trials, rng)
    objects: list = [group]
    for index, synapses in enumerate(plan.synapses()):
        objects.append(_build_synapses(group, synapses, n_trials, network.n_neurons, f"simlab_synapses_{index}"))
    return group, objects


def _set_values(plan: _Plan, group, n_trials: int, rng: np.random.Generator) -> None:
    network = plan.network
    known = set(group.variables)
    for name in (*network.parameters, *network.initial):
        if name not in known:
            raise SimlabError(f"the equations declare no variable {name!r}: declare it, or drop its value")
    for name, value in network.parameters.items():
        _assign(group, name, value, n_trials)
    for name, value in network.initial.items():
        if isinstance(value, tuple):
            low, high = value
            group.variables[name].get_value()[:] = rng.uniform(low, high, n_trials * network.n_neurons)
        else:
            _assign(group, name, value, n_trials)


def _assign(group, name: str, value: float | np.ndarray, n_trials: int) -> None:
    values = np.asarray(value, dtype=float)
    store = group.variables[name].get_value()
    per_trial = len(store) // n_trials if not group.variables[name].scalar else 1
    if values.ndim and values.shape != (per_trial,):
        raise SimlabError(f"{name} must be one number, or one per neuron ({per_trial},), got shape {values.shape}")
    if not np.isfinite(values).all():
        raise SimlabError(f"{name} must be finite, got {values[~np.isfinite(values)][:3]}")
    store[:] = values if values.ndim == 0 else np.tile(values, n_trials)


def _build_synapses(group, synapses: SynapseSet, n_trials: int, n_neurons: int, name: str):
    b = brian()
    if synapses.target not in group.variables:
        raise SimlabError(f"synapses act on {synapses.target!r}, which the equations do not declare")
    unit = repr(b.get_unit(group.variables[synapses.target].dim)).replace("Unit(1)", "1")
    factor = f" * ({synapses.factor})" if synapses.factor else ""
    result = b.Synapses(
        group,
        group,
        f"w : {unit}",
        on_pre=f"{synapses.target}_post += w{factor}",
        clock=group.clock,
        namespace={},
        name=name,
    )
    first = (np.arange(n_trials) * n_neurons)[:, None]
    with without_compiling():
        result.connect(i=(synapses.pre + first).ravel(), j=(synapses.post + first).ravel())
    result.w_[:] = np.tile(synapses.weight, n_trials)
    result.pre.delay_[:] = np.tile(synapses.delay, n_trials)
    return result


def _inputs(plan: _Plan, group, trials: np.ndarray, noise_rng, clamp_rng) -> list[Input]:
    """What is written into the neurons before a step, in the order in which it is written."""

    def store(name: str) -> np.ndarray:
        return group.variables[name].get_value()

    n_neurons, offset = plan.network.n_neurons, plan.burn_in_steps
    pulses = neuron_perturbations(plan.session, n_neurons)
    inputs: list[Input] = []
    if plan.uses("eta"):
        inputs.append(Noise(store("eta"), noise_rng, plan.steps))
    if plan.drives:
        targets = [store(drive.name) for drive in plan.drives]
        inputs.append(Drives(plan.drives, targets, trials, n_neurons, offset, plan.dt))
    currents = [pulse for pulse in pulses if pulse.kind != "clamp"]
    if currents:
        if not plan.uses("perturbation"):
            raise SimlabError("this network cannot be stimulated: its equations do not use `perturbation` [rheobases]")
        inputs.append(Perturbations(currents, store("perturbation"), trials, n_neurons, offset, plan.dt))
    if plan.clamped:
        held = [pulse for pulse in pulses if pulse.kind == "clamp"]
        inputs.append(Clamps(held, store("clamp_"), trials, plan.session.trials, n_neurons, offset, plan.dt, clamp_rng))
    return inputs


class _Stepper:
    """What happens around each of Brian2's steps: inputs are written, spikes are kept, progress is told."""

    REPORT_EVERY = 500  # steps

    def __init__(self, plan: _Plan, group, inputs: list[Input], collected: list, progress: tuple[float, float]):
        self.plan, self.group, self.inputs, self.collected, self.progress = plan, group, inputs, collected, progress
        self.step = 0
        self.spikespace = group.variables["_spikespace"].get_value()

    def before(self) -> None:
        for each in self.inputs:
            each.update(self.step)

    def after(self) -> None:
        count = self.spikespace[-1]
        if count and self.step >= self.plan.burn_in_steps:
            self.collected.append((self.step, self.spikespace[:count].copy()))
        self.step += 1
        if self.step % self.REPORT_EVERY == 0:
            start, share = self.progress
            report(start + share * self.step / self.plan.steps, "simulating")


def _columns(
    plan: _Plan, trials: np.ndarray, collected: list[tuple[int, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not collected:
        return np.empty(0, np.int32), np.empty(0), np.empty(0, np.int32)
    cells = np.concatenate([cells for _, cells in collected])
    steps = np.repeat([step for step, _ in collected], [len(cells) for _, cells in collected])
    trial, neuron = np.divmod(cells, plan.network.n_neurons)
    order = np.lexsort((neuron, steps, trial))
    time = (steps - plan.burn_in_steps) * plan.dt
    return trials[trial[order]].astype(np.int32), time[order], neuron[order].astype(np.int32)
