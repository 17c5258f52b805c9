"""Betti numbers after the noise is dealt with: six components, dense states, means of neighbours, controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.population._population import (
    circular_shift,
    lay_out,
    principal_components,
    smoothed,
    unusable,
)
from methods.population.persistent_homology import farthest_points, gumbel_tail, largest_gap
from methods.topology._clouds import dense_states, persistence
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Share, Width


@dataclass(frozen=True)
class DenoisedHomology:
    """Counts what outlives shuffled controls in a cloud of dense, smoothed states.

    After Gardner et al. (2022, Nature 602:123): smoothed rates (square roots) are z-scored and projected on six
    principal components; few of the dense states stand for all; a bar of their persistence over Z/47 counts if it is
    longer than the longest ones of controls in which each unit's activity is rolled in time. There the metric is that
    of a fuzzy graph of neighbours; here a state is the mean of its neighbours, which takes out noise as well. There
    controls are 1000; here few, whose longest bars get a Gumbel law, and a bar must lie above the largest gap too,
    since real states have more small loops than rolled ones. There only the moments of most activity are kept; with
    some 100 units that cuts off the parts of a torus where few have their fields, so that `active` is 1 by default.

    About 10 s. Abstains where fewer units are active than it needs, or too few moments are.
    """

    name: ClassVar[str] = "denoised_homology"
    question: ClassVar[str] = "topology"
    family: ClassVar[str] = "topological data analysis"
    library: ClassVar[str] = "gudhi"
    needs: ClassVar[Needs] = Needs(units=5, seconds=10.0)

    bin_width: Width = 0.05  # s, of spike counts
    smoothing: Annotated[float, Within(0, 20, "s")] = 0.1  # s, sd of the Gaussian kernel (there 0.05 s)
    active: Annotated[Share, Within(0, 1, excluding=(0,))] = 1.0  # of the moments, those with most activity
    n_components: Annotated[int, Within(2, 100)] = 6  # (Gardner et al. 2022)
    n_points: Annotated[int, Within(10, 2000)] = 400  # (there 1200)
    n_points_voids: Annotated[int, Within(10, 600)] = 250  # of them, the first
    neighbours: Annotated[int, Within(1, 1000)] = 15  # of whom a state is the mean
    dense: Annotated[Share, Within(0, 1, excluding=(0,))] = 0.9  # of the moments, those in dense parts
    n_shuffles: Annotated[int, Within(2, 10_000)] = 10
    level: Level = (
        0.01  # of significance against the controls (Gardner et al. 2022: longer than those of 1000 controls)
    )

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The Betti numbers of a Recording with spikes or a signal; notes: the longest lifetimes."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        values = smoothed(recording, self.bin_width, self.smoothing)[0]
        x = values.reshape(-1, values.shape[2])
        if len(x) * self.active < self.n_points_voids:
            return Finding.abstain(f"{len(x)} moments are too few to take {self.n_points_voids} active ones from")
        observed = self._lifetimes(x, rng)
        null = [self._lifetimes(circular_shift(x, rng), rng) for _ in range(self.n_shuffles)]
        return self._finding(observed, null)

    def _lifetimes(self, x: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        """Of H0, H1 and H2 of activity x (moment, unit), in units of the cloud's root mean square radius."""
        total = x.sum(axis=1)
        kept = x[total >= np.quantile(total, 1 - self.active)]
        states = principal_components(lay_out(kept[None]), self.n_components)
        points = farthest_points(dense_states(states, self.neighbours, self.dense), self.n_points, rng)
        points = points / np.sqrt(np.square(points - points.mean(axis=0)).sum(axis=1).mean())
        return [*persistence(points, (0, 1), field=47), *persistence(points[: self.n_points_voids], (2,), field=47)]

    def _finding(self, observed: list[np.ndarray], null: list[list[np.ndarray]]) -> Finding:
        betti = []
        for degree, lives in enumerate(observed):
            tail = gumbel_tail(lives, np.array([control[degree].max(initial=0.0) for control in null]))
            betti.append(min(int((tail < self.level).sum()), largest_gap(lives)) + (degree == 0))
        notes = {"longest_lifetimes": [[float(life) for life in lives[:4]] for lives in observed]}
        return Finding(dict(zip(("b0", "b1", "b2"), betti, strict=True)), notes=notes)
