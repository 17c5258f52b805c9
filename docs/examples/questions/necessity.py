"""Who is needed for the behaviour? The importance of each unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined


@dataclass(frozen=True)
class Necessity:
    """How much of the behaviour each unit carries: its Shapley value, of any scale; zero for who carries nothing."""

    name: ClassVar[str] = "necessity"
    form: ClassVar[Mapping[str, Variable]] = {"importance": Variable(("unit",))}
    truth_form: ClassVar[Mapping[str, Variable]] = {"importance": Variable(("neuron",))}
    metrics: ClassVar[tuple[str, ...]] = ("spearman", "top_set")
    headline: ClassVar[str] = "spearman"
    picture: ClassVar[Picture] = Picture("scatter", answer="importance", truth="importance")

    least_spearman: float = 0.8  # recovered at this rank correlation, and with the top set exact

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """Nothing: the behaviour stands in the recording."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """Each unit's mixture of its neurons' importance."""
        mixed = key.transpose("unit", "neuron").values @ truth["importance"].values
        return xr.Dataset({"importance": ("unit", mixed)})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """spearman: of true and answered importance. top_set: 1 if the most important, as many as matter, are these."""
        from scipy.stats import spearmanr

        true = truth["importance"].values
        if finding.abstained or np.ptp(true) == 0:
            return undefined(self.metrics)
        said = answer(finding, self, truth)["importance"]
        rank = float(spearmanr(true, said).statistic) if np.ptp(said) else 0.0
        n_top = int((true > 0).sum())
        same = set(np.argsort(-said, kind="stable")[:n_top]) == set(np.flatnonzero(true > 0))
        return {"spearman": rank, "top_set": float(same)}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the order is right enough and the set of those that matter exact."""
        return bool(metrics["spearman"] >= self.least_spearman and metrics["top_set"] == 1.0)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether the unit that was called most important carries nothing."""
        if finding.abstained:
            return False
        return bool(truth["importance"].values[np.argmax(answer(finding, self, truth)["importance"])] <= 0)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """A random order has rank correlation 0, and one in (n choose k) hits the set of k."""
        from scipy.special import comb

        true = truth["importance"].values
        return {"spearman": 0.0, "top_set": 1 / float(comb(len(true), int((true > 0).sum())))}

    def baselines(self) -> Mapping[str, BaselineAnswer]:
        """oracle: the truth. random: a random order. marginals_only: the same: who experiments has seen no rates."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _random}


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"importance": truth["importance"].values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"importance": rng.random(truth.sizes["unit"])})
