"""One call of `simulate` in steps: what the equations are given, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.simulators.effects import check_holds, engine_effects
from simlab.simulators.spiking_inputs import Drive
from simlab.simulators.spiking_network import Population, SpikingNetwork


class InexpressibleError(Exception):
    """What an engine cannot express; its text says why, for provenance."""


@dataclass(frozen=True)
class Record:
    """Which variables (or subexpressions) of the equations to keep, every `interval` [s] of a trial from its onset on.

    neurons: indices; all if None. A value is the variable's at the start of a step, as Brian2's StateMonitor has it.
    """

    variables: tuple[str, ...]
    interval: float = 1e-3
    neurons: tuple[int, ...] | None = None

    def steps(self, dt: float) -> int:
        """From one sample to the next."""
        steps = round(self.interval / dt)
        if steps < 1 or abs(steps * dt - self.interval) > 1e-6 * self.interval:
            raise SimlabError(f"record.interval must be a whole number of steps of dt={dt} s, got {self.interval} s")
        return steps

    def seen(self, n_neurons: int) -> np.ndarray:
        """(neuron,) indices of those recorded."""
        chosen = np.arange(n_neurons) if self.neurons is None else np.array(self.neurons, dtype=int)
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < n_neurons):
            raise SimlabError(f"record.neurons must lie in 0..{n_neurons - 1}, got {chosen.min()}..{chosen.max()}")
        return chosen


@dataclass(frozen=True, eq=False)
class Plan:
    """One call of `simulate`, in steps."""

    network: SpikingNetwork
    session: Session
    drives: tuple[Drive, ...]
    burn_in_steps: int
    trial_steps: int
    dt: float
    record: Record | None = None

    @property
    def steps(self) -> int:
        """Of burn-in and trial together."""
        return self.burn_in_steps + self.trial_steps

    def has(self, kind: str) -> bool:
        """Whether any perturbation of the session is an effect of this kind."""
        return any(effect.kind == kind for effect in self.session.perturbations)

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        """The session's effects; raises SimlabError for any that this network cannot honour."""
        network = self.network
        effects = engine_effects(self.session, network.n_neurons, self.dt)
        if self.has("drive") and not network.uses("perturbation"):
            raise SimlabError("this network cannot be stimulated: its equations do not use `perturbation` [rheobases]")
        check_holds(effects, np.concatenate([_silence(p) for p in network.populations]))
        return effects

    def given(self, population: Population) -> dict[str, str]:
        """Name -> unit of what the engine declares in a population's equations, and fills."""
        names = dict.fromkeys((*population.noises, *(["perturbation"] if population.uses("perturbation") else [])), "1")
        names |= {"hold_": "1"} if self.has("hold") and population.threshold else {}
        return names | {drive.name: drive.unit for drive in self.drives if population.uses(drive.name)}

    def equations(self, population: Population) -> str:
        """A population's equations and declarations of what the engine fills in."""
        lines = [f"{name} : {unit}" for name, unit in self.given(population).items()]
        lines += ["silence_ : second (shared, constant)"] if self.refractory(population) == "silence_" else []
        return "\n".join([population.equations, *lines])

    def refractory(self, population: Population) -> str:
        """What states its refractory period; a number is a parameter, so that it is not part of compiled code."""
        given = population.refractory
        return given if isinstance(given, str) else ("silence_" if given else "")

    def parameters(self, population: Population) -> dict[str, float | np.ndarray]:
        """name -> value of its parameters, and of its refractory period where that is a number."""
        silence = {"silence_": population.refractory} if self.refractory(population) == "silence_" else {}
        return {**population.parameters, **silence}  # type: ignore[dict-item]

    def threshold(self, population: Population) -> str:
        """Its threshold, which a held neuron passes only when it is made to."""
        own = population.threshold
        return f"(({own}) and hold_ < 0.5) or hold_ > 1.5" if self.has("hold") and own else own

    def signature(self) -> tuple[str, ...]:
        """All that generated code depends on: equal signatures share compiled code."""
        parts: list[object] = []
        for p in self.network.populations:
            parts += [self.equations(p), self.threshold(p), p.reset, p.method, self.refractory(p)]
        for link in self.network.links:
            parts += [type(link.of).__name__, link.source, link.target, link.of.target, link.of.unit]
            parts += [getattr(link.of, name, "") for name in ("code", "equations", "expression")]
        recorded = self.record.variables if self.record else ()
        return (*map(repr, parts), repr(self.has("gain")), repr(tuple(recorded)))


def _silence(population: Population) -> np.ndarray:
    """(neuron,) refractory period [s]; 0 where an expression that is no parameter states it."""
    given: float | str | np.ndarray = population.refractory
    if isinstance(given, str):
        parameters: Mapping[str, float | np.ndarray] = population.parameters
        given = parameters.get(given, 0.0)
    return np.broadcast_to(np.asarray(given, dtype=float), population.n_neurons)


def places(plan: Plan, name: str) -> np.ndarray:
    """(population + 1,) from which place in a row of a noise's numbers on those of each population lie."""
    sizes = [p.n_neurons * (name in p.noises) for p in plan.network.populations]
    return np.concatenate([[0], np.cumsum(sizes)])


def sharing(plan: Plan, name: str) -> np.ndarray:
    """(pair, 2) places in a row of a noise's numbers: of a neuron that shares its noise, and of whom it shares with."""
    source, first = plan.network.noise_source, places(plan, name)
    if source is None:
        return np.empty((0, 2), np.int64)
    sizes = [p.n_neurons for p in plan.network.populations]
    rows = [
        start + np.arange(n) if stop > start else np.full(n, -1)
        for n, start, stop in zip(sizes, first, first[1:], strict=False)
    ]
    place = np.concatenate(rows)
    pairs = np.stack([place, place[np.asarray(source)]], axis=1)[np.asarray(source) != np.arange(len(place))]
    return pairs[(pairs >= 0).all(axis=1)]
