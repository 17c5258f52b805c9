"""Which area does what? A behaviour that it serves alone, something that all of them need, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.instruments.placement import dominant_groups
from simlab.questions import ranking
from simlab.questions.connectivity import activity_level
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share
from simlab.truths import GENERIC, NOTHING, behaviour

_METRICS = (
    "balanced_accuracy", "region_accuracy", "accuracy", "false_specific", "generic_called_specific",
    "specific_called_generic", "found_needed", "n_asked", "n_regions",
)  # fmt: skip


@dataclass(frozen=True)
class Localisation:
    """The function of the area that each unit belongs to, one label per unit.

    Labels: `behaviour k` (the area serves the behaviour of condition k and no other that the animal is capable of),
    `generic` (it serves several, or any that nobody watched) and `none` (nothing that the animal is capable of needs
    it). Which behaviours an animal was watched in decides what a lesion seems
    to say: an area that one of three of them needs looks specific to it, and is generic if a fourth would need it too
    (Jonas & Kording 2017). Recordings number areas in `unit_region`; units of one area may get different labels.
    """

    name: ClassVar[str] = "localisation"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"function": Variable(("unit",), "label", choices="functions")}
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "function": Variable(("neuron",), "label"),
            "area": Variable(("neuron",), "whole", optional=True, low=0),
            "n_behaviours": Variable((), "whole", low=1),
        }
    )
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "balanced_accuracy"
    picture: ClassVar[Picture] = Picture("confusion", answer="function", truth="function", left_out="ambiguous")

    # recovered at this share of right labels, or above, every true function counting the same; past 1 nothing is
    least_accuracy: Annotated[float, Within(0, 2)] = 0.9
    most_false: Share = 0.5  # share of the units called specific that may not be

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """The `functions` that may be named: one for each behaviour that was watched, `generic` and `none`."""
        return {"functions": labels(int(truth["n_behaviours"]))}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """Over unit: `function` and `area` of what gives most of its signal; `ambiguous` where nothing does."""
        said = np.asarray(truth["function"].values, dtype=object)
        allowed = labels(int(truth["n_behaviours"]))
        if strange := sorted({str(label) for label in said} - set(allowed)):
            raise SimlabError(f"a true function must be one of {', '.join(allowed)}, got {', '.join(strange)}")
        area = np.asarray(truth["area"].values if "area" in truth else np.zeros(len(said), dtype=int))
        kinds, kind = _kinds(said, area)
        mine = dominant_groups(key, kind)
        found = {"function": said[kinds][mine], "area": area[kinds][mine], "ambiguous": mine < 0}
        projected = xr.Dataset({k: ("unit", v) for k, v in found.items()}, {"unit": np.arange(len(mine))})
        return projected.assign(n_behaviours=truth["n_behaviours"])

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics over the units that are asked about; NaN where one is undefined.

        balanced_accuracy: the share of right labels, every true function counting the same, so that whoever calls all
        of them generic, as most areas are, has one of them right. region_accuracy: every area counting the same;
        accuracy: every unit. false_specific: of the units called specific to a behaviour, those that are not;
        generic_called_specific: of the generic ones, those called so. found_needed: of the units that anything needs,
        those that were not called `none`.
        """
        if finding.abstained:
            return undefined(self.metrics)
        asked = ~truth["ambiguous"].values
        said, true = answer(finding, self, truth)["function"][asked], truth["function"].values[asked]
        area, right = truth["area"].values[asked], said == true
        specific = ~np.isin(said, (GENERIC, NOTHING))
        truly = ~np.isin(true, (GENERIC, NOTHING))
        return {
            "balanced_accuracy": _mean_over(true, right),
            "region_accuracy": _mean_over(area, right),
            "accuracy": ranking.ratio(right.sum(), len(right)),
            "false_specific": float((specific & ~right).sum() / specific.sum()) if specific.any() else 0.0,
            "generic_called_specific": ranking.ratio((specific & (true == GENERIC)).sum(), (true == GENERIC).sum()),
            "specific_called_generic": ranking.ratio(((said == GENERIC) & truly).sum(), truly.sum()),
            "found_needed": ranking.ratio(((said != NOTHING) & (true != NOTHING)).sum(), (true != NOTHING).sum()),
            "n_asked": float(len(right)),
            "n_regions": float(len(np.unique(area))),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether `balanced_accuracy` reaches `least_accuracy`."""
        return bool(metrics["balanced_accuracy"] >= self.least_accuracy)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `most_false` of the units that were called specific to a behaviour are not."""
        return not finding.abstained and self.score(finding, truth)["false_specific"] > self.most_false

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What labels drawn with equal probability get on average."""
        one_of = 1 / len(labels(int(truth["n_behaviours"])))
        return {"balanced_accuracy": one_of, "region_accuracy": one_of, "accuracy": one_of}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random: any label. marginals_only: the silent serve nothing, the rest all."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _marginals_only}


def labels(n_behaviours: int) -> tuple[str, ...]:
    """What an area may be called where so many behaviours are watched."""
    return (*map(behaviour, range(n_behaviours)), GENERIC, NOTHING)


def _kinds(said: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A neuron of each kind, of one area and function (kind,), and which kind each neuron is of (neuron,)."""
    _, code = np.unique(said.astype(str), return_inverse=True)
    _, one, kind = np.unique(np.column_stack([area, code]), axis=0, return_index=True, return_inverse=True)
    return one, kind.reshape(-1)


def _mean_over(group: np.ndarray, right: np.ndarray) -> float:
    """The share that is right, every group counting the same."""
    shares = [float(right[group == one].mean()) for one in np.unique(group)]
    return float(np.mean(shares)) if shares else float("nan")


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"function": truth["function"].values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    named = np.array(labels(int(truth["n_behaviours"])), dtype=object)
    return Finding({"function": named[rng.integers(len(named), size=truth.sizes["unit"])]})


def _marginals_only(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    level = activity_level(recording)
    return Finding({"function": np.where(level > 0, GENERIC, NOTHING).astype(object)})
