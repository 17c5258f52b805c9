"""Do two populations do the same? A verdict on whether their states follow one flow, whatever it looks like in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class SharedMechanism:
    """Whether the states of two populations follow flows that are one flow in other coordinates.

    Recordings number the population of each unit in `unit_region`. The answer is `shared`, and where the method has one
    a `similarity`, at most 1. Linear flows are the same up to coordinates if and only if they have the same eigenvalues
    (of which these have no two alike); the truth is `eigenvalue` [1/s] of either population. What states represent, how
    large they are, and the shape of the cloud that they fill, may be alike without it.
    """

    name: ClassVar[str] = "shared_mechanism"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"shared": Variable((), "flag"), "similarity": Variable((), optional=True, low=-1.0, high=1.0)}
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"eigenvalue": Variable(("population", "mode", "part"))}
    )
    metrics: ClassVar[tuple[str, ...]] = ("correct", "stated_similarity", "true_difference")
    headline: ClassVar[str] = "correct"
    picture: ClassVar[Picture] = Picture("confusion", answer="shared", truth="shared")

    tolerance: Annotated[float, Within(0, 1)] = 0.05
    """Greatest difference of two eigenvalues that count as one, as a share of the larger one's size."""

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, object]:
        """Nothing: which population is which stands in the recording."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """`difference` of the flows and `shared`: the populations' own, whoever of them is recorded.

        Raises SimlabError unless there are two populations, and eigenvalues have a real and an imaginary part.
        """
        parts = truth["eigenvalue"].transpose("population", "mode", "part").values
        if parts.shape[0] != 2 or parts.shape[2] != 2:
            raise SimlabError(
                f"a shared mechanism is of 2 populations, with 2 parts of each eigenvalue, got {parts.shape[0]} and "
                f"{parts.shape[2]}"
            )
        apart = flow_difference(*(parts[..., 0] + 1j * parts[..., 1]))
        return xr.Dataset({"difference": apart, "shared": apart <= self.tolerance})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """correct: 0 or 1, of the verdict. stated_similarity: NaN where none is; true_difference: see `project`."""
        if finding.abstained:
            return undefined(self.metrics)
        given = answer(finding, self, truth)
        return {
            "correct": float(bool(given["shared"]) == bool(truth["shared"])),
            "stated_similarity": float(given.get("similarity", np.nan)),
            "true_difference": float(truth["difference"]),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the verdict is right."""
        return metrics["correct"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether one flow is claimed where there are two."""
        if finding.abstained or bool(truth["shared"]):
            return False
        return bool(answer(finding, self, truth)["shared"])

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """A coin's verdict: right half of the time, exact."""
        return {"correct": 0.5}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random and marginals_only: a coin; rates tell nothing."""
        return {"oracle": _oracle, "random": _coin, "marginals_only": _coin}


def flow_difference(one: np.ndarray, other: np.ndarray) -> float:
    """The greatest |a - b| / max(|a|, |b|) of eigenvalues (mode,) matched so that it is least in sum; 1 at least where
    one flow has more of them."""
    from scipy.optimize import linear_sum_assignment

    size = np.maximum(np.maximum(np.abs(one)[:, None], np.abs(other)[None]), 1e-300)
    apart = np.abs(one[:, None] - other[None]) / size
    first, second = linear_sum_assignment(apart)
    return max(float(apart[first, second].max(initial=0.0)), float(len(one) != len(other)))


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"shared": truth["shared"].values}, confidence=1.0)


def _coin(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"shared": bool(rng.random() < 0.5)}, confidence=0.5)
