"""What kind of dynamics holds or moves the activity? One regime of a fixed list, or an abstention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import check_fields

REGIMES = (
    "fixed point",
    "bistable",
    "line attractor",
    "ring attractor",
    "torus attractor",
    "limit cycle",
    "feedforward sequence",
    "non-normal integrator",
    "chaos",
    "driven",
)
"""What a circuit's own dynamics may be, without noise and at the input that its task gives once the cue is over.

fixed point: one stable state. bistable: two or more isolated ones. line, ring, torus attractor: a continuum of them, of
that shape. limit cycle: a stable closed orbit. feedforward sequence: activity is handed on and ends. non-normal
integrator: memory by a hidden feedforward chain, in a network whose states all decay. chaos: a positive Lyapunov
exponent without input. driven: activity follows an input, and there are no recurrent dynamics to speak of.
"""


@dataclass(frozen=True)
class Dynamics:
    """The regime of the recorded circuit's own dynamics, among `REGIMES`, which the brief lists as `candidates`.

    The answer is `label`. A method that cannot tell should abstain: neither right nor wrong.
    """

    name: ClassVar[str] = "dynamics"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"label": Variable((), "label", choices=REGIMES)})
    truth_form: ClassVar[Mapping[str, Variable]] = form
    metrics: ClassVar[tuple[str, ...]] = ("correct",)
    headline: ClassVar[str] = "correct"
    separates: ClassVar[bool] = True  # a bound on telling circuit and rival apart is one on this
    picture: ClassVar[Picture] = Picture("confusion", answer="label", truth="label")

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, object]:
        """The regimes: always all of them, so that the list tells nothing of the subject."""
        return {"candidates": REGIMES}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The label: no instrument changes it. Raises SimlabError where a circuit states one that is not listed."""
        stated = str(truth["label"].values)
        if stated not in REGIMES:
            raise SimlabError(f"dynamics are one of {', '.join(REGIMES)}, got {stated!r}: correct the circuit's truth")
        return truth[["label"]]

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """correct: 0 or 1."""
        if finding.abstained:
            return undefined(self.metrics)
        return {"correct": float(answer(finding, self, truth)["label"] == str(truth["label"].values))}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the label is right."""
        return metrics["correct"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether another regime than the true one was claimed."""
        return not finding.abstained and answer(finding, self, truth)["label"] != str(truth["label"].values)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What a uniform guess gets, exact."""
        return {"correct": 1 / len(REGIMES)}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random and marginals_only: a regime drawn evenly, since single units tell none."""
        return {"oracle": _oracle, "random": _guess, "marginals_only": _guess}


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"label": str(truth["label"].values)}, confidence=1.0)


def _guess(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"label": REGIMES[rng.integers(len(REGIMES))]}, confidence=1 / len(REGIMES))
