"""The best predictor is the right model: so are models of the brain ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
import xarray as xr

from methods.models._candidates import (
    NEEDS,
    Beside,
    beside,
    correlations,
    folds,
    ranked,
    repeated,
    shown_alike,
    varying,
)
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields

PENALTIES = tuple(10.0 ** np.arange(-2, 5))
"""Of a feature's variance, times the samples' square root: as many as a fold chooses among."""

LEAST_CEILING = 0.05
"""Below which a unit's responses are called noise."""


@dataclass(frozen=True)
class ModelPredictivity:
    """Units are regressed on each model's features; the model that foretells left-out trials best is chosen.

    `score`: the median over units of the correlation between what is foretold and what was recorded, in trials that the
    regression was not fitted to (Schrimpf et al. 2020, Neuron 108:413). ceiling: each unit's is divided by what a
    perfect model would have, as there, by repeats of what was shown; all models have it in common, so that it changes
    how scores read, and hardly ever who is first. It abstains without repeats. regression: `pls`, partial least squares
    with `components` of them, as there; `ridge`, whose penalty is chosen in one of the fitted folds. It knows nothing
    of how models work: what predicts as well is as good. Cost: seconds; it grows with the cube of the features.
    """

    name: ClassVar[str] = "model_predictivity"
    question: ClassVar[str] = "model_choice"
    family: ClassVar[str] = "prediction"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    regression: Literal["pls", "ridge"] = "ridge"
    components: Annotated[int, Within(1, 500)] = 25
    n_folds: Annotated[int, Within(2, 50)] = 5
    ceiling: bool = False

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """A score for each candidate."""
        found = beside(recording, self.needs)
        if isinstance(found, Finding):
            return found
        fold = folds(found.trial, self.n_folds)
        if not self.ceiling:
            return ranked(found, lambda model: median_correlation(self.foretold(found, model, fold), found.units))
        shown = shown_alike(recording, found)
        most = ceilings(found.units, shown)
        if most is None:
            return Finding.abstain("a noise ceiling takes stimuli that were all shown twice, and some were not")
        if not (reliable := most > LEAST_CEILING).any():
            return Finding.abstain("no unit responds alike when the same is shown again")
        fold = folds(shown, self.n_folds)  # no stimulus is foretold from itself

        def score(model: np.ndarray) -> float:
            said = self.foretold(found, model, fold)
            return float(np.median((correlations(said, found.units) / np.maximum(most, LEAST_CEILING))[reliable]))

        return ranked(found, score)

    def foretold(self, found: Beside, model: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """(sample, unit): each fold as the others foretell it."""
        x = varying(model)
        if not x.size:
            return np.zeros_like(found.units)
        x /= x.std(axis=0)
        return by_folds(x, found.units, fold, self.components if self.regression == "pls" else None)


def ridge(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(feature, unit), by the penalty that foretells the last fifth best; both about their means."""
    cut = len(x) * 4 // 5
    penalty = _best(Moments.of(x[:cut], y[:cut]), x[cut:], y[cut:])
    return Moments.of(x, y).weights(penalty)[0]


def by_folds(x: np.ndarray, y: np.ndarray, fold: np.ndarray, components: int | None = None) -> np.ndarray:
    """(sample, unit): each fold as the others foretell it, by least squares on so many components, or by ridge.

    The penalty of ridge is that which is best in the next fold; of two folds, 1 of a feature's variance.
    """
    places = [np.flatnonzero(fold == k) for k in np.unique(fold)]
    parts = [Moments.of(x[place], y[place]) for place in places]
    said = np.zeros_like(y)
    for k, test in enumerate(places):
        after = (k + 1) % len(parts)
        rest = [part for j, part in enumerate(parts) if j not in (k, after)]
        every = Moments.together([*rest, parts[after]])
        if components is not None:
            weights, start = every.on_components(components)
        else:
            penalty = _best(Moments.together(rest), x[places[after]], y[places[after]]) if rest else 1.0
            weights, start = every.weights(penalty)
        said[test] = x[test] @ weights + start
    return said


class Moments(NamedTuple):
    """What a regression of y (sample, unit) on x (sample, feature) needs of them: sums that add up over parts."""

    n: float
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> Moments:
        """Of one part."""
        return cls(float(len(x)), x.sum(axis=0), y.sum(axis=0), x.T @ x, x.T @ y)

    @classmethod
    def together(cls, parts: Sequence[Moments]) -> Moments:
        """Of several."""
        return cls(*(sum(values[1:], values[0]) for values in zip(*parts, strict=True)))

    def centred(self) -> tuple[np.ndarray, np.ndarray]:
        """Products (feature, feature) and (feature, unit) about the means."""
        return self.xx - np.outer(self.x, self.x) / self.n, self.xy - np.outer(self.x, self.y) / self.n

    def weights(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        """Weights (feature, unit) and what is added to them (unit,)."""
        xx, xy = self.centred()
        found = np.linalg.solve(xx + penalty * np.sqrt(self.n) * np.eye(len(xx)), xy)
        return found, (self.y - self.x @ found) / self.n

    def on_components(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """The same by partial least squares on so many components, or as many as there are."""
        found = pls(*self.centred(), number)
        return found, (self.y - self.x @ found) / self.n


def pls(xx: np.ndarray, xy: np.ndarray, components: int) -> np.ndarray:
    """(feature, unit): weights by partial least squares, from products about the means (feature, feature or unit).

    Each component is the direction of features that has most covariance with the units, all together, in what those
    before it have left of that; by the kernel algorithm (Dayal & MacGregor 1997, J Chemom 11:73).
    """
    left, weights, least = xy.copy(), np.zeros_like(xy), 1e-18 * float(np.square(xy).sum())
    axes: list[np.ndarray] = []
    loads: list[np.ndarray] = []
    for _ in range(min(components, len(xx))):
        way = left @ np.linalg.eigh(left.T @ left)[1][:, -1]  # its first left singular vector, of some length
        axis = way - sum((load @ way * before for before, load in zip(axes, loads, strict=True)), np.zeros_like(way))
        size = float(axis @ xx @ axis)
        if size <= 1e-9 * float(np.trace(xx) * (axis @ axis)) or np.square(left).sum() <= least:
            break
        load, reach = xx @ axis / size, axis @ xy / size
        left -= size * np.outer(load, reach)
        weights += np.outer(axis, reach)
        axes.append(axis)
        loads.append(load)
    return weights


def _best(fitted: Moments, x: np.ndarray, y: np.ndarray) -> float:
    """The penalty whose weights foretell y from x best."""
    xx, xy = fitted.centred()
    value, axes = np.linalg.eigh(xx)
    along, moved = axes.T @ xy, (x - fitted.x / fitted.n) @ axes
    left = y - fitted.y / fitted.n
    root = np.sqrt(fitted.n)
    errors = [((moved @ (along / (np.maximum(value, 0) + p * root)[:, None]) - left) ** 2).sum() for p in PENALTIES]
    return float(PENALTIES[int(np.argmin(errors))])


def median_correlation(said: np.ndarray, true: np.ndarray) -> float:
    """Over units: of what is said with what was recorded, both (sample, unit); 0 where one is constant."""
    return float(np.median(correlations(said, true)))


def ceilings(units: np.ndarray, shown: np.ndarray) -> np.ndarray | None:
    """(unit,): the correlation of a single response (sample, unit) with what is shown (sample,), known perfectly.

    The root of a response's reliability, the mean correlation of different repeats; 0 of a unit without any; None where
    not everything was shown twice. What is foretold perfectly correlates as much with what was recorded, no more.
    """
    responses = repeated(units, shown)
    if responses is None:
        return None
    mean, n = responses.mean(axis=0), len(responses)
    total = np.square(responses - responses.mean(axis=(0, 1))).sum(axis=(0, 1))
    between = n * np.square(mean - mean.mean(axis=0)).sum(axis=0)
    noise = (total - between) / (n - 1)  # of n stimuli's repeats, n - 1 are free
    reliable = np.divide(between - noise, between + (n - 1) * noise, out=np.zeros_like(total), where=total > 0)
    return np.asarray(np.sqrt(np.maximum(reliable, 0.0)))
