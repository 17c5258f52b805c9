"""A spiking network as data, and the Brian2 objects of many replicates of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.simulators.effects import check_holds, engine_effects, of_kind
from simlab.simulators.noise import check_noise_source
from simlab.simulators.spiking_inputs import (
    Commands,
    CommonNoise,
    Currents,
    Drive,
    Drives,
    Gains,
    Holds,
    Input,
    Noise,
)
from simlab.simulators.spiking_targets import brian, without_compiling


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
    noise_source: (neuron,) with which neuron each shares `noise_share` of its `eta`'s variance; itself if with none.
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
    noise_source: np.ndarray | None = None
    noise_share: float = 1.0

    def __post_init__(self) -> None:
        if self.n_neurons < 1:
            raise SimlabError(f"a network needs at least one neuron, got {self.n_neurons}")
        if self.noise_source is not None:
            check_noise_source(self.noise_source, self.noise_share, self.n_neurons)
        for synapses in self.synapses:
            ends = np.concatenate([synapses.pre, synapses.post])
            if ends.size and not (ends.min() >= 0 and ends.max() < self.n_neurons):
                raise SimlabError(
                    f"synapses must join neurons 0..{self.n_neurons - 1}, got indices {ends.min()}..{ends.max()}"
                )


@dataclass(frozen=True, eq=False)
class Plan:
    """One call of `simulate`, in steps."""

    network: SpikingNetwork
    session: Session
    drives: tuple[Drive, ...]
    burn_in_steps: int
    trial_steps: int
    dt: float

    @property
    def steps(self) -> int:
        """Of burn-in and trial together."""
        return self.burn_in_steps + self.trial_steps

    def has(self, kind: str) -> bool:
        """Whether any perturbation of the session is an effect of this kind."""
        return any(effect.kind == kind for effect in self.session.perturbations)

    def effects(self) -> tuple[Effect, ...]:
        """The session's effects; raises SimlabError for any that this network cannot honour."""
        network = self.network
        effects = engine_effects(self.session, network.n_neurons, self.dt)
        if self.has("drive") and not self.uses("perturbation"):
            raise SimlabError("this network cannot be stimulated: its equations do not use `perturbation` [rheobases]")
        refractory = network.refractory
        if isinstance(refractory, str):  # an expression that is no parameter is not known beforehand
            refractory = network.parameters.get(refractory, 0.0)  # type: ignore[assignment]
        check_holds(effects, refractory)  # type: ignore[arg-type]
        return effects

    @property
    def spontaneous(self) -> bool:
        """Whether nothing reaches the neurons from outside but noise."""
        return not self.drives and not self.session.perturbations

    def uses(self, name: str) -> bool:
        """Whether the equations mention a name."""
        return name in _words(self.network.equations)

    def equations(self) -> str:
        """The circuit's equations and declarations of what the engine fills in."""
        names = [name for name in ("eta", "perturbation") if self.uses(name)]
        names += ["hold_"] if self.has("hold") else []
        lines = [f"{name} : 1" for name in names] + [f"{drive.name} : {drive.unit}" for drive in self.drives]
        return self.network.equations + "\n" + "\n".join(lines)

    def threshold(self) -> str:
        """The threshold, which a held neuron passes only when it is made to."""
        own = self.network.threshold
        return f"(({own}) and hold_ < 0.5) or hold_ > 1.5" if self.has("hold") else own

    def synapses(self) -> list[SynapseSet]:
        """The synapse sets that are not empty."""
        return [s for s in self.network.synapses if len(s.pre)]

    def signature(self) -> tuple[str, ...]:
        """All that the generated code depends on: equal signatures share compiled code."""
        network = self.network
        refractory = network.refractory if isinstance(network.refractory, str) else repr(float(network.refractory))
        code = (self.equations(), self.threshold(), network.reset, refractory, network.method)
        gain = " gain_" if self.has("gain") else ""
        return (*code, *(f"{s.target} {s.factor}{gain}" for s in self.synapses()))


