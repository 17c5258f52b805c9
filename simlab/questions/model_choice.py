"""Which candidate model shares the subject's mechanism? A ranking, from what each did when it was shown the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.candidates import Model, check_models
from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class ModelChoice:
    """Which of the candidate `models`, circuits that were shown what the subject was shown, has its mechanism?

    The brief lists the `candidates` by name, in alphabetical order. What each did in the recorded session stands beside
    the recording: `model_response` (trial, step, model_unit), rates without noise, at `model_time` [s]; `model`
    (model_unit,) is the candidate that each unit belongs to, `model_individual` its individual. A candidate that cannot
    see the stimulus has no unit there.

    The answer is a `score` (candidate,), of any scale: the highest is chosen. `fits` (candidate,), which a method may
    leave out, says which it holds to share the mechanism, and may say none. Right are the models whose circuit's
    mechanism is the subject's: another individual of the same species is; whatever predicts as well and works otherwise
    is not.
    """

    name: ClassVar[str] = "model_choice"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"score": Variable(("candidate",)), "fits": Variable(("candidate",), "flag", optional=True)}
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"label": Variable((), "label")})
    metrics: ClassVar[tuple[str, ...]] = ("correct", "rank", "right_score", "wrong_score", "fits_right", "fits_wrong")
    headline: ClassVar[str] = "correct"
    picture: ClassVar[Picture] = Picture("scatter", answer="score", truth="right")

    models: tuple[Model, ...] = ()
    step: Width = 0.05  # s, that their responses are averaged over

    def __post_init__(self) -> None:
        check_fields(self)
        check_models(self.models)

    def candidates(self) -> tuple[Model, ...]:
        """The models in the order in which they are named."""
        return tuple(sorted(self.models, key=lambda model: model.called))

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """The names of the candidates."""
        return {"candidates": tuple(model.called for model in self.candidates())}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """`right` (candidate,): which models have the subject's mechanism, whatever was recorded of it."""
        label = str(truth["label"].values)
        right = [getattr(model.circuit, "mechanism", "") == label for model in self.candidates()]
        return xr.Dataset({"label": truth["label"], "right": ("candidate", np.array(right, dtype=bool))})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """correct: 1 where a right model scores above every wrong one, else 0; NaN where none is right, or all are.

        rank: 1 and the number of wrong models that score no less than the best right one. right_score, wrong_score: the
        best of each. fits_right, fits_wrong: the share of each that is said to fit.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, right = answer(finding, self, truth), truth["right"].values
        score, scores = given["score"], undefined(self.metrics)
        for name, chosen in (("right", right), ("wrong", ~right)):
            if chosen.any():
                scores[f"{name}_score"] = float(score[chosen].max())
                scores[f"fits_{name}"] = float(given["fits"][chosen].mean()) if "fits" in given else float("nan")
        if right.any() and not right.all():
            above = score[~right] >= scores["right_score"]
            scores |= {"correct": float(not above.any()), "rank": float(1 + above.sum())}
        return scores

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether a right model is first."""
        return metrics["correct"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether a wrong model is first, and not said to be none: the highest must be said to fit where `fits` is."""
        if finding.abstained:
            return False
        given, right = answer(finding, self, truth), truth["right"].values
        best = given["score"] == given["score"].max(initial=-np.inf)
        claimed = best & given.get("fits", np.ones(len(right), dtype=bool))
        return bool((claimed & ~right).any())

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """A ranking at random: as often right as there are right models among the candidates, exact."""
        right = truth["right"].values
        if not right.any() or right.all():
            return undefined(self.metrics)
        n, m = len(right), int(right.sum())
        return {"correct": m / n, "rank": 1 + (n - m) / (m + 1)}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random and marginals_only: a ranking at random, as rates tell nothing of mechanism."""
        return {"oracle": _oracle, "random": _shuffled, "marginals_only": _shuffled}


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    right = truth["right"].values
    return Finding({"score": right.astype(float), "fits": right}, confidence=1.0)


def _shuffled(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    n = truth.sizes["candidate"]
    return Finding({"score": rng.permutation(n).astype(float)}, confidence=1 / n if n else None)
