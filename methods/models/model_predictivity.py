"""The best predictor is the right model: so are models of the brain ranked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.models._candidates import NEEDS, Beside, beside, folds, ranked
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields

PENALTIES = tuple(10.0 ** np.arange(-2, 5))
"""Of a feature's variance, times the samples' square root: as many as a fold chooses among."""


@dataclass(frozen=True)
class ModelPredictivity:
    """Units are regressed on each model's features; the model that foretells left-out trials best is chosen.

    `score`: the median over units of the correlation between what is foretold and what was recorded, in trials that the
    regression was not fitted to (Schrimpf et al. 2020, Neuron 108:413, without the division by a ceiling, which all
    models have in common). regression: `pls`, partial least squares with `components` of them, as there; `ridge`, whose
    penalty is chosen on a fifth of the fitted samples. It knows nothing of how models work: what predicts as well is as
    good. Cost: seconds; it grows with the square of the features.
    """

    name: ClassVar[str] = "model_predictivity"
    question: ClassVar[str] = "model_choice"
    family: ClassVar[str] = "prediction"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = NEEDS

    regression: Literal["pls", "ridge"] = "ridge"
    components: Annotated[int, Within(1, 500)] = 25
    n_folds: Annotated[int, Within(2, 50)] = 5

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """A score for each candidate."""
        found = beside(recording, self.needs)
        if isinstance(found, Finding):
            return found
        fold = folds(found.trial, self.n_folds)
        return ranked(found, lambda model: median_correlation(self.foretold(found, model, fold), found.units))

    def foretold(self, found: Beside, model: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """(sample, unit): each fold as the others foretell it."""
        predict = np.zeros_like(found.units)
        varying = np.ptp(model, axis=0) > 0
        if not varying.any():
            return predict
        x = model[:, varying]
        for k in np.unique(fold):
            train, test = fold != k, fold == k
            centre, scale = x[train].mean(axis=0), x[train].std(axis=0)
            moved = (x - centre) / np.where(scale > 1e-9 * np.abs(centre) + 1e-300, scale, np.inf)
            mean = found.units[train].mean(axis=0)
            fit = _ridge if self.regression == "ridge" else self._pls
            predict[test] = mean + moved[test] @ fit(moved[train], found.units[train] - mean)
        return predict

    def _pls(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(feature, unit)."""
        from sklearn.cross_decomposition import PLSRegression

        rank = min(self.components, *x.shape, y.shape[1] if y.shape[1] > 1 else x.shape[1])
        return np.asarray(PLSRegression(rank, scale=False).fit(x, y).coef_).T


def _ridge(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(feature, unit), by the penalty that foretells the last fifth best."""
    cut = len(x) * 4 // 5
    grown = [x[:cut].T @ x[:cut], x[:cut].T @ y[:cut]]
    value, axes = np.linalg.eigh(grown[0])
    along = axes.T @ grown[1]
    held = x[cut:] @ axes
    errors = [((held @ (along / (value + p * np.sqrt(len(x)))[:, None]) - y[cut:]) ** 2).sum() for p in PENALTIES]
    penalty = PENALTIES[int(np.argmin(errors))] * np.sqrt(len(x))
    return np.asarray(np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y))


def median_correlation(said: np.ndarray, true: np.ndarray) -> float:
    """Over units: of what is said with what was recorded, both (sample, unit); 0 where one is constant."""
    a, b = said - said.mean(axis=0), true - true.mean(axis=0)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    r = np.divide((a * b).sum(axis=0), size, out=np.zeros(a.shape[1]), where=size > 1e-12)
    return float(np.median(r))
