"""Which features does a population hold? A dictionary of directions, and how much of the activity it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, check_key, undefined
from simlab.rules import Within, check_fields

_METRICS = ("mean_max_cosine", "median_max_cosine", "found", "precision", "n_stated", "n_true", "unexplained")

Cosine = Annotated[float, Within(0, 2)]


@dataclass(frozen=True)
class Features:
    """The directions in which single features move the population.

    The answer is `dictionary` (feature, unit), one direction per row, of any length and in any order, and, where the
    method has them, the `number` of features that it believes in, for the report, and `unexplained`, the share of the
    activity's variance that the dictionary leaves out: kept, so that one can see which answer would have been chosen by
    it. Signs count: features are present or absent.
    """

    name: ClassVar[str] = "features"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "dictionary": Variable(("feature", "unit")),
            "number": Variable((), "whole", optional=True, low=0),
            "unexplained": Variable((), optional=True, low=0.0),
        }
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"dictionary": Variable(("feature", "neuron"))})
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "mean_max_cosine"
    picture: ClassVar[Picture] = Picture("scatter", answer="number", truth="number")

    least_cosine: Cosine = 0.9
    found_at: Cosine = 0.9  # cosine at which a feature counts as found

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """Nothing: how many features there are is part of the question."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """`dictionary` (feature, unit) as it shows in recorded units, each of unit length, and their `number`.

        A feature that moves none of them is left out. Raises SimlabError where key and truth have other neurons."""
        check_key(key, truth)
        seen = truth["dictionary"].transpose("feature", "neuron").values @ key.transpose("neuron", "unit").values
        rows = unit_rows(seen)
        return xr.Dataset({"dictionary": (("feature", "unit"), rows), "number": len(rows)})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics; NaN where one is undefined.

        mean_max_cosine (and median): over true features, the greatest cosine with any row of the answer (Sharkey et al.
        2022). found: the share of them at `found_at` or above. precision: the share of the answer's rows that are so
        close to any true feature.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, true = answer(finding, self, truth), truth["dictionary"].values
        said = unit_rows(given["dictionary"])
        counts = {"n_stated": float(len(said)), "n_true": float(len(true))}
        counts["unexplained"] = float(given.get("unexplained", np.nan))
        if not len(true):
            return undefined(self.metrics) | counts
        cosine = true @ said.T if len(said) else np.zeros((len(true), 1))
        best = cosine.max(axis=1)
        return counts | {
            "mean_max_cosine": float(best.mean()),
            "median_max_cosine": float(np.median(best)),
            "found": float((best >= self.found_at).mean()),
            "precision": float((cosine.max(axis=0) >= self.found_at).mean()) if len(said) else float("nan"),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether `mean_max_cosine` reaches `least_cosine`."""
        return bool(metrics["mean_max_cosine"] >= self.least_cosine)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether a dictionary is stated where there are no features."""
        if finding.abstained or truth.sizes["feature"]:
            return False
        return len(unit_rows(answer(finding, self, truth)["dictionary"])) > 0

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """Nothing in closed form: that of as many random directions is what the baseline `random` gets."""
        return {}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random: as many random directions. marginals_only: the units themselves."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _units}


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Rows of unit length; those of length 0 are left out."""
    length = np.linalg.norm(rows, axis=1)
    return np.asarray(rows[length > 1e-12] / length[length > 1e-12, None])


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({name: truth[name].values for name in ("dictionary", "number")}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"dictionary": rng.standard_normal((max(truth.sizes["feature"], 1), truth.sizes["unit"]))})


def _units(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"dictionary": np.eye(truth.sizes["unit"])})
