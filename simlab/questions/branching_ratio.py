"""How many spikes does a spike cause? The branching ratio of activity that propagates from step to step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions._scalars import NAN, covered, form_of, width
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class BranchingRatio:
    """The mean number of spikes, in the next step, that one spike causes in the whole network.

    A ratio belongs to a step: the brief tells its length, `step` [s]. The answer is `ratio` and, where a method has
    one, its 95% interval `low` to `high`. Neurons that do not excite one another have the ratio 0, however much their
    activity looks as if they did. An answer off by more than `tolerance` is no recovery, and a false claim.
    """

    name: ClassVar[str] = "branching_ratio"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(form_of("ratio"))
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"ratio": Variable((), low=0), "step": Variable((), low=0)}
    )
    metrics: ClassVar[tuple[str, ...]] = ("within", "ratio", "error", "error_size", "covered", "interval_width")
    headline: ClassVar[str] = "within"
    picture: ClassVar[Picture] = Picture("scatter", answer="ratio", truth="ratio")

    tolerance: Annotated[float, Within(0, 1, excluding=(0,))] = 0.02

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, object]:
        """The length of a `step` [s], which is a convention and no finding."""
        return {"step": float(truth["step"])}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The whole network's ratio, whatever part of it was seen."""
        return truth[["ratio", "step"]]

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """within: 0 or 1; ratio: the answer; error: answer minus truth."""
        if finding.abstained:
            return undefined(self.metrics)
        given, true = answer(finding, self, truth), float(truth["ratio"])
        error = float(given["ratio"]) - true
        return {
            "within": float(abs(error) <= self.tolerance),
            "ratio": float(given["ratio"]),
            "error": error,
            "error_size": abs(error),
            "covered": covered(given, true),
            "interval_width": width(given),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the answer lies within the tolerance."""
        return metrics["within"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether a ratio was stated that is not this circuit's."""
        return not finding.abstained and not self.recovered(self.score(finding, truth))

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What a guess spread evenly over 0 to 1 gets on average, exact; it states no interval."""
        true = float(truth["ratio"])
        low, high = np.clip([true - self.tolerance, true + self.tolerance], 0.0, 1.0)
        inside = min(true, 1.0)
        return {
            "within": float(high - low),
            "ratio": 0.5,
            "error": 0.5 - true,
            "error_size": float(inside**2 / 2 + (1 - inside) ** 2 / 2 + (true - inside)),
            "covered": NAN,
            "interval_width": NAN,
        }

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random and marginals_only: a blind guess, as rates and variances do not propagate."""
        return {"oracle": _oracle, "random": _guess, "marginals_only": _guess}


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    true = float(truth["ratio"])
    return Finding({"ratio": true, "low": true, "high": true}, confidence=1.0)


def _guess(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"ratio": float(rng.random())})
