"""Which mechanism is it? One label among a circuit and its rivals, with the probability given to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, SimlabError
from simlab.questions.answers import Baseline, undefined


@dataclass(frozen=True)
class Mechanism:
    """A closed question: which of the candidates, a circuit and its rivals, made these data?

    The answer is `label`, one of the recording's candidates, and `probability` (condition,) over the candidates
    in their order. Without `probability`, the finding's confidence goes to the label and the rest is shared out
    evenly; without that either, the label gets all of it.
    """

    name: ClassVar[str] = "mechanism"
    form: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({"label": (), "probability": ("condition",)})
    metrics: ClassVar[tuple[str, ...]] = ("correct", "log_score", "brier", "label_probability")
    headline: ClassVar[str] = "correct"

    clip: float = 0.01  # least probability that the log score reads: a sure error costs 4.6 nats, not infinitely many

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The label, and the candidates in `attrs` where the truth has them: no instrument changes either."""
        kept = truth[["label"]]
        kept.attrs = {"candidates": tuple(truth.attrs["candidates"])} if "candidates" in truth.attrs else {}
        return kept

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """correct: 0 or 1. The others need the candidates, and are NaN without them.

        log_score: natural log of the probability given to the true label, at least `clip`, over that of a
        uniform guess: 0 is chance, ln(number of candidates) is sure and right. brier: squared error of the
        probabilities, summed over candidates, 0 to 2. label_probability: what the answered label was given.
        """
        if finding.abstained:
            return undefined(self.metrics)
        right, names = _label(truth), _candidates(truth)
        answer = self._label(finding, names)
        scores = undefined(self.metrics) | {"correct": float(answer == right)}
        if not names:
            return scores
        probability = self._probability(finding, names)
        outcome = np.array([name == right for name in names], dtype=float)
        return scores | {
            "log_score": float(np.log(max(probability @ outcome, self.clip) * len(names))),
            "brier": float(np.sum((probability - outcome) ** 2)),
            "label_probability": float(probability[names.index(answer)]),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the label is right."""
        return metrics["correct"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether another mechanism than the true one was claimed."""
        return not finding.abstained and self._label(finding, _candidates(truth)) != _label(truth)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What a uniform guess gets, exact: each of n candidates with probability 1/n."""
        n = len(_candidates(truth))
        if n == 0:
            return undefined(self.metrics)
        return {"correct": 1 / n, "log_score": 0.0, "brier": 1 - 1 / n, "label_probability": 1 / n}

    def baselines(self) -> dict[str, Baseline]:
        """oracle: the truth, surely. random: a label drawn evenly. marginals_only: the same, and has to be.

        Rivals are matched in what single units do (their tests hold them to it), so that rates and variances
        leave a guesser who knows the candidates with the even prior he came with.
        """
        return {"oracle": _oracle, "random": _uniform, "marginals_only": _uniform}

    def _label(self, finding: Finding, names: tuple[str, ...]) -> str:
        if "label" not in finding.estimate:
            raise SimlabError(f"a finding on mechanism must give a 'label', got {list(finding.estimate)}")
        label = str(np.asarray(finding.estimate["label"]))
        if names and label not in names:
            raise SimlabError(f"the label must be one of the candidates {', '.join(names)}, got {label!r}")
        return label

    def _probability(self, finding: Finding, names: tuple[str, ...]) -> np.ndarray:
        """Over the candidates (condition,), summing to 1."""
        given = finding.estimate.get("probability")
        if given is not None:
            return _checked_probability(np.asarray(given, dtype=float), len(names))
        sure = 1.0 if finding.confidence is None else float(finding.confidence)
        at = names.index(self._label(finding, names))
        rest = (1 - sure) / max(len(names) - 1, 1)
        return np.where(np.arange(len(names)) == at, sure, rest)


def _checked_probability(given: np.ndarray, n: int) -> np.ndarray:
    proper = given.shape == (n,) and bool(np.isfinite(given).all()) and bool((given >= 0).all())
    if not proper or abs(given.sum() - 1) > 1e-3:
        raise SimlabError(
            f"'probability' must be {n} numbers >= 0, one per candidate, that sum to 1, got {given.tolist()}"
        )
    return given / given.sum()


def _label(truth: xr.Dataset) -> str:
    return str(truth["label"].values)


def _candidates(truth: xr.Dataset) -> tuple[str, ...]:
    return tuple(str(name) for name in truth.attrs.get("candidates", ()))


def _answer(label: str, names: tuple[str, ...], probability: np.ndarray) -> Finding:
    return Finding({"label": label, "probability": probability}, confidence=float(probability[names.index(label)]))


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    right, names = _label(truth), _candidates(truth) or (_label(truth),)
    return _answer(right, names, np.array([name == right for name in names], dtype=float))


def _uniform(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    names = _candidates(truth)
    if not names:
        return Finding.abstain("no candidates were given, and a guess needs some")
    return _answer(names[rng.integers(len(names))], names, np.full(len(names), 1 / len(names)))
