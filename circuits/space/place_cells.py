"""Place cells: fields scattered over the floor of a box, so that states make a sheet without holes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.space.driven import DrivenSubject, codes
from circuits.space.image import folded, grid_steps
from circuits.space.trajectory import Walk
from simlab import truths
from simlab.contracts import SimlabError
from simlab.data import anatomy
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Rate, Share

TISSUE = 400e-6
"""Edge [m] of the cube in which the cells lie at random: place and tissue have no order in common (O'Keefe 1976)."""

SIDE = 12
"""Places along the box's edge at which noise-free states are taken: nearer than a field is wide."""


@dataclass(frozen=True)
class PlaceCells:
    """Pyramidal cells of the hippocampus, each with a round field (O'Keefe & Dostrovsky 1971).

        rate_i(x) = background + peak exp(-|x - c_i|^2 / (2 width^2))

    Field centres lie evenly but at random, one in each cell of a grid of cells over the box. Awake, cells fire as
    Poisson processes at these rates; in sleep at their mean rates or, with `replay`, as if the animal ran.
    """

    name: ClassVar[str] = "place_cells"
    mechanism: ClassVar[str] = "feedforward"
    questions: ClassVar[tuple[str, ...]] = ("topology", "dynamics", "tuning", "spatial_pattern")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_neurons: Count = 100
    peak: Rate = 10.0  # Hz in the field's middle (Muller, Kubie & Ranck 1987, J Neurosci 7:1935: some 5 to 30)
    background: Rate = 0.1  # Hz outside
    width: Annotated[float, Within(0.01, 10, "m")] = 0.12  # sd of a field; 0.3 m across at half its height
    asleep: Share = 0.0  # of the trials
    replay: bool = False  # whether a place drives the cells in sleep
    walk: Walk = field(default_factory=Walk)

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> DrivenSubject:
        """One individual: where its fields are."""
        centres = scattered(self.n_neurons, rng) * self.walk.box
        tuned = partial(self.rates, centres)
        floor = _floor(self.walk.box)
        place = rng.uniform(0, TISSUE, (self.n_neurons, 3))
        answers = {
            "topology": lambda: _shape(tuned(floor)),
            "dynamics": lambda: truths.one(label="driven"),
            "tuning": lambda: codes("position", self.n_neurons),
            "spatial_pattern": lambda: truths.no_pattern(self.n_neurons),
        }
        return DrivenSubject(
            self, self.walk, self.asleep, tuned, tuned(floor).mean(axis=0), self.replay,
            anatomy(place, ["E"] * self.n_neurons, "hippocampus"), answers,
        )  # fmt: skip

    def rates(self, centres: np.ndarray, place: np.ndarray, gain: np.ndarray | float = 1.0) -> np.ndarray:
        """Rates (..., neuron) [Hz] at places (..., 2) [m], with fields around centres (neuron, 2).

        gain: a factor (neuron,) on peaks. A product of what the two axes give, as the fields are round.
        """
        x, y = (np.exp(-np.square(place[..., k, None] - centres[:, k]) / (2 * self.width**2)) for k in range(2))
        return np.asarray(self.background + self.peak * gain * x * y)


def scattered(n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, 2) in the unit square: anywhere in different cells of the coarsest square grid that has n."""
    side = int(np.ceil(np.sqrt(n)))
    cell = rng.permutation(side**2)[:n]
    return (np.stack(np.divmod(cell, side), axis=1) + rng.uniform(0, 1, (n, 2))) / side


def _floor(box: float) -> np.ndarray:
    """Places (SIDE^2, 2) [m] on a square grid over the box, walls included."""
    return np.indices((SIDE, SIDE)).reshape(2, -1).T / (SIDE - 1) * box


def _shape(states: np.ndarray) -> xr.Dataset:
    """That of the floor, of which the states (place, neuron) are an image: contractible, if it is not folded.

    Raises SimlabError where places that are no neighbours have states nearer to one another than neighbours have: where
    fields leave parts of the floor out.
    """
    if folded(states, grid_steps(SIDE, closed=False)):
        raise SimlabError(
            "place_cells whose fields do not cover the floor have no shape that could be told, got "
            f"{states.shape[1]} fields: take more neurons or a larger width"
        )
    return truths.shape((1, 0, 0))
