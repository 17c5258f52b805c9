"""What kind of dynamics does the population have? One label from a fixed list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined

KINDS = (
    "fixed point", "bistable", "line attractor", "ring attractor", "torus attractor", "limit cycle",
    "feedforward sequence", "non-normal integrator", "chaos",
)  # fmt: skip


@dataclass(frozen=True)
class Dynamics:
    """One of nine kinds; a method that cannot tell should abstain."""

    name: ClassVar[str] = "dynamics"
    form: ClassVar[Mapping[str, Variable]] = {"label": Variable((), "label", choices=KINDS)}
    truth_form: ClassVar[Mapping[str, Variable]] = {"label": Variable((), "label", choices=KINDS)}
    metrics: ClassVar[tuple[str, ...]] = ("correct",)
    headline: ClassVar[str] = "correct"
    picture: ClassVar[Picture] = Picture("confusion", answer="label", truth="label")

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """The nine kinds."""
        return {"kinds": KINDS}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The same label: no instrument changes it."""
        return truth[["label"]]

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """1 where the label is right, else 0."""
        if finding.abstained:
            return undefined(self.metrics)
        return {"correct": float(answer(finding, self, truth)["label"] == str(truth["label"].values))}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the label is right."""
        return metrics["correct"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether another kind was claimed."""
        return not finding.abstained and not self.recovered(self.score(finding, truth))

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """One in nine."""
        return {"correct": 1 / len(KINDS)}

    def baselines(self) -> Mapping[str, BaselineAnswer]:
        """oracle: the truth. random, marginals_only: any of the nine, as single units tell no dynamics."""
        return {"oracle": _oracle, "random": _any, "marginals_only": _any}


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"label": str(truth["label"].values)}, confidence=1.0)


def _any(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"label": KINDS[rng.integers(len(KINDS))]}, confidence=1 / len(KINDS))
