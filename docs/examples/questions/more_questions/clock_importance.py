"""Which units does a behaviour need? The importance of each, and the set of those that matter most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined


@dataclass(frozen=True)
class UnitImportance:
    """The `importance` of each unit for the mean of the recorded behaviour, in any unit, and the `top` set.

    True importances are Shapley values of the neurons (Shapley 1953): what silencing a neuron takes from the behaviour,
    averaged over all orders in which neurons may be silenced. In the top set are the units of at least `top_share` of
    the greatest importance. Most neurons do nothing, and ties are the truth: give 0 to units of no measurable effect.
    """

    name: ClassVar[str] = "clock_importance"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"importance": Variable(("unit",)), "top": Variable(("unit",), "flag")}
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"importance": Variable(("neuron",))})
    metrics: ClassVar[tuple[str, ...]] = ("spearman", "top_exact", "top_f1")
    headline: ClassVar[str] = "spearman"
    picture: ClassVar[Picture] = Picture("scatter", answer="importance", truth="importance")

    least_spearman: float = 0.8  # recovered at this rank correlation or above, with the top set exact
    top_share: float = 0.5  # of the greatest importance: from here on a unit belongs to the top set
    least_share: float = 0.5  # of a unit's signal that one neuron must give, or silencing the unit is ill defined

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """The `top_share` that defines the top set."""
        return {"top_share": self.top_share}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """`importance` (unit,) of the unit's dominant neuron, `asked` where it has one, and the `top` set."""
        share = key.transpose("unit", "neuron").values
        asked = share.max(axis=1) >= self.least_share - 1e-9
        importance = np.where(asked, truth["importance"].values[share.argmax(axis=1)], 0.0)
        found = {"importance": importance, "asked": asked, "top": top_set(importance, self.top_share)}
        return xr.Dataset({name: ("unit", values) for name, values in found.items()})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """spearman: rank correlation of importances, ties sharing their mean rank; NaN where the true ones are equal.

        top_exact: 1 if the top set is exact, else 0. top_f1: how far the two sets overlap, 2 both / (one + other).
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, asked = answer(finding, self, truth), truth["asked"].values
        true_top, top = truth["top"].values[asked], given["top"][asked]
        sizes = true_top.sum() + top.sum()
        return {
            "spearman": _spearman(truth["importance"].values[asked], given["importance"][asked]),
            "top_exact": float(np.array_equal(true_top, top)),
            "top_f1": float(2 * (true_top & top).sum() / sizes) if sizes else 1.0,
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether Spearman's correlation reaches `least_spearman` and the top set is exact."""
        return bool(metrics["spearman"] >= self.least_spearman and metrics["top_exact"] == 1.0)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether most of the units that were called most important do nothing for the behaviour."""
        if finding.abstained:
            return False
        named = answer(finding, self, truth)["top"] & truth["asked"].values
        return bool(named.any() and np.mean(truth["importance"].values[named] == 0) > 0.5)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What a random order gets whose best, as many as there are, are the top set: exact expectations."""
        n, k = int(truth["asked"].sum()), int(truth["top"].sum())
        if k == 0:
            return undefined(self.metrics)
        return {"spearman": 0.0, "top_exact": 1 / comb(n, k), "top_f1": k / n}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random: a random order. marginals_only: busier units are more important.

        The last two call as many the top set as there are in it.
        """
        return {"oracle": _oracle, "random": _random, "marginals_only": _busiest}


def top_set(importance: np.ndarray, top_share: float) -> np.ndarray:
    """Units (unit,) that have at least this share of the greatest importance; nobody where there is none above 0."""
    greatest = importance.max(initial=0.0)
    return importance >= top_share * greatest if greatest > 0 else np.zeros(len(importance), dtype=bool)


def _spearman(true: np.ndarray, said: np.ndarray) -> float:
    from scipy.stats import rankdata

    if len(true) < 2 or np.ptp(true) == 0:
        return float("nan")
    if np.ptp(said) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(true), rankdata(said))[0, 1])


def _ranked(importance: np.ndarray, truth: xr.Dataset) -> Finding:
    """The finding whose top set are the best of the asked units, as many as there truly are."""
    places = np.argsort(np.where(truth["asked"].values, -importance, np.inf), kind="stable")
    top = np.zeros(len(importance), dtype=bool)
    top[places[: int(truth["top"].sum())]] = True
    return Finding({"importance": importance, "top": top})


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"importance": truth["importance"].values, "top": truth["top"].values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return _ranked(rng.random(truth.sizes["unit"]), truth)


def _busiest(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    from simlab.questions.connectivity import activity_level

    return _ranked(activity_level(recording), truth)
