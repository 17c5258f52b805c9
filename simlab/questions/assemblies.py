"""Which units belong together? A partition of the recorded units into assemblies or modules."""

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
from simlab.questions.connectivity import activity_level
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields

_METRICS = ("adjusted_rand", "adjusted_mutual_information", "pair_precision", "pair_recall", "n_found", "n_true")


@dataclass(frozen=True)
class Assemblies:
    """The groups that the recorded units fall into: `group` (unit,), whole numbers that carry no meaning.

    Units of one true group (cells wired together, gates of one module) should get the same number, others another. A
    circuit with one group has no assemblies: an answer that divides it has found what is not there.
    """

    name: ClassVar[str] = "assemblies"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"group": Variable(("unit",), "whole", low=0)})
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"group": Variable(("neuron",), "whole", low=0)})
    metrics: ClassVar[tuple[str, ...]] = _METRICS
    headline: ClassVar[str] = "adjusted_rand"
    picture: ClassVar[Picture] = Picture("partition", answer="group", truth="group")

    # recovered at this adjusted Rand index, or above; past 1 nothing is
    least_rand: Annotated[float, Within(-1, 2)] = 0.9
    most_groups: Annotated[int, Within(1, 10_000)] = 1
    """Where there is one true group, an answer with more than this has claimed assemblies falsely."""

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """Nothing: not even how many there are."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """`group` (unit,), of the neuron that dominates the unit; a unit without a neuron is a group of its own."""
        neuron, true = dominant_neurons(key), np.asarray(truth["group"].values, dtype=int)
        alone = true.max(initial=-1) + 1 + np.arange(len(neuron))
        group = np.where(neuron >= 0, np.append(true, 0)[neuron], alone)
        return xr.Dataset({"group": ("unit", group)}, {"unit": np.arange(len(neuron))})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """Adjusted Rand index (Hubert & Arabie 1985) and adjusted mutual information (Vinh et al. 2010); pairs.

        pair_precision: of the pairs put together, those that belong together; pair_recall: of those, the pairs put
        together. The two indices are 1 where both partitions have a single group, NaN with fewer than two units.
        """
        from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

        if finding.abstained or truth.sizes["unit"] < 2:
            return undefined(self.metrics)
        said, true = answer(finding, self, truth)["group"], truth["group"].values
        pairs = np.triu_indices(len(true), 1)
        put, belong = ((g[:, None] == g[None])[pairs] for g in (said, true))
        return {
            "adjusted_rand": float(adjusted_rand_score(true, said)),
            "adjusted_mutual_information": float(adjusted_mutual_info_score(true, said)),
            "pair_precision": ranking.ratio((put & belong).sum(), put.sum()),
            "pair_recall": ranking.ratio((put & belong).sum(), belong.sum()),
            "n_found": float(len(np.unique(said))),
            "n_true": float(len(np.unique(true))),
        }

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the adjusted Rand index reaches `least_rand`."""
        return bool(metrics["adjusted_rand"] >= self.least_rand)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `most_groups` were found where all units are of one group."""
        if finding.abstained or len(np.unique(truth["group"].values)) > 1:
            return False
        return len(np.unique(answer(finding, self, truth)["group"])) > self.most_groups

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """Both indices are adjusted for it."""
        return {"adjusted_rand": 0.0, "adjusted_mutual_information": 0.0}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the projected truth. random: shuffled true groups. marginals_only: like activity together."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _marginals_only}


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"group": truth["group"].values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"group": rng.permutation(truth["group"].values)})


def _marginals_only(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    """As many groups, of the true sizes, by rank of activity."""
    level = activity_level(recording)
    group = np.empty(len(level), dtype=int)
    group[np.lexsort((rng.random(len(level)), level))] = np.sort(truth["group"].values)
    return Finding({"group": group})
