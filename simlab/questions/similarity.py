"""Do two populations represent the same? A verdict, and the share of what either encodes that both do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.instruments.placement import dominant_groups
from simlab.questions.form import BaselineAnswer, answer, check_key, undefined
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share

ROUNDING = 1e-9
"""Of the largest singular value: what counts as no direction of its own."""


@dataclass(frozen=True)
class Similarity:
    """Whether two populations that were shown the same stimuli encode the same features of them.

    Recordings number the population of each unit in `unit_region`. The answer is `shared`, and where the method has
    one a `similarity`, at most 1, and negative of what is less alike than by chance. The truth is no method's
    statistic: of the variance that stimuli cause in the noise-free responses of either population, the share that is a
    linear image of the other's, averaged over the two, over all stimuli that those shown are a sample of.
    1: both read the same features, from whatever neurons and in whatever mixture; 0: features of the one say nothing of
    the other's. What both do together without the stimulus (arousal, drift) is no representation.
    """

    name: ClassVar[str] = "similarity"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"shared": Variable((), "flag"), "similarity": Variable((), optional=True, low=-1.0, high=1.0)}
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"readout": Variable(("neuron", "feature")), "population": Variable(("neuron",), "whole", low=0)}
    )
    metrics: ClassVar[tuple[str, ...]] = ("correct", "stated_similarity", "similarity_error", "true_similarity")
    headline: ClassVar[str] = "correct"
    picture: ClassVar[Picture] = Picture("confusion", answer="shared", truth="shared")

    least_shared: Annotated[float, Within(0, 1, excluding=(0,))] = 0.05  # share of the variance that counts as any
    tolerance: Share | None = None  # of the stated similarity, for a recovery; None: the verdict alone counts

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, object]:
        """Nothing: which population is which stands in the recording."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """`similarity` and `shared` of the recorded units of both populations.

        A unit belongs to the population that gives most of its signal; what it takes from the other one is the
        instrument's doing, and is left out. Populations of which no unit was recorded share nothing. Raises SimlabError
        for a key of other neurons, and for more than two populations.
        """
        check_key(key, truth)
        readout = truth["readout"].transpose("neuron", "feature").values
        population = np.asarray(truth["population"].values, dtype=int)
        if population.max(initial=0) > 1:
            raise SimlabError(f"similarity is of two populations, 0 and 1, got {np.unique(population).tolist()}")
        weights, unit = key.transpose("unit", "neuron").values, dominant_groups(key, population)
        seen = [(weights * (population == p))[unit == p] @ readout for p in (0, 1)]
        share = shared_variance(*seen)
        return xr.Dataset({"similarity": share, "shared": share >= self.least_shared})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """correct: 0 or 1, of the verdict. stated_similarity: NaN where none is; similarity_error: it less the truth,
        `true_similarity`."""
        if finding.abstained:
            return undefined(self.metrics)
        given, true = answer(finding, self, truth), float(truth["similarity"])
        stated = float(given.get("similarity", np.nan))
        return {
            "correct": float(bool(given["shared"]) == bool(truth["shared"])),
            "stated_similarity": stated,
            "similarity_error": stated - true,
            "true_similarity": true,
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the verdict is right and, if there is a `tolerance`, the stated similarity within it."""
        near = self.tolerance is None or abs(metrics["similarity_error"]) <= self.tolerance
        return metrics["correct"] == 1.0 and near

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether populations are called alike that share nothing."""
        if finding.abstained or bool(truth["shared"]):
            return False
        return bool(answer(finding, self, truth)["shared"])

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """A coin's verdict: right half of the time, exact."""
        return {"correct": 0.5}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random and marginals_only: a coin, and any similarity; rates tell neither."""
        return {"oracle": _oracle, "random": _coin, "marginals_only": _coin}


def shared_variance(one: np.ndarray, other: np.ndarray) -> float:
    """Share of the variance of noise-free responses that is a linear image of the other population's, both ways.

    one, other: (unit, feature), what each unit's response gains by each feature; features are uncorrelated and of
    variance 1. Responses W s of the one explain P s of the features, with P the projector on the rows of W; so of the
    variance tr(V V') of the other's they explain tr(V P V'). 0 where either has no response at all.
    """
    if not (np.any(one) and np.any(other)):
        return 0.0
    shares = [_explained(a, b) for a, b in ((one, other), (other, one))]
    return float(np.clip(np.mean(shares), 0.0, 1.0))


def _explained(by: np.ndarray, what: np.ndarray) -> float:
    _, size, rows = np.linalg.svd(by, full_matrices=False)
    basis = rows[size > ROUNDING * size.max()]
    return float(((what @ basis.T) ** 2).sum() / (what**2).sum())


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({name: truth[name].values for name in ("shared", "similarity")}, confidence=1.0)


def _coin(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"shared": bool(rng.random() < 0.5), "similarity": float(rng.random())}, confidence=0.5)
