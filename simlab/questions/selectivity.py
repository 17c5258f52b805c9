"""Is a unit selective for one concept, whatever picture shows it, and for which? A label per unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions import _named_units, ranking
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import check_fields
from simlab.rules.quantities import Share
from simlab.truths import NOTHING

_METRICS = (
    "f1", "recall", "precision", "false_positive_rate", "called", "n_called", "concepts_of_called", "n_selective",
    "n_unselective",
)  # fmt: skip


@dataclass(frozen=True)
class Selectivity:
    """Which one of the concepts that were shown a unit responds to, if it responds to one concept and to nothing else.

    A neuron is selective for a concept if what it would do without noise is a function of that concept alone: alike for
    all its pictures, shown or not, and at rest for all pictures of all other concepts that the subject knows, shown or
    not. Everything else is `none`: part detectors, mixed and distributed codes, and cells of a concept that was not
    shown. A neuron that responds to one of those shown and to hundreds that were not is none as well.

    The brief lists `concepts`: what a unit may be called, `none` among them; and `pictures`: the concept of each
    picture, by the number that the recording's stimulus has for it. The answer is `concept` (unit,). A unit is asked
    about through the neuron that gives most of its signal.
    """

    name: ClassVar[str] = "selectivity"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"concept": Variable(("unit",), "label", choices="concepts")}
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "concept": Variable(("neuron",), "label"),
            "number": Variable(("neuron",), "whole", low=0),
            "shown": Variable(("picture",), "label"),
        }
    )
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "f1"
    picture: ClassVar[Picture] = Picture("confusion", answer="concept", truth="concept", left_out="unasked")

    least_f1: Share = 0.9
    most_false: Share = 0.05  # of the units that are selective for nothing shown, that may be called so: one test's .05

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """`concepts`: those that were shown, in alphabetical order, and `none`; `pictures`: the concept of each."""
        shown = tuple(str(name) for name in truth["shown"].values)
        return {"concepts": (*sorted(set(shown)), NOTHING), "pictures": shown}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """Over unit: `concept` and `number` of the neuron that gives most of the unit's signal; `unasked` where none
        does. Raises SimlabError where key and truth are not over the same neurons."""
        told, neuron = _named_units.projected(truth, key, "concept")
        return told.assign(number=("unit", np.where(neuron < 0, 0, truth["number"].values[neuron])))

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics over the units that are asked about; NaN where one is undefined.

        f1, recall, precision, false_positive_rate and called as in `tuning` (`simlab.questions._named_units.scores`): a
        unit is rightly named if it is selective and called by its concept. n_called: how many were called anything;
        concepts_of_called: to how many of the concepts that are known they respond, on average; 1 if all are right.
        """
        if finding.abstained:
            return undefined(self.metrics)
        asked = ~truth["unasked"].values
        said, true = answer(finding, self, truth)["concept"][asked], truth["concept"].values[asked]
        n_called = (said != NOTHING).sum()
        return _named_units.scores(said, true)[0] | {
            "n_called": float(n_called),
            "concepts_of_called": ranking.ratio(truth["number"].values[asked][said != NOTHING].sum(), n_called),
            "n_selective": float((true != NOTHING).sum()),
            "n_unselective": float((true == NOTHING).sum()),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether `f1` reaches `least_f1`."""
        return bool(metrics["f1"] >= self.least_f1)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `most_false` of the units that are selective for nothing shown were called so."""
        return not finding.abstained and self.score(finding, truth)["false_positive_rate"] > self.most_false

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What labels drawn evenly from the brief's `concepts` get on average, exactly; f1 is that of the expected
        counts."""
        n_labels = len(truth.attrs["brief"]["concepts"]) if "brief" in truth.attrs else 2
        return _named_units.expected(truth["concept"].values[~truth["unasked"].values], n_labels)

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random, marginals_only: labels drawn evenly, as rates tell nothing."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _random}


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"concept": truth["concept"].values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"concept": _named_units.drawn(truth, "concepts", rng)})
