"""Information as decoders see it: honestly cross-validated, or with the leaks that are common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.coding._discrimination import Seen, seen, separate, sums, unbiased
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields

By = Literal["logistic", "ridge", "bayes"]


@dataclass(frozen=True)
class DecodedInformation:
    """d'^2 of a linear decoder's output on trials that it was not fitted to, over ds^2: a lower bound, on average.

    `logistic`: scikit-learn's logistic regression. `ridge`: discriminant with a ridge on the covariance. `bayes`: naive
    Bayes of Gaussian, independent units, the decoder that ignores correlations (Averbeck & Lee 2006). Outputs of
    all folds are pooled in units of the noise on training trials. Below chance, d'^2 counts as negative.

    Leaks, none of them on by default: `scored_on="training"` (trials that the decoder knows), `chosen_on="all"` (the
    `n_best` units that separate the stimuli best chosen before trials are held out: Kriegeskorte et al. 2009, Nat
    Neurosci 12:535), `folds="shuffled"` (neighbours in time on both sides of a split, so that what drifts tells stimuli
    apart that come in blocks; Varoquaux et al. 2017, NeuroImage 145:166). Cost: a fit per fold.
    """

    name: ClassVar[str] = "decoded_information"
    question: ClassVar[str] = "information"
    family: ClassVar[str] = "decoding"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(trials=20, stimulus=True)

    by: By = "logistic"
    penalty: Annotated[float, Within(1e-6, 1e6)] = 0.1
    """On the squared weights of standardised units: per trial (logistic), or of the mean variance (ridge)."""
    n_folds: Annotated[int, Within(2, 1000)] = 5
    folds: Literal["blocked", "shuffled"] = "blocked"
    n_best: Annotated[int, Within(0, 10_000)] = 0  # units that the decoder gets; 0: all
    chosen_on: Literal["training", "all"] = "training"
    scored_on: Literal["held out", "training"] = "held out"

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The information that the decoder shows."""
        found = seen(recording, self.needs)
        if isinstance(found, Finding):
            return found
        fold = self._dealt(len(found.larger), rng)
        output, side = [], []
        for held in range(self.n_folds):
            training = found.only(fold != held)
            if min(training.larger.sum(), (~training.larger).sum()) < 2:
                return Finding.abstain("one of the stimuli is missing from a fold's training trials: use fewer folds")
            scored = training if self.scored_on == "training" else found.only(fold == held)
            output.append(self._output(found, training, scored.activity))
            side.append(scored.larger)
        return _told(np.concatenate(output), np.concatenate(side), found.step)

    def _dealt(self, trials: int, rng: np.random.Generator) -> np.ndarray:
        """(trial,) the fold of each."""
        blocked = np.arange(trials) * self.n_folds // trials
        return blocked if self.folds == "blocked" else rng.permutation(blocked)

    def _output(self, found: Seen, training: Seen, activity: np.ndarray) -> np.ndarray:
        """(trial,) what the decoder says of activity (trial, unit): 0 halfway, in units of the noise in training."""
        units = self._units(found if self.chosen_on == "all" else training)
        training = training._replace(activity=training.activity[:, units])
        middle, scale = training.activity.mean(axis=0), training.activity.std(axis=0) + 1e-12
        known = training._replace(activity=(training.activity - middle) / scale)
        weights = DECODERS[self.by](known, self.penalty)
        said = sums(known._replace(activity=(known.activity @ weights)[:, None]))
        noise = float(np.sqrt(said.covariance[0, 0])) or 1.0
        return np.asarray((activity[:, units] - middle) / scale @ weights / noise)

    def _units(self, found: Seen) -> np.ndarray:
        """The units that the decoder gets."""
        units = found.activity.shape[1]
        if not 0 < self.n_best < units:
            return np.arange(units)
        varies = sum(np.ptp(found.activity[side], axis=0) for side in (found.larger, ~found.larger)) > 0
        own = np.full(units, -np.inf)
        own[varies] = separate(found._replace(activity=found.activity[:, varies]))
        return np.argsort(-own, kind="stable")[: self.n_best]


def _told(output: np.ndarray, side: np.ndarray, step: float) -> Finding:
    """d'^2 of outputs (trial,), its bias removed and signed, over step^2."""
    told = sums(Seen(output[:, None], side, step))
    variance = float(told.covariance[0, 0])
    square = float(told.slope[0]) ** 2 / variance if variance > 0 else 0.0
    sign = 1.0 if told.slope[0] >= 0 else -1.0
    right = float(np.mean((output > 0) == side))
    return Finding(
        {"information": sign * float(unbiased(square, 1, told.freedom, told.spread)) / step**2},
        notes={"accuracy": right},
    )


def _logistic(known: Seen, penalty: float) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1 / (penalty * len(known.larger)), max_iter=500).fit(known.activity, known.larger)
    return np.asarray(fitted.coef_[0])


def _ridge(known: Seen, penalty: float) -> np.ndarray:
    told = sums(known)
    return np.linalg.solve(told.covariance + penalty * np.eye(len(told.slope)), told.slope)


def _bayes(known: Seen, penalty: float) -> np.ndarray:
    told = sums(known)
    return told.slope / np.maximum(np.diag(told.covariance), 1e-12)


DECODERS: Mapping[str, Callable[[Seen, float], np.ndarray]] = MappingProxyType(
    {"logistic": _logistic, "ridge": _ridge, "bayes": _bayes}
)
