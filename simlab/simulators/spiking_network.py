"""A spiking network as data: populations of neurons in Brian2's equation language, and how they act on one another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from simlab.contracts import SimlabError
from simlab.simulators.noise import check_noise_source


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons that share their equations.

    threshold, reset: Brian2 expressions and statements; without a threshold neurons do not spike (graded ones).
    refractory: [s], or a Brian2 expression of a per-neuron variable or condition. method: of integration, Brian2's
    name for it. parameters: name -> value in SI units of a variable that the equations declare, scalar or (neuron,).
    initial: name -> (low, high) of a uniform draw for every neuron and trial, or one value or (neuron,) values.
    """

    n_neurons: int
    equations: str
    threshold: str = ""
    reset: str = ""
    refractory: float | str = 0.0
    method: str = "euler"
    parameters: Mapping[str, float | np.ndarray] = field(default_factory=dict)
    initial: Mapping[str, tuple[float, float] | float | np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.n_neurons < 1:
            raise SimlabError(f"a population needs at least one neuron, got {self.n_neurons}")
        if self.reset and not self.threshold:
            raise SimlabError(f"a reset needs a threshold, got none with {self.reset!r}: state when a neuron fires")

    def uses(self, name: str) -> bool:
        """Whether the equations mention a name."""
        return name in self._words

    @cached_property
    def noises(self) -> tuple[str, ...]:
        """The names `eta` and `eta_...` that it uses without declaring them: fresh normal numbers."""
        declared = re.findall(r"^\s*(?:d(\w+)/dt|(\w+))\s*[:=]", self.equations, re.MULTILINE)
        used = {name for name in self._words if re.fullmatch(r"eta(_\w+)?", name)}
        return tuple(sorted(used - {name for pair in declared for name in pair}))

    @cached_property
    def _words(self) -> set[str]:
        return words(self.equations) | words(self.threshold) | words(self.reset)


@dataclass(frozen=True, eq=False)
class SynapseSet:
    """Synapses of one kind: a presynaptic spike adds `weight` to `target` of the postsynaptic neuron after `delay`.

    pre, post: (synapse,) neuron indices. weight: (synapse,) in the SI unit of the target variable, or in `unit`.
    delay: (synapse,) [s]. factor: an expression that multiplies the weight at arrival, of variables with `_pre` and
    `_post` appended, such as `u_pre*x_pre` (a depressing synapse) or a driving force.

    A synapse with variables of its own declares them in `equations` (differential ones "(event-driven)"), with
    their values in `variables` (name -> scalar or (synapse,)), and says in `on_pre` what an arriving spike does, where
    `w` is its weight: "x = 1 - (1 - x)*exp(-(t - lastupdate)/tau)".
    """

    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    delay: np.ndarray | float
    target: str = "v"
    factor: str = ""
    unit: str = ""
    equations: str = ""
    on_pre: str = ""
    variables: Mapping[str, float | np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = _per_synapse(self, "a synapse set", ("weight", "delay"))
        if own["delay"].size and own["delay"].min() < 0:
            raise SimlabError(f"synaptic delays must be >= 0 s, got {own['delay'].min()}")

    @property
    def code(self) -> str:
        """What an arriving spike does."""
        return self.on_pre or f"{self.target}_post += w" + (f" * ({self.factor})" if self.factor else "")


@dataclass(frozen=True, eq=False)
class Coupling:
    """Graded connections: at every step `target` of a neuron is the sum over its connections of weight x expression.

    pre, post: (connection,) neuron indices. weight: (connection,) in `unit` (SI). target: a variable that the
    equations declare and nothing else sets. expression: of variables with `_pre` and `_post` appended: "s_pre" (gates
    of slow synapses that saturate), "v_pre - v_post" (gap junctions), "(v_rest_post - v_post)/(1 + exp(-v_pre/mV))".
    """

    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    target: str
    expression: str
    unit: str = "1"

    def __post_init__(self) -> None:
        _per_synapse(self, "a coupling", ("weight",))


def _per_synapse(given: SynapseSet | Coupling, what: str, numbers: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Makes what is stated per synapse arrays of one length; returns them."""
    shape, result = np.shape(given.pre), {}
    for name in ("pre", "post", *numbers):
        kind = np.int32 if name in ("pre", "post") else float
        values = np.array(np.broadcast_to(getattr(given, name), shape), dtype=kind)
        if values.ndim != 1 or not np.isfinite(values).all():
            raise SimlabError(f"{what}'s {name} must be one finite number per synapse, got shape {shape}")
        object.__setattr__(given, name, values)
        result[name] = values
    return result


@dataclass(frozen=True, eq=False)
class SpikingNetwork:
    """A spiking network as data: one subject's neurons and synapses (`simlab.simulators.spiking` has an example).

    Neurons are numbered through all populations in turn: synapses, drives and effects speak of these numbers.
    name: of the circuit, for messages.
    noise_source: (neuron,) with which neuron each shares `noise_share` of its `eta`'s variance; itself if with none.
    """

    populations: tuple[Population, ...]
    synapses: tuple[SynapseSet | Coupling, ...] = ()
    noise_source: np.ndarray | None = None
    noise_share: float = 1.0
    name: str = ""

    def __post_init__(self) -> None:
        if not self.populations:
            raise SimlabError("a network needs at least one population, got none")
        if self.noise_source is not None:
            check_noise_source(self.noise_source, self.noise_share, self.n_neurons)
        for synapses in self.synapses:
            ends = np.concatenate([synapses.pre, synapses.post])
            if ends.size and not (ends.min() >= 0 and ends.max() < self.n_neurons):
                raise SimlabError(
                    f"synapses must join neurons 0..{self.n_neurons - 1}, got indices {ends.min()}..{ends.max()}"
                )

    @cached_property
    def first(self) -> np.ndarray:
        """(population + 1,) number of the first neuron of each, and of neurons in all."""
        return np.concatenate([[0], np.cumsum([p.n_neurons for p in self.populations])])

    @property
    def n_neurons(self) -> int:
        """Of all populations."""
        return sum(p.n_neurons for p in self.populations)

    def uses(self, name: str) -> bool:
        """Whether the equations of any population mention a name."""
        return any(p.uses(name) for p in self.populations)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Its synapses, cut into parts that run from one population to one."""
        found, n = [], len(self.populations)
        for synapses in self.synapses:
            source, target = (np.searchsorted(self.first, e, side="right") - 1 for e in (synapses.pre, synapses.post))
            kind = source * n + target
            for pair in np.flatnonzero(np.bincount(kind, minlength=n * n)).tolist():
                a, b = divmod(pair, n)
                found.append(Link(synapses, a, b, np.flatnonzero(kind == pair), int(self.first[a]), int(self.first[b])))
        return tuple(found)


@dataclass(frozen=True, eq=False)
class Link:
    """The synapses of a set that run from one population (index) to another; rows (synapse,) of the set."""

    of: SynapseSet | Coupling
    source: int
    target: int
    rows: np.ndarray
    first_pre: int
    first_post: int

    @property
    def pre(self) -> np.ndarray:
        """(synapse,) within the source population."""
        return self.of.pre[self.rows] - self.first_pre

    @property
    def post(self) -> np.ndarray:
        """(synapse,) within the target population."""
        return self.of.post[self.rows] - self.first_post

    def values(self, name: str) -> np.ndarray:
        """(synapse,) of `weight`, `delay` or a variable of the set's own."""
        given = (
            getattr(self.of, "variables", {}).get(name) if name not in ("weight", "delay") else getattr(self.of, name)
        )
        if given is None:
            raise SimlabError(f"the synapses' equations declare {name!r}, which has no value: give it in `variables`")
        whole = np.asarray(given, dtype=float)
        if whole.ndim and whole.shape != self.of.pre.shape:
            raise SimlabError(f"{name} must be one number, or one per synapse {self.of.pre.shape}, got {whole.shape}")
        return np.broadcast_to(whole, self.of.pre.shape)[self.rows]


def words(code: str) -> set[str]:
    """The names in a piece of code."""
    return set(re.findall(r"[A-Za-z_]\w*", code))
