"""In how many dimensions does the population move? One whole number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined


@dataclass(frozen=True)
class Dimensionality:
    """The dimension of the linear space in which the noise-free rates move; 0 where they stand still."""

    name: ClassVar[str] = "clock_dimensionality"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"dimension": Variable((), "whole", low=0)})
    truth_form: ClassVar[Mapping[str, Variable]] = form
    metrics: ClassVar[tuple[str, ...]] = ("exact", "error")
    headline: ClassVar[str] = "exact"
    picture: ClassVar[Picture] = Picture("scatter", answer="dimension", truth="dimension")

    most: int = 10  # a blind guesser draws evenly from 1 to this

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """Nothing: any number may be right."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The same number, or the number of units where they are fewer: more cannot be seen in them."""
        return truth[["dimension"]].clip(max=key.sizes["unit"])

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """exact: 1 if the number is right, else 0. error: how far off it is, either way."""
        if finding.abstained:
            return undefined(self.metrics)
        off = abs(self._number(finding, truth) - _true(truth))
        return {"exact": float(off == 0), "error": float(off)}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the number is exact."""
        return metrics["exact"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether dimensions were claimed beyond those that there are."""
        return not finding.abstained and self._number(finding, truth) > _true(truth)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What a number drawn evenly from 1 to `most` gets, exactly."""
        off = np.abs(np.arange(1, self.most + 1) - _true(truth))
        return {"exact": float(np.mean(off == 0)), "error": float(off.mean())}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random: a number drawn evenly. marginals_only: that of independent units.

        From variances alone it is their participation ratio, (sum v)^2 / sum v^2, as if no two units were correlated.
        """
        return {"oracle": _oracle, "random": self._random, "marginals_only": _as_if_independent}

    def _random(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        return Finding({"dimension": int(rng.integers(1, self.most + 1))}, confidence=1 / self.most)

    def _number(self, finding: Finding, truth: xr.Dataset) -> int:
        return int(answer(finding, self, truth)["dimension"])


def _true(truth: xr.Dataset) -> int:
    return int(truth["dimension"])


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"dimension": _true(truth)}, confidence=1.0)


def _as_if_independent(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    from simlab.data import signals

    seen = signals(recording, min(0.1, recording.attrs["duration"]))
    variance = np.nan_to_num(seen.var(["trial", "time"]).values)
    if not variance.any():
        return Finding({"dimension": 0})
    return Finding({"dimension": round(float(variance.sum() ** 2 / (variance**2).sum()))})
