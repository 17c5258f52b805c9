"""Which units are grid cells, with what period, and how many modules are there? A flag and a length per unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.instruments.placement import dominant_neurons
from simlab.questions.form import BaselineAnswer, answer, check_key, undefined
from simlab.questions.ranking import ratio
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share

NAN = float("nan")
NONE = -1
"""The module of a neuron that is no grid cell."""


@dataclass(frozen=True)
class SpatialPattern:
    """Which units fire in a triangular lattice of places, its period [m], and how many modules they make.

    The answer is `grid` (unit,), `period` (unit,) [m], which is looked at where a unit is rightly called a grid cell (0
    elsewhere will do), and `modules`, how many different periods grid cells have; the last two are optional. A unit is
    asked about through the neuron that gives most of its signal, and not at all where that is neither a clear grid cell
    nor clearly none. The place is in the recording's stimulus.
    """

    name: ClassVar[str] = "spatial_pattern"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "grid": Variable(("unit",), "flag"),
            "period": Variable(("unit",), optional=True, low=0),
            "modules": Variable((), "whole", optional=True, low=0),
        }
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "grid": Variable(("neuron",), "flag"),
            "period": Variable(("neuron",), low=0),
            "module": Variable(("neuron",), "whole", low=NONE),
            "doubtful": Variable(("neuron",), "flag"),
            "decoding_error": Variable((), optional=True, low=0),
        }
    )
    metrics: ClassVar[tuple[str, ...]] = (
        "f1", "recall", "precision", "false_positive_rate", "called", "n_grids", "n_others", "period_error",
        "period_median", "modules_right",
    )  # fmt: skip
    headline: ClassVar[str] = "f1"
    picture: ClassVar[Picture] = Picture("scatter", answer="period", truth="period", left_out="unasked")

    least_f1: Share = 0.9
    tolerance: Annotated[float, Within(0, 10)] = 0.1  # of a period, that the median error may be at most
    most_false: Share = 0.2  # of the units that are no grid cells, that may be called so

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """Nothing: any unit may be a grid cell."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """Over unit: `grid` and `period` of the neuron that gives most of the signal, `unasked` where none does or it
        is doubtful; `modules`, how many those make that are asked about; and what the truth says of the whole subject.

        Raises SimlabError where key and truth are not over the same neurons.
        """
        check_key(key, truth)
        neuron = dominant_neurons(key)
        unasked = (neuron < 0) | truth["doubtful"].values.astype(bool)[neuron]
        grid = truth["grid"].values.astype(bool)[neuron] & ~unasked
        seen = np.unique(truth["module"].values[neuron][grid])
        told = {
            "grid": ("unit", grid),
            "period": ("unit", np.where(grid, truth["period"].values[neuron], 0.0)),
            "unasked": ("unit", unasked),
            "modules": len(seen),
        }
        whole = {str(name): value for name, value in truth.data_vars.items() if not value.dims}
        return xr.Dataset(told | whole, {"unit": np.arange(len(neuron))})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """All metrics over the units that are asked about; NaN where one is undefined.

        recall: share of the grid cells that are called so; precision: of those called, the ones that are; f1 of both.
        false_positive_rate: of the others, those that were called; called: of all. period_error: median of |stated -
        true| / true over rightly called units; period_median: of stated / true there. modules_right: 1 or 0.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, asked = answer(finding, self, truth), ~truth["unasked"].values
        said, true = given["grid"][asked], truth["grid"].values[asked]
        right = said & true
        stated, period = given.get("period"), truth["period"].values[asked][right]
        relative = np.empty(0) if stated is None else stated[asked][right] / period
        counted = "modules" in given and true.any()
        return {
            "f1": ratio(2 * right.sum(), said.sum() + true.sum()) if true.any() else NAN,
            "recall": ratio(right.sum(), true.sum()),
            "precision": ratio(right.sum(), said.sum()),
            "false_positive_rate": ratio((said & ~true).sum(), (~true).sum()),
            "called": ratio(said.sum(), len(said)),
            "n_grids": float(true.sum()),
            "n_others": float((~true).sum()),
            "period_error": float(np.median(np.abs(relative - 1))) if len(relative) else NAN,
            "period_median": float(np.median(relative)) if len(relative) else NAN,
            "modules_right": float(given["modules"] == int(truth["modules"])) if counted else NAN,
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether `f1` reaches `least_f1` and the median period is stated to within `tolerance`."""
        return bool(metrics["f1"] >= self.least_f1 and metrics["period_error"] <= self.tolerance)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `most_false` of the units that are no grid cells were called so."""
        return not finding.abstained and self.score(finding, truth)["false_positive_rate"] > self.most_false

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What a coin for each unit gets on average, without a period; f1 is that of the expected counts."""
        true = truth["grid"].values[~truth["unasked"].values]
        grids = float(true.sum())
        return {
            "recall": 0.5,
            "false_positive_rate": 0.5,
            "called": 0.5,
            "f1": grids / (len(true) / 2 + grids) if grids else NAN,
        }

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random, marginals_only: a coin for each unit, as rates tell nothing."""
        return {"oracle": _oracle, "random": _coins, "marginals_only": _coins}


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    stated = {name: truth[name].values for name in ("grid", "period")}
    return Finding(stated | {"modules": int(truth["modules"])}, confidence=1.0)


def _coins(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"grid": rng.random(truth.sizes["unit"]) < 0.5})
