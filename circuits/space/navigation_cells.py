"""Cells of a foraging animal that each follow one thing: its place, its heading, its speed, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np

from circuits.space.driven import DrivenSubject, codes
from circuits.space.trajectory import STEP, Walk
from simlab import truths
from simlab.data import anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Count, Rate, Share
from simlab.truths import NOTHING

TISSUE = 400e-6
"""Edge [m] of the cube in which the cells lie at random: cells of all kinds lie mixed (Sargolini et al. 2006)."""


@dataclass(frozen=True)
class NavigationCells:
    """Cells of the medial entorhinal cortex and around it, each with one variable or none (Sargolini et al. 2006).

        position:        rate = background + peak exp(-|x - c|^2 / (2 width^2))
        head direction:  rate = background + peak exp(kappa (cos(theta - theta_0) - 1))
        speed:           rate = resting + slope |v|
        nothing:         rate = resting

    x, theta and v: place, heading and velocity of the animal, which points its head where it goes; c and theta_0
    anywhere. Cells fire as Poisson processes with a dead time at these rates. Shares of the three kinds are fields;
    the rest follows nothing. Mixed selectivity, which most cells there have (Hardcastle et al. 2017, Neuron 94:375), is
    left out: `tuning` asks for one variable of each cell.
    """

    name: ClassVar[str] = "navigation_cells"
    mechanism: ClassVar[str] = "feedforward"
    questions: ClassVar[tuple[str, ...]] = ("tuning", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_neurons: Count = 40
    position: Share = 0.25  # of the neurons
    head_direction: Share = 0.25
    speed: Share = 0.25
    peak: Rate = 10.0  # Hz (place cells: Muller, Kubie & Ranck 1987: 5 to 30; head direction: Taube 1990: 5 to 100)
    background: Rate = 0.1  # Hz, outside of a field
    width: Annotated[float, Within(0.01, 10, "m")] = 0.12  # sd of a field, as in `place_cells`
    kappa: Annotated[float, Within(0.01, 500)] = 4.0
    """Concentration: a cell fires above half its peak over 69 degrees (Taube et al. 1990: over some 90 in all)."""
    resting: Rate = 2.0  # Hz
    slope: Annotated[float, Within(0, 1000, "Hz/(m/s)")] = 40.0
    """Some 5 Hz more at 12 cm/s (Kropff et al. 2015, Nature 523:419: linear, most cells less, a few steeper)."""
    walk: Walk = field(default_factory=Walk)

    def __post_init__(self) -> None:
        check_fields(self)
        total = self.position + self.head_direction + self.speed
        require(
            total <= 1 + 1e-9,
            f"position, head_direction and speed are shares of the neurons, got {self.position}, "
            f"{self.head_direction} and {self.speed}: lower one, so that they sum to 1 at most",
        )

    def subject(self, rng: np.random.Generator) -> DrivenSubject:
        """One individual: which cells follow what, and what each prefers."""
        n = self.n_neurons
        shares = {"position": self.position, "head_direction": self.head_direction, "speed": self.speed}
        edges = np.round(np.cumsum([0.0, *shares.values()]) * n).astype(int)
        kind = np.full(n, NOTHING, dtype=object)
        for name, first, last in zip(shares, edges, edges[1:], strict=False):
            kind[first:last] = name
        kind = rng.permutation(kind)
        centre, angle = rng.uniform(0, self.walk.box, (n, 2)), rng.uniform(0, 2 * np.pi, n)

        def tuned(path: np.ndarray) -> np.ndarray:
            return self._rates(path, kind, centre, angle)

        resting = np.full(n, self.resting)
        place = rng.uniform(0, TISSUE, (n, 3))
        return DrivenSubject(
            self, self.walk, 0.0, tuned, resting, False, anatomy(place, ["E"] * n, "entorhinal cortex"),
            {"tuning": lambda: codes(kind, n), "connectivity": lambda: truths.no_wiring(n)},
        )  # fmt: skip

    def _rates(self, path: np.ndarray, kind: np.ndarray, centre: np.ndarray, angle: np.ndarray) -> np.ndarray:
        """Rates (..., step, neuron) [Hz] along paths (..., step, 2) [m]; one step alone is a moment of rest."""
        moving = path.shape[-2] > 1
        velocity = np.gradient(path, STEP, axis=-2) if moving else np.zeros_like(path)
        heading = np.arctan2(velocity[..., 1], velocity[..., 0])
        rates = np.full((*path.shape[:-1], len(kind)), self.resting)
        at, to, fast = (np.flatnonzero(kind == name) for name in ("position", "head_direction", "speed"))
        apart = np.square(path[..., None, :] - centre[at]).sum(axis=-1)
        rates[..., at] = self.background + self.peak * np.exp(-apart / (2 * self.width**2))
        turned = np.cos(heading[..., None] - angle[to])
        rates[..., to] = self.background + self.peak * np.exp(self.kappa * (turned - 1))
        rates[..., fast] = self.resting + self.slope * np.linalg.norm(velocity, axis=-1)[..., None]
        return rates
