"""How many dimensions has the population's activity? One whole number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined


@dataclass(frozen=True)
class Dimensionality:
    """The number of independent latents that drive the population."""

    name: ClassVar[str] = "dimensionality"
    form: ClassVar[Mapping[str, Variable]] = {"dimension": Variable((), "whole", low=0)}
    truth_form: ClassVar[Mapping[str, Variable]] = {"dimension": Variable((), "whole", low=0)}
    metrics: ClassVar[tuple[str, ...]] = ("exact", "error")
    headline: ClassVar[str] = "exact"
    picture: ClassVar[Picture] = Picture("scatter", answer="dimension", truth="dimension")

    most: int = 10  # a blind guess lies between 1 and this

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """Nothing: any number may be right."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The same number, however few units are seen."""
        return truth[["dimension"]]

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """exact: 1 or 0. error: how many too many; negative where too few."""
        if finding.abstained:
            return undefined(self.metrics)
        error = float(answer(finding, self, truth)["dimension"] - int(truth["dimension"]))
        return {"exact": float(error == 0), "error": error}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the number is exact."""
        return metrics["exact"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether dimensions were claimed that are not there."""
        return not finding.abstained and self.score(finding, truth)["error"] > 0

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """Of a guess between 1 and `most`."""
        true = int(truth["dimension"])
        return {"exact": float(1 <= true <= self.most) / self.most, "error": (1 + self.most) / 2 - true}

    def baselines(self) -> Mapping[str, BaselineAnswer]:
        """oracle: the truth. random, marginals_only: between 1 and `most`, as single units tell no dimension."""
        return {"oracle": _oracle, "random": self._guess, "marginals_only": self._guess}

    def _guess(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        return Finding({"dimension": int(rng.integers(1, self.most + 1))})


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"dimension": int(truth["dimension"])}, confidence=1.0)
