"""Which units are excitatory, which inhibitory? A label per unit, how sure, and leave to say that one does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.questions import ranking
from simlab.questions.connectivity import activity_level
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Share

EXCITATORY, INHIBITORY, OPEN = "E", "I", "?"
"""The labels: the two types, and what a method says of a unit whose type it leaves open."""

TYPES = (EXCITATORY, INHIBITORY)

_METRICS = (
    "balanced_accuracy", "accuracy", "recall_e", "recall_i", "auroc", "coverage", "labelled_balanced_accuracy",
    "false_share_e", "false_share_i", "n_asked", "n_inhibitory",
)  # fmt: skip
_CHANCE = ("balanced_accuracy", "accuracy", "recall_e", "recall_i", "auroc", "labelled_balanced_accuracy")


@dataclass(frozen=True)
class CellType:
    """The sign of what each unit does to others: excitatory (E) or inhibitory (I).

    The answer is `label` (unit,), E, I or ? (the method does not say), and, where the method has it, `score` (unit,),
    the probability that the unit is inhibitory. Units that are no more of one type than of the other, or mostly of
    neither, are not asked about (see `project`).
    """

    name: ClassVar[str] = "cell_type"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "label": Variable(("unit",), "label", choices=(*TYPES, OPEN)),
            "score": Variable(("unit",), optional=True, low=0, high=1),
        }
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"label": Variable(("neuron",), "label")})
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "balanced_accuracy"
    picture: ClassVar[Picture] = Picture("confusion", answer="label", truth="label", left_out="ambiguous")

    # recovered at this balanced accuracy, or above; past 1 nothing is
    least_accuracy: Annotated[float, Within(0, 2)] = 0.9
    least_share: Share = 0.5  # least share of a unit's spikes that neurons of one type must have fired
    most_false: Share = 0.5  # share of the units called E, or called I, that may be of the other type
    prior_inhibitory: Level = 0.2  # of cortical neurons: 15 to 20% (Braitenberg & Schuez 1998; Markram et al. 2015)

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """The `types` that a unit may be of: always the same two."""
        return {"types": TYPES}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """Over unit: `label`, that of the neurons with most weight in the unit; their `share` of it; `ambiguous`.

        Weights are summed over the neurons of a type: a unit merged from two excitatory neurons is excitatory. A unit
        is ambiguous where no type has `least_share`, or both have the same. Raises SimlabError where key and truth are
        not over the same neurons, and where a type is neither E nor I.
        """
        labels = np.asarray(truth["label"].values, dtype=object)
        mixing = np.asarray(key.transpose("unit", "neuron").values, dtype=float)
        if mixing.shape[1:] != labels.shape:
            raise SimlabError(f"the key's {mixing.shape[1]} neurons must be the truth's, who are {len(labels)}")
        if strange := sorted({str(label) for label in labels} - set(TYPES)):
            raise SimlabError(
                f"a neuron's type must be one of {', '.join(TYPES)}, got {', '.join(strange)}: state them"
            )
        excitatory, inhibitory = (mixing @ (labels == kind) for kind in TYPES)
        share = np.maximum(excitatory, inhibitory)
        ambiguous = (share < self.least_share - 1e-9) | (np.abs(excitatory - inhibitory) < 1e-9)
        label = np.where(inhibitory > excitatory, INHIBITORY, EXCITATORY).astype(object)
        found = {"label": label, "share": share, "ambiguous": ambiguous}
        return xr.Dataset({k: ("unit", v) for k, v in found.items()}, {"unit": np.arange(len(mixing))})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics over the units that are asked about; NaN where one is undefined.

        recall_e, recall_i: the share of the truly E (I) units that are called so, a unit left open counting half, which
        is what a coin would get; balanced_accuracy: their mean, NaN where only one type was recorded. So leaving units
        open neither pays nor costs on average, and nothing but ? is chance. accuracy: the same over units.
        labelled_balanced_accuracy: over the units that are labelled; coverage: their share. auroc: of the answer's
        `score`. false_share_e, false_share_i: the share of the units called E (I) that are of the other type.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, asked = answer(finding, self, truth), ~truth["ambiguous"].values
        said, inhibitory = given["label"][asked], (truth["label"].values == INHIBITORY)[asked]
        labelled = said != OPEN
        right = np.where(labelled, (said == INHIBITORY) == inhibitory, 0.5).astype(float)
        recall_e, recall_i = _mean(right[~inhibitory]), _mean(right[inhibitory])
        strict = [_mean(right[labelled & (inhibitory == kind)]) for kind in (False, True)]
        graded = "score" in given and len(said) > 0
        return {
            "balanced_accuracy": (recall_e + recall_i) / 2,
            "accuracy": _mean(right),
            "recall_e": recall_e,
            "recall_i": recall_i,
            "auroc": ranking.auroc(inhibitory, given["score"][asked]) if graded else float("nan"),
            "coverage": _mean(labelled),
            "labelled_balanced_accuracy": sum(strict) / 2,
            "false_share_e": _mean(inhibitory[said == EXCITATORY]),
            "false_share_i": _mean(~inhibitory[said == INHIBITORY]),
            "n_asked": float(len(said)),
            "n_inhibitory": float(inhibitory.sum()),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether balanced accuracy reaches `least_accuracy`; never where only one type was recorded.

        At 0.9 at most a fifth of the units may be left open, and then no other may be wrong.
        """
        return bool(metrics["balanced_accuracy"] >= self.least_accuracy)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether a type was claimed of units more than `most_false` of which are of the other.

        Where nothing tells the types apart, a method that picks out some units as inhibitory does this, as four in five
        of them are not; to leave all open, or to call all E, which goes for most neurons, does not. As with the edges
        of `connectivity`, a single false label will do where there is no right one beside it.
        """
        metrics = self.score(finding, truth)
        return any(metrics[name] > self.most_false for name in ("false_share_e", "false_share_i"))

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What labels drawn with a coin, or none at all, get on average, exactly; NaN where a metric is undefined."""
        inhibitory = (truth["label"].values == INHIBITORY)[~truth["ambiguous"].values]
        there = {"recall_e": (~inhibitory).any(), "recall_i": inhibitory.any(), "accuracy": inhibitory.size > 0}
        both = there["recall_e"] and there["recall_i"]
        return {name: 0.5 if there.get(name, both) else float("nan") for name in _CHANCE}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random: coins. marginals_only: the busiest units are the inhibitory ones.

        As many as `prior_inhibitory` of the units: a blind guesser knows no more than that.
        """
        return {"oracle": _oracle, "random": _random, "marginals_only": self._marginals_only}

    def _marginals_only(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        level = activity_level(recording)
        rank = np.empty(len(level))
        rank[np.lexsort((rng.random(len(level)), level))] = (np.arange(len(level)) + 0.5) / len(level)
        label = np.where(rank > 1 - self.prior_inhibitory, INHIBITORY, EXCITATORY)
        return Finding({"label": label.astype(object), "score": rank})


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    label = np.where(truth["ambiguous"].values, OPEN, truth["label"].values).astype(object)
    score = np.where(label == OPEN, 0.5, label == INHIBITORY).astype(float)
    return Finding({"label": label, "score": score}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    n_units = truth.sizes["unit"]
    label = np.where(rng.random(n_units) < 0.5, INHIBITORY, EXCITATORY).astype(object)
    return Finding({"label": label, "score": rng.random(n_units)})