def _words(code: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", code))


def build(plan: Plan, n_trials: int, rng: np.random.Generator) -> list[Any]:
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
    objects: list[Any] = [group]
    for index, synapses in enumerate(plan.synapses()):
        name, gained = f"simlab_synapses_{index}", plan.has("gain")
        objects.append(_build_synapses(group, synapses, n_trials, network.n_neurons, name, gained))
    return objects


def _set_values(plan: Plan, group: Any, n_trials: int, rng: np.random.Generator) -> None:
    network = plan.network
    known = set(group.variables)
    for name in (*network.parameters, *network.initial):
        if name not in known:
            raise SimlabError(f"the equations declare no variable {name!r}: declare it, or drop its value")
    for name, value in network.parameters.items():
        _assign(group, name, value, n_trials)
    for name, start in network.initial.items():
        if isinstance(start, tuple):
            low, high = start
            getattr(group, f"{name}_")[:] = rng.uniform(low, high, n_trials * network.n_neurons)
        else:
            _assign(group, name, start, n_trials)


def _assign(group: Any, name: str, value: float | np.ndarray, n_trials: int) -> None:
    values = np.asarray(value, dtype=float)
    scalar = group.variables[name].scalar
    per_trial = 1 if scalar else len(group) // n_trials
    if values.ndim and values.shape != (per_trial,):
        raise SimlabError(f"{name} must be one number, or one per neuron ({per_trial},), got shape {values.shape}")
    if not np.isfinite(values).all():
        raise SimlabError(f"{name} must be finite, got {values[~np.isfinite(values)][:3]}")
    if scalar:
        setattr(group, f"{name}_", values.item())
    else:
        getattr(group, f"{name}_")[:] = np.tile(np.broadcast_to(values, per_trial), n_trials)


def _build_synapses(group: Any, synapses: SynapseSet, n_trials: int, n_neurons: int, name: str, gained: bool) -> Any:
    """gained: whether each synapse has a factor of its own, which the session's gains set."""
    b = brian()
    if synapses.target not in group.variables:
        raise SimlabError(f"synapses act on {synapses.target!r}, which the equations do not declare")
    unit = repr(b.get_unit(group.variables[synapses.target].dim)).replace("Unit(1)", "1")
    factor = (f" * ({synapses.factor})" if synapses.factor else "") + (" * gain_" if gained else "")
    result = b.Synapses(
        group,
        group,
        f"w : {unit}" + ("\ngain_ : 1" if gained else ""),
        on_pre=f"{synapses.target}_post += w{factor}",
        clock=group.clock,
        namespace={},
        name=name,
    )
    first = (np.arange(n_trials) * n_neurons)[:, None]
    with without_compiling():
        result.connect(i=(synapses.pre + first).ravel(), j=(synapses.post + first).ravel())
    result.w_[:] = np.tile(synapses.weight, n_trials)
    if gained:
        result.gain__[:] = 1.0  # Brian2 appends a further underscore for plain numbers
    result.pre.delay_[:] = np.tile(synapses.delay, n_trials)
    return result


def inputs(plan: Plan, objects: Sequence[Any], trials: np.ndarray, rng: np.random.Generator) -> list[Input]:
    """What is written into the neurons and synapses of `build` before a step, in the order in which it is written."""
    group = objects[0]

    def store(name: str) -> np.ndarray:
        return group.variables[name].get_value()

    noise_rng, hold_rng = rng.spawn(2)
    result: list[Input] = []
    if plan.drives:
        targets = [store(drive.name) for drive in plan.drives]
        result.append(Drives(plan.drives, targets, trials, plan.network.n_neurons, plan.burn_in_steps, plan.dt))
    result += _effect_inputs(plan, objects, trials, hold_rng)
    if plan.uses("eta"):
        result.append(Noise(store("eta"), noise_rng, plan.steps))
        if plan.network.noise_source is not None:
            result.append(CommonNoise(store("eta"), np.asarray(plan.network.noise_source), plan.network.noise_share))
    return result


def _effect_inputs(plan: Plan, objects: Sequence[Any], trials: np.ndarray, rng: np.random.Generator) -> list[Input]:
    """What the session's perturbations write."""
    effects, (group, *connections) = plan.effects(), objects
    steps, n_neurons = range(plan.burn_in_steps, plan.steps), plan.network.n_neurons

    def commands(kind: str) -> Commands:
        return Commands(of_kind(effects, kind), trials, n_neurons, steps, plan.dt)

    result: list[Input] = []
    if plan.has("drive"):
        result.append(Currents(commands("drive"), group.variables["perturbation"].get_value()))
    if plan.has("hold"):
        result.append(Holds(commands("hold"), group.variables["hold_"].get_value(), rng))
    if plan.has("gain"):
        for synapses, connection in zip(plan.synapses(), connections, strict=True):
            store = connection.variables["gain_"].get_value()
            result.append(Gains(commands("gain"), store, synapses.pre, synapses.post))
    return result
