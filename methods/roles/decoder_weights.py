"""Units that a decoder leans on: weights of a cross-validated regression of the outcome on all activity."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.intervention._silencing import discoveries
from methods.roles._watched import of_trials, outcome_of
from simlab.contracts import Finding, Needs
from simlab.data import missing
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats

Fit = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Activity (trial, unit) and target (trial, factor) to weights (unit, factor)."""

PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Tried in cross-validation, of activity in standard deviations."""


@dataclass(frozen=True)
class DecoderWeights:
    """Importance of a unit = magnitude of its weight in the decoder that predicts unseen trials best.

    target="outcome": logistic regression where a trial went well or not, else ridge; "behaviour": ridge, of each
    factor's mean in a trial. Activity is in standard deviations, the penalty the best of five by five-fold
    cross-validation. A unit is decided where its weight is beyond those that copies of the units get whose trials are
    shuffled, in decoders of both (Kursa & Rudnicki 2010, J Stat Softw 36:11; the standard deviation over `shuffles`
    gives a normal p), at a false discovery rate of `alpha` (Benjamini & Hochberg 1995). Cost: tenths of a second.

    Weights are not importances (Haufe et al. 2014, NeuroImage 87:96): a unit that only carries the noise of another
    gets one, of several that say the same each gets a part, and what is decodable need not be used.
    """

    name: ClassVar[str] = "decoder_weights"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "decoding"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(units=1, trials=10)

    target: Literal["outcome", "behaviour"] = "outcome"
    alpha: Level = 0.05
    shuffles: Annotated[int, Within(10, 100_000)] = 50
    fewest: Repeats = 5
    """Trials that went well, and others, without which it abstains."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The importance of every unit, and which are decided."""
        target = self._target(recording)
        if isinstance(target, Finding):
            return target
        activity = of_trials(recording)
        spread = activity.std(axis=0)
        x = np.divide(activity - activity.mean(axis=0), spread, out=np.zeros_like(activity), where=spread > 0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a fit that takes more steps than it is given
            fit, penalty = _chosen(x, target, rng)
            weight = fit(x, target)
            shuffled = np.array([_of_shadows(fit, x, target, rng) for _ in range(self.shuffles)])
        p = _p(weight, shuffled)
        notes = {"penalty": penalty, "p": p}
        return Finding(
            {"importance": np.linalg.norm(weight, axis=1), "decided": discoveries(p, self.alpha)}, notes=notes
        )

    def _target(self, recording: xr.Dataset) -> np.ndarray | Finding:
        """(trial, factor)."""
        if self.target == "outcome":
            outcome = outcome_of(recording, self.needs, self.fewest)
            return outcome if isinstance(outcome, Finding) else outcome[:, None]
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        if "behaviour" not in recording:
            return Finding.abstain("needs behaviour, and this recording has none")
        mean = recording["behaviour"].values.astype(float).mean(axis=1)
        varies = np.isfinite(mean).all(axis=0) & (mean.std(axis=0) > 1e-12)
        return mean[:, varies] if varies.any() else Finding.abstain("the behaviour is the same in every trial")


def _chosen(x: np.ndarray, target: np.ndarray, rng: np.random.Generator) -> tuple[Fit, float]:
    """The kind of regression that fits the target, with the penalty that predicts held-out trials best."""
    make = _logistic if len(np.unique(target)) == 2 and target.shape[1] == 1 else _ridge
    fold = rng.permutation(len(x)) % 5
    errors = []
    for penalty in PENALTIES:
        predict = [
            (make(penalty)(x[fold != k], target[fold != k]), x[fold == k], target[fold != k], target[fold == k])
            for k in range(5)
        ]
        errors.append(sum(_error(*one) for one in predict))
    penalty = PENALTIES[int(np.argmin(errors))]
    return make(penalty), penalty


def _error(weight: np.ndarray, x: np.ndarray, seen: np.ndarray, held_out: np.ndarray) -> float:
    """The squared error on held-out trials of the best multiple of the decoder's prediction."""
    guess = x @ weight
    centred = held_out - seen.mean(axis=0)
    scale = np.sum(guess * centred, axis=0) / np.maximum(np.sum(guess**2, axis=0), 1e-12)
    return float(np.sum((centred - np.maximum(scale, 0.0) * guess) ** 2))


def _of_shadows(fit: Fit, x: np.ndarray, target: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The weights (unit, factor) that each unit's shuffled trials get beside all units as they are."""
    return fit(np.concatenate([x, rng.permuted(x, axis=0)], axis=1), target)[x.shape[1] :]


def _ridge(penalty: float) -> Fit:
    from sklearn.linear_model import Ridge

    def fit(x: np.ndarray, target: np.ndarray) -> np.ndarray:
        return np.asarray(Ridge(alpha=penalty).fit(x, target).coef_).reshape(target.shape[1], -1).T

    return fit


def _logistic(penalty: float) -> Fit:
    from sklearn.linear_model import LogisticRegression

    def fit(x: np.ndarray, target: np.ndarray) -> np.ndarray:
        well = target[:, 0] > target.mean()
        if well.all() or not well.any():  # of a fold
            return np.zeros((x.shape[1], 1))
        return np.asarray(LogisticRegression(C=1 / penalty, solver="newton-cholesky").fit(x, well).coef_).T

    return fit


def _p(weight: np.ndarray, shuffled: np.ndarray) -> np.ndarray:
    """(unit,) two-sided p of weights (unit, factor) in root mean squares of those of shuffled trials."""
    from scipy.stats import norm

    spread = np.sqrt(np.mean(shuffled**2, axis=0))
    z = np.divide(np.abs(weight), spread, out=np.zeros_like(weight), where=spread > 1e-12)
    return np.minimum(2 * weight.shape[1] * norm.sf(z.max(axis=1)), 1.0)
