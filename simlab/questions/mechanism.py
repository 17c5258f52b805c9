"""Which mechanism is it? One label among those of a circuit and its rivals, or none of them, with probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import check_fields
from simlab.rules.quantities import Level

NONE = "none of these"
"""The candidate that is right where the mechanism is not on the list."""


@dataclass(frozen=True)
class Mechanism:
    """Which of the candidates, the mechanisms of a circuit and its rivals, made these data?

    With `outside`, the question is open: mechanisms named there are kept off the list, the list ends with `NONE`, and
    that is the right answer where one of them made the data. A method that always names its best candidate is then
    wrong there, as it is in life; one that asks how well it fits at all need not be.

    The brief lists the `candidates`. The answer is `label`, one of them, and `probability` (candidate,) in their order.
    Without `probability`, the finding's confidence goes to the label and the rest is shared out evenly; without that
    either, the label gets all of it.
    """

    name: ClassVar[str] = "mechanism"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "label": Variable((), "label", choices="candidates"),
            "probability": Variable(("candidate",), optional=True, low=0, high=1),
        }
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"label": Variable((), "label")})
    metrics: ClassVar[tuple[str, ...]] = ("correct", "log_score", "brier", "label_probability")
    headline: ClassVar[str] = "correct"
    separates: ClassVar[bool] = True  # a bound on telling circuit and rival apart is one on this
    picture: ClassVar[Picture] = Picture("confusion", answer="label", truth="label")

    outside: tuple[str, ...] = ()  # mechanisms that are not on the list
    clip: Level = 0.01  # least probability that the log score reads: a sure error costs 4.6 nats, not infinitely many

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """The candidates: the mechanisms of the family, each once, in alphabetical order, and NONE where it is open."""
        listed = sorted({*family, _label(truth)} - {*self.outside, NONE})
        return {"candidates": (*listed, NONE) if self.outside else tuple(listed)}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The label, or NONE where it is kept off the list: no instrument changes it."""
        return truth[["label"]] if _label(truth) not in self.outside else xr.Dataset({"label": NONE})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """correct: 0 or 1. The others need the candidates, and are NaN without them.

        log_score: natural log of the probability given to the true label, at least `clip`, over that of a
        uniform guess: 0 is chance, ln(number of candidates) is sure and right. brier: squared error of the
        probabilities, summed over candidates, 0 to 2. label_probability: what the answered label was given.
        """
        if finding.abstained:
            return undefined(self.metrics)
        right, names, given = _label(truth), _candidates(truth), answer(finding, self, truth)
        scores = undefined(self.metrics) | {"correct": float(given["label"] == right)}
        if not names:
            return scores
        probability = _probability(given, finding.confidence, names)
        outcome = np.array([name == right for name in names], dtype=float)
        return scores | {
            "log_score": float(np.log(max(probability @ outcome, self.clip) * len(names))),
            "brier": float(np.sum((probability - outcome) ** 2)),
            "label_probability": float(probability[names.index(given["label"])]),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the label is right."""
        return metrics["correct"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether another mechanism than the true one was claimed."""
        return not finding.abstained and answer(finding, self, truth)["label"] != _label(truth)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What a uniform guess gets, exact: each of n candidates with probability 1/n."""
        n = len(_candidates(truth))
        if n == 0:
            return undefined(self.metrics)
        return {"correct": 1 / n, "log_score": 0.0, "brier": 1 - 1 / n, "label_probability": 1 / n}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth, surely. random: a label drawn evenly. marginals_only: the same, and has to be.

        Rivals are matched in what single units do (their tests hold them to it), so that rates and variances
        leave a guesser who knows the candidates with the even prior he came with.
        """
        return {"oracle": _oracle, "random": _uniform, "marginals_only": _uniform}


def _probability(given: Mapping[str, Any], confidence: float | None, names: tuple[str, ...]) -> np.ndarray:
    """Over the candidates (candidate,), summing to 1. Raises SimlabError where those given do not."""
    if "probability" in given:
        stated = given["probability"]
        if abs(stated.sum() - 1) > 1e-3:
            raise SimlabError(f"probability must sum to 1 over the candidates, got {stated.tolist()}: normalise it")
        return stated / stated.sum()
    sure = 1.0 if confidence is None else float(confidence)
    rest = (1 - sure) / max(len(names) - 1, 1)
    return np.where(np.arange(len(names)) == names.index(given["label"]), sure, rest)


def _label(truth: xr.Dataset) -> str:
    return str(truth["label"].values)


def _candidates(truth: xr.Dataset) -> tuple[str, ...]:
    return tuple(str(name) for name in truth.attrs.get("brief", {}).get("candidates", ()))


def _guess(label: str, names: tuple[str, ...], probability: np.ndarray) -> Finding:
    return Finding({"label": label, "probability": probability}, confidence=float(probability[names.index(label)]))


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    right, names = _label(truth), _candidates(truth) or (_label(truth),)
    if not _candidates(truth):
        return Finding({"label": right}, confidence=1.0)
    return _guess(right, names, np.array([name == right for name in names], dtype=float))


def _uniform(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    names = _candidates(truth)
    if not names:
        return Finding.abstain("no candidates were given, and a guess needs some")
    return _guess(names[rng.integers(len(names))], names, np.full(len(names), 1 / len(names)))
