"""Who is excitatory, who inhibitory? One label for each unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined

NOBODY = ""
"""The true label of a unit that is mostly of no one neuron: it is not asked about."""


@dataclass(frozen=True)
class CellType:
    """E or I for each unit; a unit without a dominant neuron has neither, and any answer passes."""

    name: ClassVar[str] = "cell_type"
    form: ClassVar[Mapping[str, Variable]] = {"label": Variable(("unit",), "label", choices=("E", "I"))}
    truth_form: ClassVar[Mapping[str, Variable]] = {"label": Variable(("neuron",), "label")}
    metrics: ClassVar[tuple[str, ...]] = ("balanced_accuracy", "accuracy")
    headline: ClassVar[str] = "balanced_accuracy"
    picture: ClassVar[Picture] = Picture("confusion", answer="label", truth="label")

    least_accuracy: float = 0.9  # recovered at this balanced accuracy
    dominant_share: float = 0.5  # of a unit's signal, from which on it is one neuron's

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """Nothing: the two types are known."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The type of each unit's dominant neuron."""
        share = key.transpose("unit", "neuron").values
        label = truth["label"].values.astype(object)[share.argmax(axis=1)]
        return xr.Dataset({"label": ("unit", np.where(share.max(axis=1) >= self.dominant_share, label, NOBODY))})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """Share right, of all units that are asked about and averaged over the two types."""
        true = truth["label"].values.astype(str)
        asked = true != NOBODY
        if finding.abstained or not asked.any():
            return undefined(self.metrics)
        right = (answer(finding, self, truth)["label"].astype(str) == true)[asked]
        per_type = [right[true[asked] == kind].mean() for kind in np.unique(true[asked])]
        return {"balanced_accuracy": float(np.mean(per_type)), "accuracy": float(right.mean())}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the balanced accuracy reaches `least_accuracy`."""
        return bool(metrics["balanced_accuracy"] >= self.least_accuracy)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether the labels are worse than a coin."""
        return not finding.abstained and self.score(finding, truth)["balanced_accuracy"] < 0.5

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """A coin: half of either type."""
        return {"balanced_accuracy": 0.5, "accuracy": 0.5}

    def baselines(self) -> Mapping[str, BaselineAnswer]:
        """oracle: the truth. random: a coin. marginals_only: the busier half is inhibitory."""
        return {"oracle": _oracle, "random": _coin, "marginals_only": _busier_half}


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    true = truth["label"].values.astype(str)
    return Finding({"label": np.where(true == NOBODY, "E", true)}, confidence=1.0)


def _coin(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"label": rng.choice(["E", "I"], truth.sizes["unit"])})


def _busier_half(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    from simlab.data import mean_rates

    rate = mean_rates(recording)
    return Finding({"label": np.where(rate > np.median(rate), "I", "E")})
