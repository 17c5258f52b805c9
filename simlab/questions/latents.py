"""What are the factors that the population's activity is a function of, at each moment of each trial?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.connectivity import activity_level
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share

_EACH = ("trial", "time", "factor")
_R2 = Annotated[float, Within(-10, 2)]
_METRICS = ("r2", "r2_of_truth", "r2_of_answer", "r2_first", "r2_new", "r2_transferred", "n_factors_error")


@dataclass(frozen=True)
class Latents:
    """The latent factors that units share: `latent` (trial, time, factor) at the brief's `times` [s].

    Any affine map of the true factors is as good: both sides are whitened, and each is predicted from the other by the
    best affine map, fitted on some trials and scored on others. So an answer is wrong that misses a factor, and one
    that has more of them than there are. Where units share nothing the truth has no factor, and whatever is
    answered is a false recovery. A truth may state the `condition` of trials: the answer is then also scored in the
    first condition and in the others apart, and by a map that is fitted in the first and scored in the others, which
    shows whether a summary of the one holds for the other.
    """

    name: ClassVar[str] = "latents"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"latent": Variable(_EACH)})
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"latent": Variable(_EACH), "condition": Variable(("trial",), "whole", optional=True)}
    )
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "r2"
    picture: ClassVar[Picture] = Picture("traces", answer="latent", truth="latent")

    # recovered where both reach this; past 1 nothing is
    least_r2_of_truth: _R2 = 0.9
    least_r2_of_answer: _R2 = 0.9
    folds: Annotated[int, Within(2, 100)] = 5  # of trials; of stretches of time where there are fewer trials
    least_true: Share = 0.5  # of the answer's variance must be explained by true factors, or they are falsely claimed

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """`times` [s] in each trial at which the factors are asked for."""
        return {"times": tuple(truth["time"].values.tolist())} if "time" in truth.coords else {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The same factors, whoever is recorded: what too few units do not carry is what the instrument hides."""
        names = [name for name in self.truth_form if name in truth]
        return truth[names].transpose("trial", "time", "factor", missing_dims="ignore")

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics; NaN where one is undefined, as all but the number of factors are where units share nothing.

        r2_of_truth: of the true factors, from the answer. r2_of_answer: of the answer's, from the truth. r2: the lesser
        of both. r2_first, r2_new: of the true factors' variance as it is, not whitened, within the first condition and
        within the others. r2_transferred: the same in the others, by a map that is fitted in the first.
        """
        if finding.abstained:
            return undefined(self.metrics)
        said, true = answer(finding, self, truth)["latent"], truth["latent"].values
        errors = {"n_factors_error": float(said.shape[2] - true.shape[2])}
        if not true.shape[2]:
            return undefined(self.metrics) | errors
        parts = parts_of(true.shape, self.folds)
        both = {
            "r2_of_truth": explained(said, whitened(true), parts),
            "r2_of_answer": explained(true, whitened(said), parts),
        }
        return {"r2": min(both.values())} | both | self._by_condition(said, true, truth) | errors

    def _by_condition(self, said: np.ndarray, true: np.ndarray, truth: xr.Dataset) -> dict[str, float]:
        """`r2_first`, `r2_new` and `r2_transferred`; NaN where trials have one condition or none."""
        condition = truth["condition"].values if "condition" in truth else np.zeros(len(true), int)
        first = condition == condition.min()
        if first.all():
            return undefined(("r2_first", "r2_new", "r2_transferred"))
        within = {
            name: explained(said[some], true[some], parts_of(true[some].shape, self.folds))
            for name, some in (("r2_first", first), ("r2_new", ~first))
        }
        return within | {"r2_transferred": _transferred(said, true, first)}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether truth and answer explain each other well enough."""
        return bool(
            metrics["r2_of_truth"] >= self.least_r2_of_truth and metrics["r2_of_answer"] >= self.least_r2_of_answer
        )

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether factors were claimed that true ones do not explain: where there are none, any."""
        if finding.abstained:
            return False
        said, true = answer(finding, self, truth)["latent"], truth["latent"].values
        if not said.shape[2] or not true.shape[2]:
            return bool(said.shape[2])
        return explained(true, whitened(said), parts_of(true.shape, self.folds)) < self.least_true

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What factors drawn at random explain of new trials on average: nothing, but for what overfitting costs."""
        value = 0.0 if truth.sizes["factor"] else float("nan")
        return {"r2": value, "r2_of_truth": value, "r2_of_answer": value, "n_factors_error": 0.0}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random: as many factors of white noise. marginals_only: see `_marginals_only`."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _marginals_only}


def parts_of(shape: tuple[int, ...], folds: int) -> np.ndarray:
    """(trial, time) the fold of each sample: trials in turn, or stretches of time where there are fewer trials."""
    trials, times = shape[:2]
    if trials >= folds:
        return np.broadcast_to((np.arange(trials) % folds)[:, None], (trials, times))
    return np.broadcast_to(np.arange(times) * folds // max(times, 1), (trials, times))


def explained(given: np.ndarray, wanted: np.ndarray, part: np.ndarray) -> float:
    """Share of the variance of `wanted` (trial, time, factor) that an affine map of `given` predicts in parts left out.

    part: (trial, time) the fold of each sample. A `wanted` that is constant, or without factors, is not explained: 0.
    """
    x, y, fold = _flat(given), _flat(wanted), part.ravel()
    if not y.shape[1]:
        return 0.0
    total = left = 0.0
    for k in np.unique(fold):
        held = fold == k
        predicted = _mapped(x[~held], y[~held], x[held])
        left += float(np.square(y[held] - predicted).sum())
        total += float(np.square(y[held] - y[~held].mean(axis=0)).sum())
    return 1 - left / total if total > 0 else 0.0


def whitened(values: np.ndarray, least: float = 1e-6) -> np.ndarray:
    """Factors (trial, time, factor) centred, rotated and scaled to unit variance; directions of none are dropped.

    least: singular value, relative to the largest, below which there is none.
    """
    centred = _flat(values) - _flat(values).mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    kept = size > max(least * size.max(initial=0.0), 1e-12)
    return (left[:, kept] * np.sqrt(len(centred))).reshape(*values.shape[:2], int(kept.sum()))


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(int(np.prod(values.shape[:2])), values.shape[2]).astype(float)


def _mapped(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The best affine map from x to y (sample, ...), applied to new samples."""
    centre = x.mean(axis=0)
    scale = np.where((spread := x.std(axis=0)) > 0, spread, 1.0)
    slope = np.linalg.lstsq((x - centre) / scale, y - y.mean(axis=0), rcond=1e-10)[0]
    return y.mean(axis=0) + (new - centre) / scale @ slope


def _transferred(said: np.ndarray, true: np.ndarray, first: np.ndarray) -> float:
    """Share of the truth's variance in other trials than the `first` (trial,), by a map that is fitted in these."""
    y = _flat(true[~first])
    left = float(np.square(y - _mapped(_flat(said[first]), _flat(true[first]), _flat(said[~first]))).sum())
    total = float(np.square(y - y.mean(axis=0)).sum())
    return 1 - left / total if total > 0 else float("nan")


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"latent": truth["latent"].values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"latent": rng.standard_normal(truth["latent"].shape)})


def _marginals_only(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    """One factor: the mean level of all units, which is the same at all times; what units do together is not seen."""
    level = float(np.mean(activity_level(recording)))
    return Finding({"latent": np.full((*truth["latent"].shape[:2], 1), level)})
