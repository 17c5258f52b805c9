"""Selectivity by an analysis of variance over concepts, and a test of each against the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import xarray as xr

from methods.coding._pictures import NEEDS, averaged, named, viewed
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level

Correction = Literal["none", "bonferroni", "false discovery rate"]


@dataclass(frozen=True)
class ConceptAnova:
    """A unit is called by a concept if its counts differ over concepts, and are above the rest for that one alone.

    One-way analysis of variance (`scipy.stats.f_oneway`), corrected over units; then t of each concept's mean against
    all others', with the pooled variance, at `level` over the number of concepts. `over`: what counts as a sample.
    Presentations of one picture are no independent samples of a concept: with `presentations`, a unit that likes one
    picture is found to like its concept (pseudoreplication). With `pictures`, each is one sample, its mean. Cost: none.
    """

    name: ClassVar[str] = "concept_anova"
    question: ClassVar[str] = "selectivity"
    family: ClassVar[str] = "analysis of variance"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05
    correction: Correction = "false discovery rate"
    over: Literal["presentations", "pictures"] = "presentations"

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's concept."""
        found = viewed(recording, self.needs)
        if isinstance(found, Finding):
            return found
        each = self.over == "presentations"
        value = found.counts if each else found.per_picture()
        group = found.concept[found.picture] if each else found.concept
        if np.bincount(group).min() < 2:
            return Finding.abstain(f"each concept needs two {self.over}, got fewer: show more")
        p, t, freedom = _tests(value, group)
        above = (t > _least_t(self.level / len(found.names), freedom)) & self._corrected(p)
        return Finding(
            {"concept": named(t.argmax(axis=0), above.sum(axis=0) == 1, found.names)}, notes={"p": p.tolist()}
        )

    def _corrected(self, p: np.ndarray) -> np.ndarray:
        """(unit,) bool: which are significant."""
        from scipy.stats import false_discovery_control

        if self.correction == "false discovery rate":
            return np.asarray(false_discovery_control(p) <= self.level)
        return np.asarray(p <= (self.level / len(p) if self.correction == "bonferroni" else self.level))


def _tests(value: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """p (unit,) of the analysis of variance of values (sample, unit), 1 where nothing varies; t (concept, unit) of each
    against the rest; and the degrees of freedom of what is left."""
    from scipy.stats import f_oneway

    varied = np.ptp(value, axis=0) > 0
    p = np.ones(value.shape[1])
    if varied.any():
        p[varied] = np.nan_to_num(f_oneway(*(value[group == k][:, varied] for k in np.unique(group))).pvalue, nan=1.0)
    n, mean = np.bincount(group)[:, None], averaged(value, group)
    freedom = len(value) - len(mean)
    left = ((value - mean[group]) ** 2).sum(axis=0) / max(freedom, 1)
    rest = (value.sum(axis=0) - n * mean) / (len(value) - n)
    error = np.sqrt(left * (1 / n + 1 / (len(value) - n)))
    sure = np.where(mean > rest, np.inf, 0.0)  # where there is no noise, any difference is beyond it
    return p, np.divide(mean - rest, error, out=sure, where=error > 0), freedom


def _least_t(level: float, freedom: int) -> float:
    from scipy.stats import t

    return float(t.isf(level, freedom))
