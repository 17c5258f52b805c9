"""Which stimuli does a unit's rate depend on? One filter, or two, over the stimulus's features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.instruments.placement import dominant_neurons
from simlab.questions import ranking
from simlab.questions.form import BaselineAnswer, answer, check_key, undefined
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share

NAMES = ("filter", "second_filter")

_METRICS = (
    "overlap", "worst_overlap", "found", "false_positive_rate", "misleading", "second_found", "second_false",
    "n_visual",
)  # fmt: skip

HALF = 0.5
"""Of an overlap: a unit whose filter is stated with less is hardly driven by it, half-squared to a quarter at most."""


@dataclass(frozen=True)
class ReceptiveField:
    """The filters that stand between stimulus and rate, of each unit; zeros for a unit that depends on none.

    The answer is `filter` (unit, feature) in the order of the recording's features and, where the method looks for
    one, `second_filter` (unit, feature): the two span what the rate depends on. Lengths do not count. A unit is asked
    about through the neuron that gives most of its signal.
    """

    name: ClassVar[str] = "receptive_field"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "filter": Variable(("unit", "feature")),
            "second_filter": Variable(("unit", "feature"), optional=True),
        }
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"filter": Variable(("neuron", "feature")), "second_filter": Variable(("neuron", "feature"), optional=True)}
    )
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "overlap"
    picture: ClassVar[Picture] = Picture("filters", answer="filter", truth="filter")

    least_overlap: Annotated[float, Within(0, 2)] = 0.8
    most_false: Share = 0.2  # of the units that depend on nothing shown, that may be given a filter

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """Nothing: the features are named in the recording."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """Both filters over (unit, feature): those of the neuron that gives most of the unit's signal, zero for none.

        Raises SimlabError where key and truth are not over the same neurons."""
        check_key(key, truth)
        neuron = dominant_neurons(key)
        there = {name: truth[name].transpose("neuron", "feature").values for name in NAMES if name in truth}
        told = {name: np.where(neuron[:, None] < 0, 0.0, values[neuron]) for name, values in there.items()}
        told.setdefault("second_filter", np.zeros_like(told["filter"]))
        found = {k: (("unit", "feature"), v, truth["filter"].attrs) for k, v in told.items()}
        return xr.Dataset(found, {"unit": np.arange(len(neuron))})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics over units; NaN where one is undefined.

        overlap: median over the units that depend on the frames of: the root of the sum of squared cosines of the
        principal angles between true and stated filters, over the greater of their numbers; of one filter each the
        cosine, with its sign; 0 where none is stated. found: the share of these units that were given any.
        false_positive_rate: the same of those that depend on nothing. misleading: of all units that were given a
        filter, those that depend on nothing or on others, with an overlap below one half. second_found (second_false):
        of the units with two true filters (with one), those that were given two.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given = answer(finding, self, truth)
        said, true = (_pairs(given, truth["filter"].shape), _pairs(truth, truth["filter"].shape))
        n_said, n_true = ((np.abs(f).max(axis=2) > 0).sum(axis=0) for f in (said, true))
        visual = n_true > 0
        overlap = np.array([_overlap(said[:, unit], true[:, unit]) for unit in np.flatnonzero(visual)])
        any_visual, given_any = bool(visual.any()), n_said > 0
        astray = ~visual
        astray[visual] = overlap < HALF
        return {
            "overlap": float(np.median(overlap)) if any_visual else float("nan"),
            "worst_overlap": float(overlap.min()) if any_visual else float("nan"),
            "found": ranking.ratio((n_said[visual] > 0).sum(), visual.sum()),
            "false_positive_rate": ranking.ratio((n_said[~visual] > 0).sum(), (~visual).sum()),
            "misleading": ranking.ratio((given_any & astray).sum(), given_any.sum()),
            "second_found": ranking.ratio((n_said[n_true == 2] == 2).sum(), (n_true == 2).sum()),
            "second_false": ranking.ratio((n_said[n_true == 1] == 2).sum(), (n_true == 1).sum()),
            "n_visual": float(visual.sum()),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the median overlap reaches `least_overlap`."""
        return bool(metrics["overlap"] >= self.least_overlap)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `most_false` of the units that depend on nothing shown were given a filter."""
        return not finding.abstained and self.score(finding, truth)["false_positive_rate"] > self.most_false

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """The median cosine with a random direction is 0, exactly; every unit is given one."""
        return {"overlap": 0.0, "found": 1.0, "false_positive_rate": 1.0}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random and marginals_only: one random direction for each unit."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _random}


def _pairs(holder: Any, shape: tuple[int, ...]) -> np.ndarray:
    """(2, unit, feature): both filters, zeros for one that is not there."""
    return np.stack([np.asarray(holder[name]) if name in holder else np.zeros(shape) for name in NAMES])


def _overlap(said: np.ndarray, true: np.ndarray) -> float:
    """Of two sets (2, feature) of which some may be zero; signed where both have one."""
    said, true = (part[np.abs(part).max(axis=1) > 0] for part in (said, true))
    if not len(said):
        return 0.0
    if len(said) == len(true) == 1:
        return float(said[0] @ true[0] / (np.linalg.norm(said[0]) * np.linalg.norm(true[0])))
    frames = [np.linalg.svd(part, full_matrices=False)[2] for part in (said, true)]
    squares = np.linalg.svd(frames[0] @ frames[1].T, compute_uv=False) ** 2
    return float(np.sqrt(squares.sum() / max(len(said), len(true))))


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({name: truth[name].values for name in NAMES}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"filter": rng.standard_normal(truth["filter"].shape)})
