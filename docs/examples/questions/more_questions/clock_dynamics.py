"""What kind of dynamics holds the activity up? One label among the regimes that theory knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined

REGIMES = (
    "fixed point", "bistable", "line attractor", "ring attractor", "torus attractor", "limit cycle",
    "feedforward sequence", "non-normal integrator", "chaos",
)  # fmt: skip


@dataclass(frozen=True)
class Dynamics:
    """The regime of the population's own dynamics, whatever drives it: one of `REGIMES`, which the brief lists."""

    name: ClassVar[str] = "clock_dynamics"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"regime": Variable((), "label", choices=REGIMES)})
    truth_form: ClassVar[Mapping[str, Variable]] = form
    metrics: ClassVar[tuple[str, ...]] = ("correct", "log_score")
    headline: ClassVar[str] = "correct"
    picture: ClassVar[Picture] = Picture("confusion", answer="regime", truth="regime")

    clip: float = 0.01  # least probability that the log score reads: a sure error costs 4.6 nats, not infinitely many

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """The `regimes` to choose from; the same for every circuit."""
        return {"regimes": REGIMES}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The label: no instrument changes it."""
        return truth[["regime"]]

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """correct: 0 or 1. log_score: of the probability that was given to the truth, against an even guess (nats).

        The finding's confidence goes to its label and the rest evenly to the others; NaN where it states none.
        """
        if finding.abstained:
            return undefined(self.metrics)
        right = self._label(finding, truth) == _true(truth)
        scores = undefined(self.metrics) | {"correct": float(right)}
        if finding.confidence is not None:
            given = finding.confidence if right else (1 - finding.confidence) / (len(REGIMES) - 1)
            scores["log_score"] = float(np.log(max(given, self.clip) * len(REGIMES)))
        return scores

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the label is right."""
        return metrics["correct"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether another regime than the true one was claimed."""
        return not finding.abstained and self._label(finding, truth) != _true(truth)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What an even guess gets, exactly."""
        return {"correct": 1 / len(REGIMES), "log_score": 0.0}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth, surely. random: a label drawn evenly. marginals_only: the same, and has to be.

        Units' rates and variances are alike in regimes of every kind; what tells them apart is how activity moves.
        """
        return {"oracle": _oracle, "random": _guess, "marginals_only": _guess}

    def _label(self, finding: Finding, truth: xr.Dataset) -> str:
        return str(answer(finding, self, truth)["regime"])


def _true(truth: xr.Dataset) -> str:
    return str(truth["regime"].values)


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"regime": _true(truth)}, confidence=1.0)


def _guess(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"regime": REGIMES[rng.integers(len(REGIMES))]}, confidence=1 / len(REGIMES))
