"""Is a unit tuned, to which variable, and to which value of it? A label per unit, and a number where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions import _named_units
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share
from simlab.truths import NOTHING

_METRICS = (
    "f1", "recall", "precision", "false_positive_rate", "called", "n_tuned", "n_untuned", "preferred_within",
    "preferred_error",
)  # fmt: skip


@dataclass(frozen=True)
class Tuning:
    """Which of the candidate variables a unit's rate is a function of, if any, and the value that it prefers.

    The brief lists `variables`: what a unit may be called, `none` among them. The answer is `variable` (unit,) and,
    where the method has it, `preferred` (unit,), the value at which the rate is highest. A unit is asked about
    through the neuron that gives most of its signal. What the variables were in each trial a method reads from the
    recording's stimulus and behaviour, or works out from them, as an experimenter does.
    """

    name: ClassVar[str] = "tuning"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "variable": Variable(("unit",), "label", choices="variables"),
            "preferred": Variable(("unit",), optional=True),
        }
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "variable": Variable(("neuron",), "label"),
            "candidate": Variable(("candidate",), "label"),
        }
    )
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "f1"
    picture: ClassVar[Picture] = Picture("confusion", answer="variable", truth="variable", left_out="unasked")

    least_f1: Share = 0.9
    most_false: Share = 0.2  # of the units without tuning, that may be called tuned: twice what two tests at .05 give
    least_preferred: Share = 0.8  # of the rightly named units, whose preferred value must be within `tolerance`
    tolerance: Annotated[float, Within(0, 1e6)] = 0.1  # in the variable's own unit

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """`variables`: the candidates, in alphabetical order, and `none`."""
        return {"variables": (*sorted(map(str, truth["candidate"].values)), NOTHING)}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """Over unit: `variable` (and `preferred`) of the neuron that gives most of the unit's signal; `unasked` where
        none does. Raises SimlabError where key and truth are not over the same neurons."""
        told, neuron = _named_units.projected(truth, key, "variable")
        if "preferred" not in truth:
            return told
        return told.assign(preferred=("unit", np.where(neuron < 0, np.nan, truth["preferred"].values[neuron])))

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics over the units that are asked about; NaN where one is undefined.

        A unit is rightly named if it is tuned and called by its variable. recall: their share of the tuned units;
        precision: of those called tuned; f1: of both. false_positive_rate: of the untuned units, those that were called
        anything; called: of all units. preferred_error: median absolute error over rightly named units with a preferred
        value; preferred_within: the share of them within `tolerance`, one without an answer being outside.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, asked = answer(finding, self, truth), ~truth["unasked"].values
        said, true = given["variable"][asked], truth["variable"].values[asked]
        found, right = _named_units.scores(said, true)
        error = self._preferred_errors(given, truth, asked, right)
        return found | {
            "n_tuned": float((true != NOTHING).sum()),
            "n_untuned": float((true == NOTHING).sum()),
            "preferred_within": float(np.mean(error <= self.tolerance)) if len(error) else float("nan"),
            "preferred_error": float(np.median(error[np.isfinite(error)]))
            if np.isfinite(error).any()
            else float("nan"),
        }

    @staticmethod
    def _preferred_errors(
        given: Mapping[str, Any], truth: xr.Dataset, asked: np.ndarray, right: np.ndarray
    ) -> np.ndarray:
        """(rightly named unit with a true preferred value,) |stated - true|, inf where none was stated."""
        if "preferred" not in truth:
            return np.empty(0)
        true = truth["preferred"].values[asked][right]
        stated = given["preferred"][asked][right] if "preferred" in given else np.full(len(true), np.inf)
        return np.abs(stated - true)[np.isfinite(true)]

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether `f1` reaches `least_f1` and enough of the preferred values are right, where neurons have any."""
        within = metrics["preferred_within"]
        return bool(metrics["f1"] >= self.least_f1 and (np.isnan(within) or within >= self.least_preferred))

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `most_false` of the units that code nothing were called tuned."""
        return not finding.abstained and self.score(finding, truth)["false_positive_rate"] > self.most_false

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What labels drawn evenly from the brief's `variables` get on average, exactly: recall is 1 over their number.

        f1 is that of the expected counts."""
        n_labels = len(truth.attrs["brief"]["variables"]) if "brief" in truth.attrs else 2
        return _named_units.expected(truth["variable"].values[~truth["unasked"].values], n_labels)

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random, marginals_only: labels drawn evenly, as rates tell nothing."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _random}


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    stated = {name: truth[name].values for name in ("variable", "preferred") if name in truth}
    if "preferred" in stated:
        stated["preferred"] = np.nan_to_num(stated["preferred"])
    return Finding(stated, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"variable": _named_units.drawn(truth, "variables", rng)})
