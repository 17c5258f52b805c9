"""Builders of the truths that many circuits tell, and the one that the lab tells itself: the mechanism's name.

A subject's `truth(question, activity, rng)` returns what its question's `truth_form` declares, over neurons:

    def truth(self, question, activity, rng):
        return truths.among(self.circuit.name, question, {"connectivity": lambda: truths.wiring(self.weights)})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Circuit, Subject

OF_THE_LAB = ("mechanism",)
"""Questions that every circuit can be asked, and no subject needs to answer."""


def answerable(circuit: Circuit) -> tuple[str, ...]:
    """The questions that have a true answer on this circuit."""
    return tuple(dict.fromkeys((*circuit.questions, *OF_THE_LAB)))


def answer(
    circuit: Circuit, subject: Subject, question: str, activity: xr.Dataset | None, rng: np.random.Generator
) -> xr.Dataset:
    """The true answer on a subject of this circuit, over neurons; LookupError where there is none."""
    if question == "mechanism":
        return xr.Dataset({"label": circuit.mechanism})
    return _with_distances(subject.truth(question, activity, rng), subject.anatomy)


MOST_PLACED = 2000
"""Neurons whose mutual distances are kept beside a wiring: their matrix grows with the square."""


def _with_distances(truth: xr.Dataset, anatomy: xr.Dataset) -> xr.Dataset:
    """A truth about pairs with `distance` (pre, post) [m] of the two neurons, so that answers can be split by it."""
    n = anatomy.sizes.get("neuron", 0)
    if dict(truth.sizes).get("pre") != n or truth.sizes.get("post") != n or "distance" in truth or n > MOST_PLACED:
        return truth
    place = np.stack([anatomy[axis].values for axis in ("x", "y", "z")], axis=-1)
    apart = np.linalg.norm(place[:, None] - place[None], axis=-1).astype(np.float32)
    return truth.assign(distance=(("pre", "post"), apart, {"units": "m"}))


def among(who: str, question: str, answers: Mapping[str, Callable[[], xr.Dataset]]) -> xr.Dataset:
    """The chosen one of a subject's answers; a LookupError lists those that there are."""
    if question not in answers:
        raise LookupError(f"{who} can answer {', '.join(answers) or 'no question'}, got {question!r}")
    return answers[question]()


def wiring(weights: np.ndarray, units: str = "") -> xr.Dataset:
    """`weight` (pre, post), in `units`: those of the circuit's synapses, "1" where they have none."""
    index = np.arange(len(weights))
    attrs = {"units": units} if units else {}
    return xr.Dataset({"weight": (("pre", "post"), weights, attrs)}, {"pre": index, "post": index})


def no_wiring(n_neurons: int) -> xr.Dataset:
    """The wiring of neurons without a synapse among them."""
    return wiring(np.zeros((n_neurons, n_neurons)))


def shape(betti: tuple[int, int, int]) -> xr.Dataset:
    """`b0`, `b1`, `b2`: pieces, loops and voids of the manifold of states."""
    return xr.Dataset(dict(zip(("b0", "b1", "b2"), betti, strict=True)))


def one(**values: Any) -> xr.Dataset:
    """Numbers or labels without dims, by name: a dimension, a dynamical regime, a time scale [s]."""
    return xr.Dataset(values)


def per_neuron(**values: Any) -> xr.Dataset:
    """One value for each neuron (neuron,), by name: a cell type, a preferred value, an importance."""
    arrays = {name: np.asarray(value) for name, value in values.items()}
    n_neurons = len(next(iter(arrays.values())))
    return xr.Dataset({k: ("neuron", v) for k, v in arrays.items()}, {"neuron": np.arange(n_neurons)})


def cell_types(anatomy: xr.Dataset) -> xr.Dataset:
    """`label` (neuron,): which neurons excite (E) and which inhibit (I), as the anatomy says."""
    return per_neuron(label=anatomy["cell_type"].values)


def latents(values: np.ndarray, time: np.ndarray) -> xr.Dataset:
    """`latent` (trial, time, factor) at `time` [s]: what the population's activity is a function of."""
    return xr.Dataset({"latent": (("trial", "time", "factor"), values)}, {"time": ("time", time, {"units": "s"})})
