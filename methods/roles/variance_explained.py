"""Units that dominate the first principal components, held for what matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.roles._watched import over_time
from simlab.contracts import Finding, Needs
from simlab.data import missing
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share, Width


@dataclass(frozen=True)
class VarianceExplained:
    """Importance of a unit = its communality: the share of its variance that the components explain, sum_k l_k w_ki^2.

    Components are of activity in bins of `width`, in standard deviations; those count whose variance l_k is beyond 95%
    of what shifting the units against one another in time leaves (parallel analysis, Horn 1965; `shuffles` of them), so
    that of independent units one in twenty populations has any. A unit is decided where its communality is at least
    `least_communality`, a loading of 0.4 as salient loadings are commonly read (Stevens 2002). Cost: one
    eigendecomposition per shuffle.

    What is shared by many is what varies, not what matters: a stimulus that reaches bystanders makes them dominate, and
    a part that differs from all others is missed (Jonas & Kording 2017, PLoS Comput Biol 13:e1005268).
    """

    name: ClassVar[str] = "variance_explained"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "dimension reduction"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=2)

    least_communality: Share = 0.16
    width: Width = 0.05
    """Of a bin [s]."""
    shuffles: Annotated[int, Within(20, 100_000)] = 50

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The importance of every unit, and which are decided."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        values, _ = over_time(recording, self.width)
        flat = values.reshape(-1, values.shape[2])
        active = np.flatnonzero(flat.std(axis=0) > 0)
        if len(active) < 2 or values.shape[1] < 3:
            return Finding.abstain(f"{len(active)} units vary over {values.shape[1]} bins: too few for components")
        values = (values[:, :, active] - flat[:, active].mean(axis=0)) / flat[:, active].std(axis=0)
        importance = np.zeros(flat.shape[1])
        importance[active], n_components = self._communality(values, rng)
        notes = {"components": n_components}
        return Finding({"importance": importance, "decided": importance >= self.least_communality}, notes=notes)

    def _communality(self, values: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """(unit,) of the significant components of (trial, bin, unit), and how many these are."""
        variance, axes = _components(values)
        null = np.array([_components(_shifted(values, rng))[0] for _ in range(self.shuffles)])
        beyond = variance > np.quantile(null, 0.95, axis=0)
        count = len(beyond) if beyond.all() else int(beyond.argmin())
        return (variance[:count] * axes[:, :count] ** 2).sum(axis=1), count


def _components(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The variances (component,) of (trial, bin, unit), falling, and their axes (unit, component)."""
    flat = values.reshape(-1, values.shape[2])
    variance, axes = np.linalg.eigh(flat.T @ flat / len(flat))
    return variance[::-1], axes[:, ::-1]


def _shifted(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every unit's trials in an order of its own, each rolled by a lag of its own."""
    trials, bins, units = values.shape
    order = rng.random((trials, units)).argsort(axis=0)
    time = (np.arange(bins)[None, :, None] + rng.integers(bins, size=(trials, 1, units))) % bins
    return values[order[:, None, :], time, np.arange(units)]
