"""Betti numbers of the population state space by persistent homology, against shuffled controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.population._population import (
    circular_shift,
    lay_out,
    odds_of_significance,
    principal_components,
    significant_components,
    smoothed,
    unusable,
)
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Width


@dataclass(frozen=True)
class PersistentHomology:
    """Counts the components, loops and voids of the cloud of population states (b0, b1, b2).

    Smoothed rates are z-scored and projected on the principal components that exceed shuffled data, sparse outliers
    are dropped, and a geometric (farthest-point) subsample gets its Vietoris-Rips persistence (Kang, Xu & Morozov
    2021; Chaudhuri et al. 2019; Gardner et al. 2022). A feature counts if it lies above the largest gap between
    lifetimes of its degree and outlives, at `level`, the longest one of controls in which each unit's activity is
    rolled in time by its own lag.

    Abstains where fewer units are active than it needs.
    """

    name: ClassVar[str] = "persistent_homology"
    question: ClassVar[str] = "topology"
    family: ClassVar[str] = "topological data analysis"
    library: ClassVar[str] = "gudhi"
    needs: ClassVar[Needs] = Needs(units=5, seconds=4.0)

    bin_width: Width = 0.05  # s, of spike counts
    smoothing: Annotated[float, Within(0, 20, "s")] = 0.1  # s, sd of the Gaussian kernel (Chaudhuri et al. 2019)
    max_components: Annotated[int, Within(3, 1000)] = 6  # principal components at most (Gardner et al. 2022)
    n_points: Annotated[int, Within(4, 3000)] = 300  # of the geometric subsample
    n_points_voids: Annotated[int, Within(4, 1000)] = 150
    """Of them, the first: voids (H2) cost several times as much as components and loops."""
    neighbours: Repeats = 15  # a state's density is judged by the distance to its neighbour of this rank
    kept: Annotated[float, Within(0, 1, excluding=(0,))] = 0.9  # share of states kept, the densest
    n_shuffles: Annotated[int, Within(2, 100_000)] = 20  # controls
    level: Level = 0.05  # of significance against the controls, in each degree

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The Betti numbers of a Recording with spikes or a signal."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        x = lay_out(smoothed(recording, self.bin_width, self.smoothing)[0])
        n_components = int(np.clip(significant_components(x, self.n_shuffles, rng), 3, self.max_components))
        observed = self._lifetimes(x, n_components, rng)
        null = [self._lifetimes(circular_shift(x, rng), n_components, rng) for _ in range(self.n_shuffles)]
        return self._finding(observed, null, n_components)

    def _lifetimes(self, x: np.ndarray, n_components: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Finite lifetimes, falling, of H0, H1 and H2, in units of the cloud's root mean square radius."""
        points = self._landmarks(principal_components(x, n_components), rng)
        radius = np.sqrt(np.square(points).sum(1).mean())
        flat = rips_lifetimes(points / radius, degrees=(0, 1))
        return flat + rips_lifetimes(points[: self.n_points_voids] / radius, degrees=(0, 1, 2))[2:]

    def _landmarks(self, states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        from scipy.spatial import cKDTree

        rank = min(self.neighbours + 1, len(states))
        distance = np.asarray(cKDTree(states).query(states, [rank])[0])[:, 0]
        dense = states[distance <= np.quantile(distance, self.kept)]
        return farthest_points(dense, self.n_points, rng)

    def _finding(self, observed: list[np.ndarray], null: list[list[np.ndarray]], n_components: int) -> Finding:
        """Counts in each degree the features that are significant and lie above the largest gap."""
        betti, firm = [], 1.0
        for degree, lifetimes in enumerate(observed):
            tail = gumbel_tail(lifetimes, np.array([control[degree].max(initial=0.0) for control in null]))
            count = min(int((tail < self.level).sum()), largest_gap(lifetimes))
            betti.append(count + (degree == 0))
            firm *= self._firmness(tail, count)
        longest = [[float(life) for life in lifetimes[:4]] for lifetimes in observed]
        return Finding(
            {"b0": betti[0], "b1": betti[1], "b2": betti[2]},
            confidence=firm,
            notes={"n_components": n_components, "longest_lifetimes": longest},
        )

    def _firmness(self, tail: np.ndarray, count: int) -> float:
        """How clearly the last feature counted is significant and the first one left out is not."""
        last = odds_of_significance(float(tail[count - 1]), self.level) if count else 1.0
        following = float(tail[count]) if count < len(tail) else 1.0
        return last * (1.0 - odds_of_significance(following, self.level))


def gumbel_tail(lifetimes: np.ndarray, maxima: np.ndarray) -> np.ndarray:
    """Chance that a control's longest lifetime exceeds each of these, from a Gumbel law fitted to `maxima`.

    Longest lifetimes are extremes, so that few controls suffice to fit their law (by its first two moments).
    """
    scale = max(np.sqrt(6.0) / np.pi * maxima.std(ddof=1), 1e-12)
    return -np.expm1(-np.exp(-(lifetimes - maxima.mean()) / scale - np.euler_gamma))


def largest_gap(lifetimes: np.ndarray) -> int:
    """How many of these falling lifetimes lie above the largest gap between neighbours (Kang, Xu & Morozov 2021)."""
    return int(np.argmax(-np.diff(np.append(lifetimes, 0.0)))) + 1 if len(lifetimes) else 0


def farthest_points(points: np.ndarray, n_points: int, rng: np.random.Generator) -> np.ndarray:
    """Geometric subsample: from a random start, repeatedly the point farthest from those chosen (Gonzalez 1985)."""
    if len(points) <= n_points:
        return points
    chosen = [int(rng.integers(len(points)))]
    nearest, squares = np.full(len(points), np.inf), np.square(points).sum(1)
    for _ in range(n_points - 1):  # |p - q|^2 by one product of matrix and vector
        nearest = np.minimum(nearest, squares + squares[chosen[-1]] - 2 * points @ points[chosen[-1]])
        chosen.append(int(nearest.argmax()))
    return points[chosen]


def rips_lifetimes(points: np.ndarray, degrees: tuple[int, ...] = (0, 1, 2)) -> list[np.ndarray]:
    """Finite Vietoris-Rips lifetimes, falling, of each degree for points (point, dimension)."""
    from gudhi.sklearn import RipsPersistence

    rips = RipsPersistence(homology_dimensions=list(degrees), input_type="point cloud")
    diagrams = rips.fit_transform([points])[0]
    lifetimes = [d[:, 1] - d[:, 0] if len(d) else np.zeros(0) for d in diagrams]
    return [np.sort(life[np.isfinite(life)])[::-1] for life in lifetimes]
