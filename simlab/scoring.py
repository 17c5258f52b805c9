"""A finding against the truth: what the lab notes of it, and `simlab.score` for anybody's finding and truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Finding, SimlabError
from simlab.questions.form import check_truth, fixed_sizes, validate
from simlab.registry import question as question_named


@dataclass(frozen=True, eq=False)
class Truth:
    """The truth over neurons, the (unit, neuron) key of what was recorded, and what the question told the method."""

    neurons: xr.Dataset
    key: xr.DataArray
    brief: Mapping[str, Any] = field(default_factory=dict)

    def projected(self, question: Any) -> xr.Dataset:
        """Onto the recorded units, as this question does it; the brief stands in its attrs."""
        return question.project(self.neurons, self.key).assign_attrs(brief=dict(self.brief))


def told(question: Any, family: tuple[str, ...], truth: xr.Dataset, n_units: int) -> dict[str, Any]:
    """All that a question tells a method besides its recording: about the mechanisms, and about the recorded units."""
    of_units = getattr(question, "brief_of_units", None)
    return dict(question.brief(family, truth)) | (dict(of_units(n_units)) if of_units else {})


def verdict(question: Any, finding: Finding, truth: xr.Dataset, *, rival: bool) -> dict[str, Any]:
    """What a validated finding counts as: metrics, chance, `recovered` and, on a rival, `false_recovery`.

    truth: projected. A recovery that is undefined on this truth is None, as is a false recovery off rivals: it is where
    the question's headline is (or its `decisive` metric, if it names one).
    """
    chance = {"chance": question.chance(truth)}
    if finding.abstained:
        return {"status": "abstained", "reason": finding.abstained, **chance}
    metrics = question.score(finding, truth)
    defined = np.isfinite(metrics[getattr(question, "decisive", question.headline)])
    return {
        "status": "ok",
        "reason": "",
        "recovered": float(question.recovered(metrics)) if defined else None,
        "false_recovery": float(question.false_recovery(finding, truth)) if rival else None,
        "confidence": finding.confidence,
        "metrics": metrics,
        **chance,
    }


def score(
    finding: Finding,
    truth: xr.Dataset | Mapping[str, Any],
    question: Any,
    *,
    key: xr.DataArray | None = None,
    brief: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """How right a finding is: the question's metrics, and `recovered` and `false_recovery` (bool).

    truth: the variables of the question's `truth_form`, as a dataset or arrays by name, over the units themselves, or
    over neurons with a `key` (unit, neuron). question: its name, or an instance with other criteria. brief: what a
    closed question offers (`{"candidates": (...)}`). An abstention gives NaN metrics and is neither.
    Raises SimlabError where finding or truth do not have the question's form.
    """
    asked = question_named(question) if isinstance(question, str) else question
    whole = truth if isinstance(truth, xr.Dataset) else _dataset(truth, asked)
    check_truth(whole, asked)
    projected = Truth(whole, _identity(whole) if key is None else key, brief or {}).projected(asked)
    checked = validate(finding, asked, fixed_sizes(projected), brief)
    metrics = asked.score(checked, projected)
    return metrics | {
        "recovered": not checked.abstained and asked.recovered(metrics),
        "false_recovery": asked.false_recovery(checked, projected),
    }


def _dataset(arrays: Mapping[str, Any], question: Any) -> xr.Dataset:
    if strangers := set(arrays) - set(question.truth_form):
        raise SimlabError(
            f"the truth about {question.name} has no {', '.join(sorted(strangers))}; it has "
            f"{', '.join(question.truth_form)}"
        )
    return xr.Dataset({name: (question.truth_form[name].dims, np.asarray(v)) for name, v in arrays.items()})


def _identity(truth: xr.Dataset) -> xr.DataArray:
    """The key of units that are the neurons themselves."""
    n_units = next((truth.sizes[dim] for dim in ("neuron", "pre", "unit") if dim in truth.sizes), 1)
    return xr.DataArray(np.eye(n_units), dims=("unit", "neuron"))
