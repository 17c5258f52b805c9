"""Invariant causal prediction: causes are the units without which no prediction holds in all environments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.intervention._predictors import PREDICTED, Samples, least_squares, samples
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Level


@dataclass(frozen=True)
class InvariantCausalPrediction:
    """The units that belong to every set given which the behaviour is the same in all environments (conditions).

    Peters, Buehlmann & Meinshausen 2016 (J R Stat Soc B 78:947), method II: for each set of units the behaviour is
    regressed on it over all trials, and the set is accepted unless residuals differ between environments. Those of each
    environment are held against the rest in mean (Welch's t test) and variance (F test); the smaller p, times two,
    times the number of environments (Bonferroni), must be above `alpha`. The answer is the intersection of all accepted
    sets: with probability 1 - `alpha` it holds causes only, whatever environments do, as long as they do not act on the
    behaviour itself. It may hold few of them, or none: where environments hardly differ, all sets are accepted.

    Of more than `most_predictors` units those stay that the lasso takes in first. It
    abstains where no set is accepted: then environments act on the behaviour, a cause is missing or an equation is
    another. Importance is the slope, on the answer alone, times the unit's standard deviation.
    """

    name: ClassVar[str] = "invariant_causal_prediction"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "invariance"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = replace(PREDICTED, conditions=True)

    alpha: Level = 0.05
    most_predictors: Annotated[int, Within(1, 14)] = 8
    """Whose subsets are all tested, 256 of them."""
    least_trials: Count = 10
    """Of each environment, without which it abstains."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give p of each unit (the largest of a set without it) and how many sets were accepted."""
        seen = samples(recording)
        if isinstance(seen, Finding):
            return seen
        names, codes = np.unique(seen.condition, return_inverse=True)
        if len(names) < 2:
            return Finding.abstain("all trials have one condition: invariance takes two environments at least")
        if np.bincount(codes).min() < self.least_trials:
            return Finding.abstain(f"an environment has fewer than {self.least_trials} trials: record more of it")
        tried = self._screened(seen)
        sets = list(chain.from_iterable(combinations(tried.tolist(), size) for size in range(len(tried) + 1)))
        p = invariances(seen, codes, sets)
        if p.max() <= self.alpha:
            return Finding.abstain(
                f"of {len(sets)} sets of units none makes the behaviour invariant (best p = {p.max():.2g}): "
                "environments act on the behaviour itself, or a cause is not among the units"
            )
        return self._intersection(seen, sets, p)

    def _intersection(self, seen: Samples, sets: list[tuple[int, ...]], p: np.ndarray) -> Finding:
        inside = np.zeros((len(sets), seen.n_units), dtype=bool)
        for row, one in zip(inside, sets, strict=True):
            row[list(one)] = True
        least = np.array([p[~inside[:, unit]].max() for unit in range(seen.n_units)])
        decided, slope = least <= self.alpha, np.zeros(seen.n_units)
        if decided.any():
            slope[decided] = least_squares(seen.units[:, decided], seen.behaviour).slope
        notes = {"p": least, "accepted": int((p > self.alpha).sum()), "tested": len(sets)}
        return Finding({"importance": seen.importance(slope), "decided": decided}, notes=notes)

    def _screened(self, seen: Samples) -> np.ndarray:
        """The units (index,) whose subsets are tested."""
        if seen.n_units <= self.most_predictors:
            return np.arange(seen.n_units)
        from sklearn.linear_model import lars_path

        spread = seen.units.std(axis=0)
        standard = (seen.units - seen.units.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        _, _, paths = lars_path(standard, seen.behaviour - seen.behaviour.mean(), method="lasso")
        first = np.array([np.flatnonzero(path).min(initial=path.size) for path in paths])
        return np.sort(np.argsort(first, kind="stable")[: self.most_predictors])


EXACT = 1e-9
"""Standard deviations of the behaviour: what is left of it by less is rounding, alike in all environments."""


def invariances(seen: Samples, codes: np.ndarray, sets: list[tuple[int, ...]]) -> np.ndarray:
    """(set,) p that what each set of units leaves of the behaviour is alike in all environments (trial,), 1 at most."""
    residual = np.stack([_left(seen.units[:, list(one)], seen.behaviour) for one in sets])
    environments = np.unique(codes)
    floor = (EXACT * seen.behaviour.std()) ** 2
    p = [_differing(residual[:, codes == e], residual[:, codes != e], floor) for e in environments]
    return np.minimum(2 * len(environments) * np.min(p, axis=0), 1.0)


def _left(units: np.ndarray, behaviour: np.ndarray) -> np.ndarray:
    """The residual (trial,) of ordinary least squares with a constant."""
    design = np.column_stack([np.ones(len(behaviour)), units])
    return behaviour - design @ np.linalg.lstsq(design, behaviour, rcond=None)[0]


def _differing(one: np.ndarray, other: np.ndarray, floor: float) -> np.ndarray:
    """(set,) the smaller p of a difference in mean (Welch 1947) and in variance (F), both two-sided.

    one, other: residuals (set, trial) in an environment and in the rest; their variances are `floor` at least.
    """
    from scipy.stats import f, t

    n = np.array([one.shape[1], other.shape[1]])
    variance = np.maximum([one.var(axis=1, ddof=1), other.var(axis=1, ddof=1)], floor).T
    of_mean = variance / n
    freedom = of_mean.sum(axis=1) ** 2 / (of_mean**2 / (n - 1)).sum(axis=1)
    mean = 2 * t.sf(np.abs(one.mean(axis=1) - other.mean(axis=1)) / np.sqrt(of_mean.sum(axis=1)), freedom)
    below = f.cdf(variance[:, 0] / variance[:, 1], n[0] - 1, n[1] - 1)
    return np.minimum(mean, 2 * np.minimum(below, 1 - below))
