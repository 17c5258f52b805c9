"""Linear dimension as the number of factors whose likelihood of left-out trials is highest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dimension._spread import MostDimensions, Smoothing, end_to_end, trial_folds, z_scored
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class FactorAnalysisDimension:
    """Cross-validated likelihood of factor analysis (Yu et al. 2009; Williamson et al. 2016, PLoS Comput Biol 12).

    The number is that at the peak of the mean log-likelihood of left-out trials, 0 being independent units; the search
    stops when three more factors brought nothing. With `shared`, it is instead how many of these factors hold that
    share of the shared variance, as the field often reports it. Smoothed samples are not independent, which the folds
    of whole trials allow for. Ten models of a few seconds.
    """

    name: ClassVar[str] = "factor_analysis_dimension"
    question: ClassVar[str] = "dimensionality"
    family: ClassVar[str] = "factor analysis"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(units=4)

    bin_width: Width = 0.05  # s, of spike counts
    smoothing: Smoothing = 0.0  # s; the model has noise of its own
    most: MostDimensions = 15  # factors that are tried
    folds: Annotated[int, Within(2, 100)] = 4
    shared: Annotated[float, Within(0, 1)] = 0.0  # share of the shared variance; 0: all factors at the peak

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The linear dimension of a Recording."""
        values = z_scored(recording, self.needs, self.bin_width, self.smoothing)
        if isinstance(values, Finding):
            return values
        x, fold = end_to_end(values), trial_folds(values, self.folds)
        likelihood = [_independent(x, fold)]
        for number in range(1, min(self.most, x.shape[1] - 1) + 1):
            likelihood.append(_with_factors(x, fold, number))
            if number - int(np.argmax(likelihood)) >= 3:
                break
        best = int(np.argmax(likelihood))
        return Finding({"linear": self._counted(x, best)}, notes={"log_likelihood": likelihood})

    def _counted(self, x: np.ndarray, best: int) -> int:
        if not (self.shared and best):
            return best
        from sklearn.decomposition import FactorAnalysis

        loads = FactorAnalysis(best, svd_method="lapack").fit(x).components_
        sizes = np.linalg.svd(loads, compute_uv=False) ** 2
        return int((np.cumsum(sizes) / sizes.sum() < self.shared - 1e-12).sum()) + 1


def _with_factors(x: np.ndarray, fold: np.ndarray, number: int) -> float:
    """Mean log-likelihood of left-out samples under so many factors."""
    from sklearn.decomposition import FactorAnalysis

    parts = [
        FactorAnalysis(number, svd_method="lapack", tol=1e-2, max_iter=300).fit(x[fold != k]).score(x[fold == k])
        for k in np.unique(fold)
    ]
    return float(np.mean(parts))


def _independent(x: np.ndarray, fold: np.ndarray) -> float:
    """The same of units that are independent and Gaussian."""
    parts = []
    for k in np.unique(fold):
        mean, variance = x[fold != k].mean(axis=0), np.maximum(x[fold != k].var(axis=0), 1e-12)
        each = np.log(2 * np.pi * variance) + np.square(x[fold == k] - mean) / variance
        parts.append(-0.5 * each.sum(axis=1).mean())
    return float(np.mean(parts))
