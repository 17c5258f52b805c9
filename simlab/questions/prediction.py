"""How would cells respond to what they were never shown? Prediction as such, kept beside questions of mechanism."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.candidates import Model, check_models
from simlab.contracts import Finding, Picture, Variable
from simlab.questions import ranking
from simlab.questions.form import BaselineAnswer, answer, check_key, undefined
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width

_METRICS = ("correlation", "r2", "worst_correlation", "foretold", "noise_ceiling", "n_driven")


@dataclass(frozen=True)
class Prediction:
    """The `response` (presentation, unit) to stimuli that were not in the recording, in spikes or rate per second.

    The brief shows them: `unseen`, a row of the recording's features for each of `presentations`, and `interval` [s],
    for how long each would be shown. The truth is what the cells do but for noise, so that a perfect answer correlates
    by 1: no noise ceiling is needed. `noise_ceiling` says what it would correlate by with single noisy presentations,
    as an experimenter would measure it. A method that predicts may be wrong about all else.

    `models`, candidates as of `model_choice`, may be given: their responses then stand beside the recording, and a rig
    tells those to the unseen stimuli (`rig.foretell`).
    """

    name: ClassVar[str] = "prediction"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"response": Variable(("presentation", "unit"))})
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "unseen": Variable(("presentation", "feature")),
            "rate": Variable(("presentation", "neuron")),
            "interval": Variable((), low=0),
        }
    )
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "correlation"
    picture: ClassVar[Picture | None] = None

    models: tuple[Model, ...] = ()
    step: Width = 1 / 30  # s, that their responses are averaged over
    least_correlation: Annotated[float, Within(0, 2)] = 0.8
    least_depth: Annotated[float, Within(0, 100)] = 0.3  # of a stated response: its spread over its mean, to claim one

    def __post_init__(self) -> None:
        check_fields(self)
        check_models(self.models)

    def candidates(self) -> tuple[Model, ...]:
        """The models in the order in which they are named."""
        return tuple(sorted(self.models, key=lambda model: model.called))

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """What would be shown, and the names of the candidates."""
        unseen = truth["unseen"].transpose("presentation", "feature").values
        return {
            "presentations": tuple(range(len(unseen))),
            "unseen": tuple(tuple(map(float, row)) for row in unseen),
            "interval": float(truth["interval"]),
            "candidates": tuple(model.called for model in self.candidates()),
        }

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """`response` (presentation, unit): the rates of a unit's neurons, each by its share of the signal; `interval`.

        Raises SimlabError where key and truth are not over the same neurons.
        """
        check_key(key, truth)
        rate = truth["rate"].transpose("presentation", "neuron").values
        seen = rate @ key.transpose("neuron", "unit").values
        index = {"presentation": np.arange(len(seen)), "unit": np.arange(seen.shape[1])}
        return xr.Dataset({"response": (("presentation", "unit"), seen), "interval": truth["interval"]}, index)

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """Medians over the units whose true response varies; NaN where there is none.

        correlation: of stated and true responses over presentations; 0 where a constant is stated. r2: 1 less the
        squared error over the variance. worst_correlation: of the worst unit. foretold: the share of units above
        `least_correlation`. noise_ceiling: what the truth itself would correlate by with Poisson counts of single
        presentations. n_driven: these units.
        """
        if finding.abstained:
            return undefined(self.metrics)
        said, true = answer(finding, self, truth)["response"], truth["response"].values
        driven = np.ptp(true, axis=0) > 1e-9 * np.abs(true).max(axis=0, initial=0.0) + 1e-300
        if not driven.any():
            return undefined(self.metrics) | {"n_driven": 0.0}
        said, true = said[:, driven], true[:, driven]
        r, variance = correlations(said, true), true.var(axis=0)
        noise = np.abs(true.mean(axis=0)) / float(truth["interval"])  # of a count over the interval, as a rate
        return {
            "correlation": float(np.median(r)),
            "r2": float(np.median(1 - np.square(said - true).mean(axis=0) / variance)),
            "worst_correlation": float(r.min()),
            "foretold": ranking.ratio((r >= self.least_correlation).sum(), len(r)),
            "noise_ceiling": float(np.median(np.sqrt(variance / (variance + noise)))),
            "n_driven": float(len(r)),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the median correlation reaches `least_correlation`."""
        return bool(metrics["correlation"] >= self.least_correlation)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether most units are said to vary by `least_depth` or more, though nothing that varies is foretold."""
        if finding.abstained:
            return False
        said = answer(finding, self, truth)["response"]
        depth = said.std(axis=0) / np.maximum(np.abs(said.mean(axis=0)), 1e-12)
        found = self.score(finding, truth)["correlation"]
        return bool(np.median(depth) >= self.least_depth and not found >= self.least_correlation / 2)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """Responses of other stimuli correlate by 0 on average, exactly."""
        return {"correlation": 0.0}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random: that of other presentations. marginals_only: each unit's true mean, always."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _means}


def correlations(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(unit,): of two tables (presentation, unit); 0 where one is constant."""
    a, b = said - said.mean(axis=0), true - true.mean(axis=0)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), size, out=np.zeros(a.shape[1]), where=size > 1e-12)


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"response": truth["response"].values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"response": rng.permuted(truth["response"].values, axis=0)})


def _means(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    true = truth["response"].values
    return Finding({"response": np.broadcast_to(true.mean(axis=0), true.shape).copy()})
