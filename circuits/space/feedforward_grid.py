"""The torus attractor's rival: grid cells with its tuning that are driven by the place, and have no synapses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import xarray as xr

from circuits.space.driven import DrivenSubject, codes
from circuits.space.grid_attractor import GridAttractor, GridAttractorSubject, betti
from simlab import truths
from simlab.rules import check_fields


@dataclass(frozen=True)
class FeedforwardGrid:
    """Each cell fires as a Poisson process at the rate that its twin of the attractor has at the place.

        rate_i(t) = X_i(phase of the place at t),   X: the attractor's noise-free states

    So tuning and mean rates are the attractor's, and so is the manifold of states. Awake, what differs is drift: the
    place is known here and integrated there. It is a grid whose pattern comes from elsewhere, by learnt weights of
    inputs that are tuned to the place (Kropff & Treves 2008, Hippocampus 18:1256).

    In sleep no place drives the cells: each fires on at its mean rate, and pairs that fired together do so no more.
    With `replay` a place that nobody sees drives them, and sleep tells no more than wakefulness does.
    """

    name: ClassVar[str] = "feedforward_grid"
    mechanism: ClassVar[str] = "feedforward"
    twin_of: ClassVar[tuple[str, ...]] = ("grid_attractor",)
    questions: ClassVar[tuple[str, ...]] = ("topology", "dynamics", "tuning", "spatial_pattern")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: GridAttractor = field(default_factory=GridAttractor)  # whose tuning it copies
    replay: bool = False  # whether a place drives the cells in sleep, as from a hippocampus that replays

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: GridAttractor) -> FeedforwardGrid:
        """A copy with this attractor's tuning."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> DrivenSubject:
        """One individual: the tuning of one of the attractor's."""
        twin = self.like.subject(rng)
        tuned, resting = grid_tuning(twin)
        return DrivenSubject(
            self,
            self.like.walk,
            self.like.asleep,
            tuned,
            resting,
            self.replay,
            twin.anatomy,
            driven_truths(self.like) | {"spatial_pattern": twin.pattern},
        )


def driven_truths(like: GridAttractor) -> dict[str, Callable[[], xr.Dataset]]:
    """What is true of cells with an attractor's tuning that follow the place: its manifold, no dynamics,
    and that their rates are functions of the place alone."""
    return {
        "topology": lambda: truths.shape(betti(like)),
        "dynamics": lambda: truths.one(label="driven"),
        "tuning": lambda: codes("position", like.n_neurons),
    }


def grid_tuning(twin: GridAttractorSubject) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """Rates (..., neuron) [Hz] at places (..., 2) [m], and mean rates (neuron,) [Hz], of noise-free twins."""
    module, number = twin.tuning()
    tables = [(m, np.flatnonzero(module == k)) for k, m in enumerate(twin.modules)]
    filled = [(m, cells, m.table(number[cells])) for m, cells in tables]
    resting = np.empty(len(number))
    for _, cells, table in filled:
        resting[cells] = table.mean(axis=0)

    def tuned(place: np.ndarray) -> np.ndarray:
        if len(filled) == 1:
            return filled[0][2][filled[0][0].row(place)]
        rates = np.empty((*place.shape[:-1], len(number)))
        for m, cells, table in filled:
            rates[..., cells] = table[m.row(place)]
        return rates

    return tuned, resting
