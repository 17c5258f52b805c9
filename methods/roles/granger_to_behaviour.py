"""Units whose past predicts the behaviour beyond its own past and that of all other units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.intervention._silencing import discoveries
from methods.roles._watched import behaviour_at, over_time
from simlab.contracts import Finding, Needs
from simlab.data import missing
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Width


@dataclass(frozen=True)
class GrangerToBehaviour:
    """Importance of a unit = log of the factor by which its past reduces the error in predicting the behaviour.

        y(t) = sum_k A_k y(t - k) + sum_j sum_k b_jk x_j(t - k) + e,   importance_j = log(RSS without x_j / RSS)

    Conditional Granger causality (Granger 1969; Geweke 1984) from units onto the behaviour trace, all factors together,
    at `lags` bins of `width`; decided by its F test at a false discovery rate of `alpha` (Benjamini & Hochberg 1995).
    Cost: one regression of n x lags columns.

    It finds who speaks last before the behaviour, misses those further upstream and those whose part another repeats;
    noise in counts makes it credit units that only follow the same drive, and a binary behaviour is no linear process.
    """

    name: ClassVar[str] = "granger_to_behaviour"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=1, behaviour=True)

    alpha: Level = 0.05
    width: Width = 0.02
    """Of a bin [s]."""
    lags: Annotated[int, Within(1, 100)] = 3

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The importance of every unit, and which are decided."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        x, centres = over_time(recording, self.width)
        y = behaviour_at(recording, centres)
        if isinstance(y, Finding):
            return y
        active = np.flatnonzero(x.std(axis=(0, 1)) > 0)
        rows = x.shape[0] * (x.shape[1] - self.lags)
        columns = self.lags * (y.shape[2] + len(active)) + 1
        if rows < 2 * columns or x.shape[1] <= self.lags:
            return Finding.abstain(f"{max(rows, 0)} bins with a past are too few to tell {columns} coefficients")
        importance, p = np.zeros(x.shape[2]), np.ones(x.shape[2])
        if len(active):
            importance[active], p[active] = _tests(_standard(x[:, :, active]), _standard(y), self.lags)
        return Finding({"importance": importance, "decided": discoveries(p, self.alpha)}, notes={"p": p})


def _standard(values: np.ndarray) -> np.ndarray:
    flat = values.reshape(-1, values.shape[2])
    return (values - flat.mean(axis=0)) / flat.std(axis=0)


def _past(values: np.ndarray, lags: int) -> np.ndarray:
    """(row, column, lag): what each column of (trial, bin, column) was, of all bins that have so much of a past."""
    n_bins = values.shape[1]
    past = np.stack([values[:, lags - k : n_bins - k] for k in range(1, lags + 1)], axis=-1)
    return past.reshape(-1, values.shape[2], lags)


def _tests(x: np.ndarray, y: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """Log ratios of errors without and with each unit of x (trial, bin, unit), and the p of their F tests."""
    from scipy.stats import f

    own = _past(y, lags)
    design = np.concatenate(
        [np.ones((len(own), 1)), own.reshape(len(own), -1), _past(x, lags).reshape(len(own), -1)], 1
    )
    now = y[:, lags:].reshape(-1, y.shape[2])
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    weights = inverse @ (design.T @ now)
    error = float(np.sum((now - design @ weights) ** 2))
    freedom = y.shape[2] * (len(design) - design.shape[1])
    error = max(error, 1e-9 * float(np.sum(now**2)) + 1e-300)
    gained = np.empty(x.shape[2])
    for unit in range(x.shape[2]):
        block = slice(1 + lags * (y.shape[2] + unit), 1 + lags * (y.shape[2] + unit + 1))
        part = weights[block]
        gained[unit] = np.sum(part * (np.linalg.pinv(inverse[block, block], hermitian=True) @ part))
    gained = np.maximum(gained, 0.0)
    ratio = gained / (lags * y.shape[2]) / (error / freedom)
    return np.log1p(gained / error), f.sf(ratio, lags * y.shape[2], freedom)
