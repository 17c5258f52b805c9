"""From a circuit's fields to a trained individual, and whether it has the mechanism that it is named for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from circuits.memory.remembered import TISSUE
from circuits.trained.solutions import Form, Recipe, parts
from circuits.trained.task_subject import TaskSubject
from simlab.contracts import SimlabError
from simlab.data import anatomy

LINE = "line attractor"
"""The mechanism of recurrent networks that were trained to keep a graded number, where training came to it."""


def recipe(circuit: Any, form: Form) -> Recipe:
    """What decides a solution of this form of the circuit's task."""
    cells, least = circuit.cells, circuit.task.best() - circuit.shortfall
    return Recipe(
        circuit.task, form, cells.n_neurons, cells.time_constant, cells.private_noise / cells.base, (least, 1.0),
        circuit.steps, circuit.batch, circuit.learning_rate,
    )  # fmt: skip


def on_a_line(circuit: Any, rng: np.random.Generator) -> TaskSubject:
    """A recurrent solution of a circuit's task, if it is one by a line of slow states; else a SimlabError."""
    found = recipe(circuit, "recurrent").solved(int(rng.integers(2**53)))
    subject = TaskSubject.drawn(circuit.name, circuit, found, rng)
    regime = subject.regime()
    if regime != LINE:
        raise SimlabError(
            f"training of {circuit.name} ended in a {regime} where a {LINE} was expected: such an individual has "
            "another mechanism; take another subject, or train longer"
        )
    return subject


def by_context(name: str, circuit: Any, form: Form, rng: np.random.Generator) -> TaskSubject:
    """A solution of a task with a context, its parts in regions of their own: motion, colour, deciding."""
    found = recipe(circuit, form).solved(int(rng.integers(2**53)))
    n = len(found.bias)
    region = np.full(n, "deciding", dtype=object)
    motion, colour, _ = parts(n)
    region[motion], region[colour] = "motion", "colour"
    place = anatomy(rng.uniform(0, TISSUE, (n, 3)), ["E"] * n, region.tolist())
    return replace(TaskSubject.drawn(name, circuit, found, rng), anatomy=place)
