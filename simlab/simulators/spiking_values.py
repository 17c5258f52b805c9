"""The values that parameters have and that variables start from, alike on every engine."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

import numpy as np

from simlab.contracts import SimlabError
from simlab.simulators.spiking_network import Population


def number_or_row(name: str, value: float | np.ndarray, n_neurons: int, shared: bool) -> np.ndarray:
    """A parameter as () or (neuron,) finite floats."""
    values = np.asarray(value, dtype=float)
    if values.ndim and values.shape != ((1,) if shared else (n_neurons,)):
        raise SimlabError(
            f"{name} must be one number, or one per neuron ({1 if shared else n_neurons},), got shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise SimlabError(f"{name} must be finite, got {values[~np.isfinite(values)][:3]}")
    return values.reshape(()) if shared else np.broadcast_to(values, n_neurons)


def check_names(population: Population, declared: Iterable[str], constant: Container[str]) -> None:
    """Raises SimlabError for a value of a variable that is not declared, or that starts from one and never changes."""
    for name in (*population.parameters, *population.initial):
        if name not in declared:
            raise SimlabError(f"the equations declare no variable {name!r}: declare it, or drop its value")
    for name in population.initial:
        if name in constant:
            raise SimlabError(f"initial sets {name!r}, which is declared (constant): give it in `parameters`")


def starts(population: Population, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """name -> (neuron,) what the variables of one trial start from."""
    n, result = population.n_neurons, {}
    for name, start in population.initial.items():
        given = rng.uniform(*start, n) if isinstance(start, tuple) else start
        result[name] = number_or_row(name, given, n, shared=False)
    return result


@dataclass(frozen=True)
class TrialStreams:
    """The random streams of one trial: what it starts from, its noise, the phase of what is held, and its clock."""

    start: np.random.Generator
    noise: np.random.Generator
    phase: np.random.Generator
    clock: np.random.Generator

    @classmethod
    def of(cls, rng: np.random.Generator, trials: int) -> list[TrialStreams]:
        """One for each trial: whatever else is simulated, a trial's numbers depend on its own place alone."""
        return [cls(*child.spawn(4)) for child in rng.spawn(trials)]

    def again(self) -> TrialStreams:
        """The same streams from their beginning."""
        seeds = (each.bit_generator.seed_seq for each in (self.start, self.noise, self.phase, self.clock))
        return TrialStreams(*map(np.random.default_rng, seeds))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Done:
    """One trial that was run: step (from the burn-in's end on) and neuron of each spike, (spike,), in order of step.

    samples: name -> (sample, neuron) of what was recorded.
    """

    step: np.ndarray
    neuron: np.ndarray
    samples: dict[str, np.ndarray]
