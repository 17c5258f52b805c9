"""Of which type is each unit, of whatever types the circuit's neurons have? (Of two types, E and I: `cell_type`.)"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined

MIXED = "mixed"
"""Stands in the projected truth for a unit of which no neuron gives the greater part; it is not asked about."""


@dataclass(frozen=True)
class UnitType:
    """A label per unit, one of the `cell_types` that the brief lists."""

    name: ClassVar[str] = "clock_type"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"cell_type": Variable(("unit",), "label", choices="cell_types")}
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"cell_type": Variable(("neuron",), "label")})
    metrics: ClassVar[tuple[str, ...]] = ("balanced_accuracy", "accuracy", "n_asked")
    headline: ClassVar[str] = "balanced_accuracy"
    picture: ClassVar[Picture] = Picture("confusion", answer="cell_type", truth="cell_type")

    least_accuracy: float = 0.9  # recovered at this balanced accuracy, or above
    least_share: float = 0.5  # of a unit's signal that must come from one neuron, or the unit has no type

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """The `cell_types` that the subject's neurons have, in alphabetical order."""
        return {"cell_types": tuple(sorted({str(label) for label in truth["cell_type"].values}))}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """`cell_type` (unit,): that of the neuron that gives at least `least_share` of the unit, else `MIXED`."""
        share = key.transpose("unit", "neuron").values
        labels = truth["cell_type"].values[share.argmax(axis=1)]
        clear = share.max(axis=1) >= self.least_share - 1e-9
        return xr.Dataset({"cell_type": ("unit", np.where(clear, labels, MIXED).astype(object))})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """balanced_accuracy: the share of each type's units that were named right, averaged over the types there are.

        accuracy: over units. n_asked: units that have a type. NaN where none has.
        """
        if finding.abstained:
            return undefined(self.metrics)
        true, said = self._asked(finding, truth)
        if not len(true):
            return undefined(self.metrics) | {"n_asked": 0.0}
        right = true == said
        recall = [right[true == kind].mean() for kind in set(true)]
        return {
            "balanced_accuracy": float(np.mean(recall)),
            "accuracy": float(right.mean()),
            "n_asked": float(len(true)),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the balanced accuracy reaches `least_accuracy`."""
        return bool(metrics["balanced_accuracy"] >= self.least_accuracy)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether some type was claimed mostly of units that are of another."""
        if finding.abstained:
            return False
        true, said = self._asked(finding, truth)
        return any(np.mean(true[said == kind] != kind) > 0.5 for kind in set(said))

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What labels drawn evenly get, exactly: one in as many as there are types, of every type."""
        types = _types(truth)
        if not types:
            return undefined(("balanced_accuracy", "accuracy"))
        return dict.fromkeys(("balanced_accuracy", "accuracy"), 1 / len(types))

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random: labels drawn evenly. marginals_only: the busiest units are of the rarest type.

        As many as there are of it, since inhibitory neurons are few and fast in most circuits.
        """
        return {"oracle": _oracle, "random": _random, "marginals_only": _busy_and_rare}

    def _asked(self, finding: Finding, truth: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
        """True and answered labels of the units that have a type."""
        true, said = truth["cell_type"].values, answer(finding, self, truth)["cell_type"]
        return true[true != MIXED], said[true != MIXED]


def _types(truth: xr.Dataset) -> tuple[str, ...]:
    """The types on offer; without a brief, those that occur."""
    occurring = sorted({str(label) for label in truth["cell_type"].values} - {MIXED})
    return tuple(truth.attrs.get("brief", {}).get("cell_types", occurring))


def _labels(values: Any) -> Finding:
    return Finding({"cell_type": np.asarray(values, dtype=object)})


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    anything = (*_types(truth), MIXED)[0]  # for units that are not asked about
    return _labels([anything if label == MIXED else label for label in truth["cell_type"].values])


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return _labels(rng.choice(np.array(_types(truth), dtype=object), truth.sizes["unit"]))


def _busy_and_rare(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    from simlab.questions.connectivity import activity_level

    true, types = truth["cell_type"].values, _types(truth)
    ranked = sorted(types, key=lambda kind: int(np.sum(true == kind)))  # the rarest first
    n_rare = int(np.sum(true == ranked[0]))
    labels = np.full(len(true), ranked[-1], dtype=object)
    labels[np.argsort(-activity_level(recording), kind="stable")[:n_rare]] = ranked[0]
    return _labels(labels)
