"""Which stimulus makes a unit fire? One temporal filter for each unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined


@dataclass(frozen=True)
class ReceptiveField:
    """The filter (lag) through which each unit sees the stimulus, up to its scale."""

    name: ClassVar[str] = "receptive_field"
    form: ClassVar[Mapping[str, Variable]] = {"filter": Variable(("unit", "lag"))}
    truth_form: ClassVar[Mapping[str, Variable]] = {"filter": Variable(("neuron", "lag"))}
    metrics: ClassVar[tuple[str, ...]] = ("cosine", "worst_cosine")
    headline: ClassVar[str] = "cosine"
    picture: ClassVar[Picture] = Picture("filters", answer="filter", truth="filter")

    least_cosine: float = 0.8  # recovered at this median over units

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """How many lags, in steps of the stimulus, the filters have."""
        return {"n_lags": truth.sizes["lag"]}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """Each unit's mixture of its neurons' filters."""
        mixed = key.transpose("unit", "neuron").values @ truth["filter"].transpose("neuron", "lag").values
        return xr.Dataset({"filter": (("unit", "lag"), mixed)})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """Cosine of the angle between true and answered filter: median over units, and the worst."""
        if finding.abstained:
            return undefined(self.metrics)
        found = cosines(answer(finding, self, truth)["filter"], truth["filter"].values)
        return {"cosine": float(np.median(found)), "worst_cosine": float(found.min())}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the median cosine reaches `least_cosine`."""
        return bool(metrics["cosine"] >= self.least_cosine)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether the claimed filters have nothing of the true ones: a median cosine below zero."""
        return not finding.abstained and self.score(finding, truth)["cosine"] < 0

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """Random directions have a cosine of median zero; of the worst of many nothing simple is known."""
        return {"cosine": 0.0}

    def baselines(self) -> Mapping[str, BaselineAnswer]:
        """oracle: the truth. random: random directions. marginals_only: the same, as rates tell no direction."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _random}


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of the angles between the rows of two arrays (unit, lag); zero where a row is."""
    size = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(axis=1) / np.maximum(size, 1e-12)


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"filter": truth["filter"].values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"filter": rng.standard_normal(truth["filter"].shape)})
